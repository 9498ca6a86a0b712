package dev.terrace.failover;

/** Deliberate mistakes, for proving that tests would see them. Only tests choose anything but {@link #NONE}. */
enum OriginMutant {
    /** No mistake. */
    NONE,
    /** How long calls last without a queue is measured once and for all. */
    NEVER_PROBED,
    /** Background loads take places as foreground loads do, and wait for them. */
    BACKGROUND_FIRST,
    /** Everybody waits for a place, however long that will take. */
    WAITS_WITHOUT_END,
    /** Every failure counts, also of the same key. */
    EVERY_FAILURE_COUNTS,
    /** A load that is refused by the rate keeps its place. */
    PLACE_KEPT
}
