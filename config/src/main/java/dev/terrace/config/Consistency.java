package dev.terrace.config;

/** What a cache promises about copies on other nodes after a write. */
public enum Consistency {
    /** They are dropped when the notice of the write arrives; nothing is promised about when that is. */
    EVENTUAL,
    /** A node that has heard nothing for the staleness bound stops answering its copies as fresh. */
    BOUNDED,
    /** A write returns when every node has dropped its copy, or its lease on it has run out. */
    STRICT
}
