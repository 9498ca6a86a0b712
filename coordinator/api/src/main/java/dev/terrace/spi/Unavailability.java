package dev.terrace.spi;

/** Why a tier could not answer, by what would help. */
public enum Unavailability {
    /** No answer within the tier's deadline: frozen, half-open or too slow. */
    TIMEOUT,
    /** No connection, and none could be had at once. */
    DISCONNECTED,
    /** It answered, but with an error. */
    ERROR,
    /** Its queue is full; later may work. */
    OVERLOADED,
    /** The storage under it refuses: disk full, read-only, I/O error. */
    STORAGE,
    /** A guard keeps callers away because it failed too often lately. */
    BREAKER_OPEN,
    /** It restarted or was replaced and may have forgotten what it once acknowledged; it must be re-synchronised first. */
    FORGETFUL,
    /** It was closed. */
    CLOSED
}
