package dev.terrace.core;

/** How much of L2 is in use; set by the ladder, read on every call of L2. Thread-safe. */
final class RemoteUse {
    /** What is let through. */
    enum Mode {
        /** Everything. */
        ALL,
        /** Writes: L2 is back, and not yet read because it lacks what it missed. */
        WRITES,
        /** Nothing. */
        NONE
    }

    private volatile Mode mode = Mode.ALL;

    void set(Mode newMode) {
        mode = newMode;
    }

    boolean isRead() {
        return mode == Mode.ALL;
    }

    boolean isWritten() {
        return mode != Mode.NONE;
    }

    /** For who is told that L2 was left out. */
    static final String LEFT_OUT = "the ladder leaves L2 out";
}
