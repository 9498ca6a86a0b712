package dev.terrace.api;

/** Who answered a read. */
public enum Source {
    /** The near cache in front of the local tier: the value is the very object that others were given. */
    NEAR,
    /** The local tier. */
    L1,
    /** The remote tier. */
    L2,
    /** The backup tier. */
    L3,
    /** What waits to be written to the origin: no tier has anything newer. */
    JOURNAL,
    /** The loader, asked because no tier had a usable value. */
    LOADER,
    /** Nobody: there is no value. */
    NONE
}
