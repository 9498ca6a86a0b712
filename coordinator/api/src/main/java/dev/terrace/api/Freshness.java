package dev.terrace.api;

/** How good an answer is. */
public enum Freshness {
    /** Within its time to live. */
    FRESH,
    /** Past its time to live, served because nothing better could be had and its cache allows it. */
    STALE,
    /** There is no value. */
    ABSENT,
    /** No value was found, and a tier that may hold one did not answer. */
    UNKNOWN
}
