package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.datasketches.frequencies.ErrorType;
import org.apache.datasketches.frequencies.ItemsSketch;

/**
 * Counts reads of some of the keys in a frequent-items sketch (Anderson et al., "A High-Performance Algorithm for Identifying Frequent
 * Items in Data Streams", IMC 2017): when it is full, the median of its counts is taken off all of them, and what is left with none
 * goes. So a count is never too high, and at most too low by the sum of what was taken off. Thread-safe.
 */
final class HeatStripe {
    /** Whoever counts goes on without when it is taken; for tests to take. */
    final ReentrantLock lock = new ReentrantLock();

    private final int slots;
    private ItemsSketch<CacheKey> sketch;

    /** What the counts may be short of from before the last cooling. */
    private long missed;

    /** @param slots a power of two, 8 or more; memory is for so many keys */
    HeatStripe(int slots) {
        this.slots = slots;
        this.sketch = new ItemsSketch<>(slots);
    }

    /** How many slots it takes to count {@code keys} keys. */
    static int slotsFor(int keys) {
        int slots = 8;
        while (keysIn(slots) < keys) {
            slots *= 2;
        }
        return slots;
    }

    /** How many keys are counted in {@code slots} slots, three quarters of them. */
    static int keysIn(int slots) {
        return slots / 4 * 3;
    }

    /** Counts a read that stands for {@code weight}, unless another thread is at it: a sample may miss some, a read must not wait. */
    void used(CacheKey key, int weight) {
        if (lock.tryLock()) {
            try {
                sketch.update(key, weight);
            } finally {
                lock.unlock();
            }
        }
    }

    /** All that are counted. */
    List<HotKey> hottest() {
        lock.lock();
        try {
            return counted();
        } finally {
            lock.unlock();
        }
    }

    /** All that were counted, and halves the counts. */
    List<HotKey> hottestThenCool() {
        lock.lock();
        try {
            List<HotKey> hottest = counted();
            missed = (missed + sketch.getMaximumError() + 1) / 2;
            sketch = new ItemsSketch<>(slots);
            hottest.forEach(hot -> sketch.update(hot.key(), hot.reads() / 2));
            return hottest;
        } finally {
            lock.unlock();
        }
    }

    private List<HotKey> counted() {
        List<HotKey> counted = new ArrayList<>(sketch.getNumActiveItems());
        for (ItemsSketch.Row<CacheKey> row : sketch.getFrequentItems(ErrorType.NO_FALSE_NEGATIVES)) {
            counted.add(new HotKey(row.getItem(), row.getLowerBound(), row.getUpperBound() + missed));
        }
        return counted;
    }
}
