package dev.terrace.api;

/** What a write has to do with the origin when its receipt is given. */
public enum OriginState {
    /** Nothing: the cache has no writer, or its policy is aside, or it was an invalidation. */
    UNTOUCHED,
    /** The origin has taken it. */
    WRITTEN,
    /** It is in the journal and will be written, also after a restart. */
    JOURNALED
}
