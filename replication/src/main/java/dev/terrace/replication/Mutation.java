package dev.terrace.replication;

/** Ways to break the protocol on purpose. The tests prove that they would notice; nothing else may use them. */
enum Mutation {
    /** Reads answer what they found without making sure that a majority has it. */
    NO_WRITE_BACK,
    /** A zone that holds something newer counts as having been given what a read has found. */
    SUPERSEDED_READS_COUNT,
    /** Writes are stamped by the clock without asking for the highest version. */
    STAMPED_BY_THE_CLOCK,
    /** One acknowledgement is enough. */
    ONE_ACK,
    /** Acknowledgements count however late they are. */
    LATE_ACKS_COUNT,
    /** A zone is filled from one other zone. */
    FILLED_FROM_ONE,
    /** A zone is filled at once, without waiting for operations that began before it forgot. */
    FILLED_AT_ONCE,
    /** A zone is filled with entries only, and not with the promises of others. */
    PROMISES_NOT_COPIED,
    /** A zone is filled with what lies below the promises of others, and nothing is done about these. */
    OPEN_PROMISES_LEFT_OPEN,
    /** A node restarted while zones come and go asks the old ones alone until it has seen those that join vote. */
    RESTARTED_NODES_ASK_OLD_ZONES,
    /** Hints are written above whatever is there. */
    HINTS_OVERWRITE,
    /** Being superseded by a conditional write counts as having happened before it. */
    SUPERSEDED_BY_CONDITION_COUNTS
}
