package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Which keys are read most of late: a sample of the reads is counted, in memory that is bounded, and each count comes with what it may be
 * short of. Reads that are not in the sample cost nothing, those that are never wait. Thread-safe.
 */
final class Heat {
    /** Counted beyond those wanted: a sketch finds keys that are well above the average of what it counts. */
    private static final int ROOM = 8;

    /** Of one stripe: the read that finds it full makes room in it, and that should be quick. */
    private static final int MOST_SLOTS = 8_192;

    private final int keys;
    private final HeatStripe[] stripes;

    /** @param keys how many are told; 0 to count nothing */
    Heat(int keys) {
        this.keys = keys;
        int counted = keys * ROOM;
        int slots = Math.min(MOST_SLOTS, HeatStripe.slotsFor(counted));
        stripes = new HeatStripe[(counted + HeatStripe.keysIn(slots) - 1) / HeatStripe.keysIn(slots)];
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new HeatStripe(slots);
        }
    }

    /** One read of a sample, that stands for {@code weight} reads; now and then one is lost. */
    void used(CacheKey key, int weight) {
        if (keys > 0 && key.keyLength() <= HeatNote.LONGEST_KEY_BYTES) {
            stripes[stripe(key)].used(key, weight);
        }
    }

    /** By other bits of the hash than those that a sketch goes by, and as a fraction of all stripes, however many there are. */
    private int stripe(CacheKey key) {
        long mixed = key.hashCode() * 0x9E3779B97F4A7C15L >>> Integer.SIZE;
        return (int) (mixed * stripes.length >>> Integer.SIZE);
    }

    /** The hottest, hottest first; nothing is changed by asking. */
    List<HotKey> hottest(int most) {
        return hottest(most, HeatStripe::hottest);
    }

    /** The hottest, hottest first; and lets all cool down to a half, so that what was hot once does not stay so. */
    List<HeatNote.Warm> hottestThenCool() {
        return hottest(keys, HeatStripe::hottestThenCool).stream()
                .map(hot -> new HeatNote.Warm(hot.key(), hot.reads()))
                .toList();
    }

    private List<HotKey> hottest(int most, Function<HeatStripe, List<HotKey>> ofStripe) {
        return Stream.of(stripes)
                .flatMap(stripe -> ofStripe.apply(stripe).stream())
                .sorted(Comparator.comparingLong(HotKey::reads).reversed())
                .limit(Math.min(most, keys))
                .toList();
    }
}
