package dev.terrace.tier.local;

import java.util.Arrays;

/** What there is and what left, by group, and how large the entries are. Not thread-safe. */
final class GroupCounts {
    /** Sizes by doubling. */
    static final int SIZES = 32;

    private long[] entries = new long[8];
    private long[] bytes = new long[8];
    private long[][] evicted = new long[8][];
    private final long[] sizes = new long[SIZES];

    /** An entry became another; 0 is none. */
    void replaced(int group, int oldCharge, int newCharge) {
        grow(group);
        if (oldCharge != 0) {
            entries[group]--;
            bytes[group] -= oldCharge;
            sizes[size(oldCharge)]--;
        }
        if (newCharge != 0) {
            entries[group]++;
            bytes[group] += newCharge;
            sizes[size(newCharge)]++;
        }
    }

    void evicted(int group, EvictionCause cause) {
        grow(group);
        long[] causes = evicted[group];
        if (causes == null) {
            causes = new long[EvictionCause.count()];
            evicted[group] = causes;
        }
        causes[cause.index]++;
    }

    private void grow(int group) {
        if (group >= entries.length) {
            int room = Math.max(group + 1, entries.length * 2);
            entries = Arrays.copyOf(entries, room);
            bytes = Arrays.copyOf(bytes, room);
            evicted = Arrays.copyOf(evicted, room);
        }
    }

    /** The doubling that {@code charge} falls into: the one with the least power of two that is not below it. */
    private static int size(int charge) {
        return Math.min(SIZES - 1, 32 - Integer.numberOfLeadingZeros(charge - 1));
    }

    long entries(int group) {
        return group < entries.length ? entries[group] : 0;
    }

    long bytes(int group) {
        return group < bytes.length ? bytes[group] : 0;
    }

    long evictions(int group, EvictionCause cause) {
        long[] causes = group < evicted.length ? evicted[group] : null;
        return causes == null ? 0 : causes[cause.index];
    }

    /** How many entries take at most two to the power of {@code size} bytes, and more than half of it. */
    long ofSize(int size) {
        return sizes[size];
    }

    boolean agree(long allEntries, long allBytes) {
        return Arrays.stream(entries).sum() == allEntries
                && Arrays.stream(bytes).sum() == allBytes
                && Arrays.stream(sizes).sum() == allEntries;
    }

    GroupCounts copy() {
        GroupCounts copy = new GroupCounts();
        copy.entries = entries.clone();
        copy.bytes = bytes.clone();
        copy.evicted = Arrays.stream(evicted)
                .map(one -> one == null ? null : one.clone())
                .toArray(long[][]::new);
        System.arraycopy(sizes, 0, copy.sizes, 0, SIZES);
        return copy;
    }
}
