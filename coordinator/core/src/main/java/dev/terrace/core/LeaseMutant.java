package dev.terrace.core;

/** Deliberate mistakes, for proving that tests would see them. Only tests choose anything but {@link #NONE}. */
enum LeaseMutant {
    /** No mistake. */
    NONE,
    /** A lease is claimed without a look at what lies beside it. */
    WITHOUT_A_LOOK,
    /** Whoever does not get it loads all the same. */
    IGNORED,
    /** It is not renewed while the loader runs. */
    NEVER_RENEWED,
    /** It does not run out when its owner dies. */
    WITHOUT_END,
    /** It is not given back. */
    KEPT
}
