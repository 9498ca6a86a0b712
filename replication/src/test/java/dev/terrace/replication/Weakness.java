package dev.terrace.replication;

/** Ways in which a simulated zone may be weaker than the contract of replicas asks; the tests prove that this is noticed. */
enum Weakness {
    /** Votes whatever it has forgotten. */
    FORGETFUL_VOTES,
    /** Takes the token that lies in its data for proof that it has forgotten nothing. */
    MARKER_IS_PROOF,
    /** Clients load missing scripts again by themselves. */
    SCRIPTS_RELOAD,
    /** An admission does not notice that the zone has restarted since it began to be filled. */
    ADMITS_BLINDLY,
    /** Tells that something newer is held before it tells of a promise. */
    SUPERSEDED_FIRST,
    /** A promise ends when what it was given for is accepted. */
    ACCEPTING_ENDS_PROMISE,
    /** Tombstones are dropped long before what they hide has expired. */
    TOMBSTONES_DROPPED_EARLY
}
