package dev.terrace.tier.local.policy;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Picks who goes next among the residents of numbered slots.
 *
 * <p>Callers hold one lock of theirs around {@link #admitted}, {@link #removed} and {@link #victim}. {@link #touched} needs no lock and may
 * run beside all others: a lost update costs a little precision, nothing else. Nothing here throws for a slot below the number of slots.
 */
public interface Eviction {
    /** Heap bytes per slot of the policy that needs most, {@code w_tinylfu}. */
    int MOST_BYTES_PER_SLOT = 34;

    /** Heap bytes per slot, rounded up. */
    static int bytesPerSlot(EvictionPolicy policy) {
        return switch (policy) {
            case LRU, LFU -> 9;
            case ADAPTIVE -> 24;
            case S3_FIFO -> 26;
            case W_TINYLFU -> MOST_BYTES_PER_SLOT;
        };
    }

    /**
     * The engine for a policy of the settings.
     *
     * @param cells for the states of residents, one for each slot, all 0
     * @param capacity how many residents there can be, at least 1
     * @param bytes what the resident of a slot takes; asked under the caller's lock, of residents only
     * @param seed of everything random here
     */
    static Eviction of(EvictionPolicy policy, UseCells cells, int capacity, IntUnaryOperator bytes, long seed) {
        return switch (policy) {
            case LRU -> new Sampled(new Uses(cells, capacity, 0), new Recency(), bytes, seed);
            case LFU -> {
                Uses uses = new Uses(cells, capacity, Frequency.HALF_LIFE_CAPACITIES);
                yield new Sampled(uses, new Frequency(uses), bytes, seed);
            }
            case ADAPTIVE -> {
                Uses uses = new Uses(cells, capacity, 0);
                yield new Sampled(uses, new ReuseModel(uses), bytes, seed);
            }
            case W_TINYLFU -> new WindowTinyLfu(new Uses(cells, capacity, Frequency.HALF_LIFE_CAPACITIES), seed);
            case S3_FIFO -> new S3Fifo(new Uses(cells, capacity, 0), seed);
        };
    }

    /** A new resident, in a slot that was free. {@code hash} tells keys apart; 64 good bits. */
    void admitted(int slot, long hash);

    /**
     * The resident of {@code slot} was used.
     *
     * @param ticket a number that each thread counts up by one per call
     */
    void touched(int slot, int ticket);

    /** The resident of {@code slot} takes more or fewer bytes from now on. */
    default void resized(int slot) {}

    /** The slot is free after all: a late {@link #touched} can make it look used. */
    void forget(int slot);

    /** The slot becomes free. Its past is remembered under {@code hash}. */
    void removed(int slot, long hash);

    /**
     * Who should go, which is not removed by this; or -1 when nobody is there.
     *
     * @param byBytes whether bytes are short rather than slots: then large residents have to be worth their size
     * @param among who may go; null for everybody. Policies that keep queues draw some of those at random where the one whose turn it is may not
     */
    int victim(boolean byBytes, @Nullable Among among);
}
