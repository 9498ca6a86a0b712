package dev.terrace.node.drill;

/** One way to lose something, and the way back. Stateless. */
interface Drill {
    /** What people call it. */
    String name();

    /** What is broken and what is brought back, in a line. */
    String about();

    /** Whether it breaks the storage itself, which it may do to a folder of its own only. */
    default boolean needsOwnStorage() {
        return false;
    }

    /**
     * Breaks it and brings it back.
     *
     * @throws DrillFailure when it cannot be brought back
     */
    void run(Scene scene) throws Exception;
}
