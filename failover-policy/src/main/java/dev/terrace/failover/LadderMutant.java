package dev.terrace.failover;

/** Faults that tests build into a {@link Ladder} to see whether they find them. */
enum LadderMutant {
    NONE,
    CLIMBS_WITHOUT_HOLD,
    CLIMBS_TO_THE_GOAL,
    FORGETS_RELAPSES,
    BLAMES_THE_UNKNOWN,
    TRUSTS_THE_UNKNOWN,
    STAYS_READ_ONLY,
    LEAVES_READ_ONLY_FOR_A_DEAD_ORIGIN,
    PIN_NEVER_ENDS,
    FORGETS_MISSED_WRITES,
    WAITS_FOR_EVER,
    WRITES_ARE_ALWAYS_SAFE,
    FALLS_STEP_BY_STEP,
    IGNORES_FALLBACK
}
