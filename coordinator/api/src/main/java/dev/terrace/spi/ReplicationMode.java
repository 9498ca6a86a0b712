package dev.terrace.spi;

/** How many zones must have a write before it is acknowledged, and how many are asked by a read. */
public enum ReplicationMode {
    /** The first zone that has it; reads ask the nearest. Zones converge. */
    ASYNC,
    /** A majority, for writes and reads: every key is an atomic register. */
    QUORUM,
    /** All of them; reads as {@link #QUORUM}. */
    SYNC
}
