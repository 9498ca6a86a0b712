package dev.terrace.spi;

/** The three storage levels, fastest first. */
public enum TierLevel {
    /** In process, off heap. */
    L1,
    /** Remote, shared by the fleet. */
    L2,
    /** Backup on local disk, object storage behind it. */
    L3
}
