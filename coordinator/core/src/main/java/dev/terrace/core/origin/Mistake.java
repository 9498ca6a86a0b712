package dev.terrace.core.origin;

/** Deliberate mistakes, for proving that the simulation would see them. Only tests choose anything but {@link #NONE}. */
enum Mistake {
    /** No mistake. */
    NONE,
    /** The caller goes on before the journal has its write. */
    ACKNOWLEDGED_BEFORE_KEPT,
    /** The journal forgets a write when its call begins. */
    FORGOTTEN_BEFORE_WRITTEN,
    /** A write goes out while an earlier one of its key is under way. */
    TWO_CALLS_FOR_A_KEY,
    /** What came while an older write of its key was under way is forgotten with that. */
    NEWER_FORGOTTEN,
    /** Of several writes of a key the first one waits on. */
    OLDER_KEPT,
    /** A dead letter is not journaled. */
    DEAD_UNRECORDED,
    /** A dead letter outlives a newer write that has arrived. */
    OVERTAKEN_DEAD_KEPT,
    /** Room is not given back for what was replaced. */
    ROOM_LEAKED
}
