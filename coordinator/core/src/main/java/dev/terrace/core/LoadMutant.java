package dev.terrace.core;

/** Deliberate mistakes in loading, for proving that its simulation would see them. Only tests choose anything but {@link #NONE}. */
enum LoadMutant {
    /** No mistake. */
    NONE,
    /** Stale values are answered however old they are. */
    STALE_FOR_EVER,
    /** Callers wait for a loader as long as it likes. */
    HARD_TIMEOUT_FORGOTTEN,
    /** Whoever comes after a timeout calls the loader once more, though it still runs. */
    CALL_AFTER_TIMEOUT,
    /** A load that failed is tried again by the next reader, though there is something stale. */
    THROTTLE_IGNORED,
    /** Refreshes take the threads that callers wait for. */
    BACKGROUND_IN_FRONT,
    /** Whoever comes after a write waits for a call that began before it. */
    OVERTAKEN_CALL_JOINED,
    /** Callers with something stale wait as long as those without. */
    SOFT_TIMEOUT_FORGOTTEN
}
