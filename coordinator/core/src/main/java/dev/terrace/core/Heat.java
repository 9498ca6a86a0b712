package dev.terrace.core;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Which keys are read most of late, of a bounded number of keys: a sample of the reads is counted, and W-TinyLFU decides whose counts are
 * worth keeping (Einziger, Friedman and Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", 2017). Reads that are not in the
 * sample cost nothing. Thread-safe.
 */
final class Heat {
    /** Counted beyond those wanted, so that the last of them are not those that came last. */
    private static final int ROOM = 2;

    private final int keys;
    private final Cache<CacheKey, AtomicInteger> counts;

    /** @param keys how many are told; 0 to count nothing */
    Heat(int keys) {
        this.keys = keys;
        this.counts = Caffeine.newBuilder()
                .maximumSize((long) keys * ROOM)
                .executor(Runnable::run)
                .build();
    }

    /** One read of a sample, that stands for {@code weight} reads. */
    void used(CacheKey key, int weight) {
        if (keys > 0 && key.keyLength() <= HeatNote.LONGEST_KEY_BYTES) {
            AtomicInteger count = counts.get(key, first -> new AtomicInteger());
            count.accumulateAndGet(weight, (one, more) -> (int) Math.min(Integer.MAX_VALUE, (long) one + more));
        }
    }

    /** The hottest, hottest first; nothing is changed by asking. */
    List<HotKey> hottest(int most) {
        return counts.asMap().entrySet().stream()
                .map(entry -> new HotKey(entry.getKey(), entry.getValue().get()))
                .sorted(Comparator.comparingLong(HotKey::reads).reversed())
                .limit(most)
                .toList();
    }

    /** The hottest, hottest first; and lets all cool down to a half, so that what was hot once does not stay so. */
    List<HeatNote.Warm> hottestThenCool() {
        List<HeatNote.Warm> hottest = new ArrayList<>();
        for (Map.Entry<CacheKey, AtomicInteger> entry : counts.asMap().entrySet()) {
            int before = entry.getValue().getAndUpdate(count -> count / 2);
            hottest.add(new HeatNote.Warm(entry.getKey(), before));
        }
        hottest.sort(Comparator.comparingDouble(HeatNote.Warm::weight).reversed());
        return hottest.subList(0, Math.min(keys, hottest.size()));
    }
}
