package dev.terrace.failover;

/** Who waits for a load. */
public enum LoadPriority {
    /** A caller who has nothing else. */
    FOREGROUND,
    /** Nobody: something is refreshed before it has to be. Refused before any foreground load is. */
    BACKGROUND
}
