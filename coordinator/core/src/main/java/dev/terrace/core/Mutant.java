package dev.terrace.core;

/** Deliberate mistakes, for proving that the simulation would see them. Only tests choose anything but {@link #NONE}. */
enum Mutant {
    /** No mistake. */
    NONE,
    /** A notice drops the copy but lets fills that began before it through. */
    FILL_WITHOUT_VERSION,
    /** A gap in a log is taken for peace. */
    TRIMMED_LOG_TRUSTED,
    /** A beat counts from when it was heard, not from when it was sent. */
    BEAT_BY_RECEIVE_TIME,
    /** A write is acknowledged before any log has its notice. */
    ACKNOWLEDGED_BEFORE_ANNOUNCED,
    /** A strict write does not wait for nodes that do not answer. */
    SILENT_NODES_IGNORED,
    /** Markers of other nodes are not heeded. */
    MARKER_DROPPED,
    /** A reader who may not have heard of markers does not ask L2 for them. */
    MARKERS_NOT_ASKED,
    /** A notice drops the copy in L1, and not the one in the near cache. */
    NEAR_NOT_DROPPED,
    /** A gap drops what L1 holds, and not the near cache. */
    NEAR_SURVIVES_A_GAP,
    /** The near cache answers without asking whether copies are trusted. */
    NEAR_ALWAYS_TRUSTED
}
