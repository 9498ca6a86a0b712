package dev.terrace.failover;

/** The keys that failed last. Not thread-safe. */
final class FailedKeys {
    private final int[] keys;
    private int size;
    private int next;

    FailedKeys(int capacity) {
        this.keys = new int[capacity];
    }

    /** Remembers {@code key}, in place of the one that failed longest ago; false when it is among them. */
    boolean add(int key) {
        for (int i = 0; i < size; i++) {
            if (keys[i] == key) {
                return false;
            }
        }
        keys[next] = key;
        next = (next + 1) % keys.length;
        size = Math.min(size + 1, keys.length);
        return true;
    }

    void clear() {
        size = 0;
        next = 0;
    }
}
