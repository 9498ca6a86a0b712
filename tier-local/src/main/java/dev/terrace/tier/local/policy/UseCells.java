package dev.terrace.tier.local.policy;

/** Where the state of each slot's use lies, a {@code long} each. Single cells are read and written without a lock, by any thread. */
public interface UseCells {
    /** How many there are. */
    int slots();

    /** Whether slots are given by the hash of their keys, so that those beside each other have nothing in common. */
    default boolean areByHash() {
        return false;
    }

    /** 0 at first. */
    long get(int slot);

    void set(int slot, long use);

    /** In an array of their own. */
    static UseCells onHeap(int slots) {
        long[] uses = new long[slots];
        return new UseCells() {
            @Override
            public int slots() {
                return uses.length;
            }

            @Override
            public long get(int slot) {
                return uses[slot];
            }

            @Override
            public void set(int slot, long use) {
                uses[slot] = use;
            }
        };
    }
}
