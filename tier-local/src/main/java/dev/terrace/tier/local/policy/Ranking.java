package dev.terrace.tier.local.policy;

/** How much a resident is worth keeping, by its past. Called under the caller's lock, except {@link #used}. */
interface Ranking {
    /** What 1 / {@code value} ticks of one slot would bring: the smaller, the sooner it goes. */
    double value(long use, int now);

    /** A resident was used; {@code before} is its state until then. Any thread, one of {@link Uses#readsPerTick()} uses. */
    default void used(long before, int now) {}

    /** A key came back whose state was {@code ghost}, or that nobody remembers (0). */
    default void returned(long ghost, int now) {}

    /** A resident left, its state is remembered. */
    default void left(long hash, long use, int now) {}

    /** The state of the ghost of {@code hash}, taken out; or 0. */
    default long recall(long hash) {
        return 0;
    }
}
