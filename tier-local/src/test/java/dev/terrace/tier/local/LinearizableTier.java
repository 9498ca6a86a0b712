package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;

/**
 * What callers do to a tier that has room for everything, for Lincheck: whatever threads come together, the outcomes are those of some order of
 * the same calls on {@link OneAfterTheOther}. Every scenario has keys of its own, so that all share one tier.
 */
@Param(name = "key", gen = IntGen.class, conf = "1:2")
@Param(name = "version", gen = IntGen.class, conf = "1:4")
public abstract class LinearizableTier {
    private static final int ITERATIONS = Integer.getInteger("terrace.lincheck.iterations", 20);
    private static final int INVOCATIONS = 300;
    private static final int MISS = 0;
    private static final int TORN = -1;
    private static final AtomicLong SCENARIOS = new AtomicLong();

    /** Room for all keys of all scenarios: what is evicted is a miss, which no order explains. */
    private static final long CAPACITY = 400_000;

    private final long scenario = SCENARIOS.incrementAndGet();

    /** The tier and its clock, which stands still. */
    record Opened(LocalFixture fixture, OffHeapTier tier) implements AutoCloseable {
        static Opened open(LocalFixture fixture) {
            return new Opened(fixture, fixture.open(CAPACITY, 600, EvictionPolicy.LRU));
        }

        @Override
        public void close() {
            tier.close();
        }
    }

    abstract Opened opened();

    /** Throws when Lincheck finds outcomes that no order explains. */
    static void check(Class<? extends LinearizableTier> test) {
        new StressOptions()
                .iterations(ITERATIONS)
                .invocationsPerIteration(INVOCATIONS)
                .threads(3)
                .actorsPerThread(3)
                .sequentialSpecification(OneAfterTheOther.class)
                .check(test);
    }

    private CacheKey key(int key) {
        return CacheKey.of("c", scenario + "/" + key);
    }

    private long millis() {
        return opened().fixture().clock.millis();
    }

    /** Short and long in turn, so that records of other lengths take the place of one another. */
    private static byte[] payload(int version) {
        byte[] payload = new byte[version % 2 == 0 ? 8 : 900];
        Arrays.fill(payload, (byte) version);
        return payload;
    }

    /** Whether it was stored. */
    @Operation
    public boolean store(@Param(name = "key") int key, @Param(name = "version") int version) {
        Entry entry = Entries.value(key(key), version(millis(), version), millis(), LocalFixture.TTL, payload(version));
        return opened().tier().store(entry, WriteCondition.IF_NEWER) instanceof StoreOutcome.Applied;
    }

    /** The version that is held. */
    @Operation
    public int read(@Param(name = "key") int key) {
        if (!(opened().tier().get(key(key)).toCompletableFuture().join() instanceof Lookup.Hit hit)) {
            return MISS;
        }
        int version = hit.entry().payload()[0];
        boolean whole = Arrays.equals(hit.entry().payload(), payload(version))
                && hit.entry().version().equals(version(millis(), version));
        return whole ? version : TORN;
    }

    /** Drops whatever is held. */
    @Operation
    public void drop(@Param(name = "key") int key) {
        opened().tier().drop(key(key));
    }

    /** Whether something older was held. */
    @Operation
    public boolean dropOlder(@Param(name = "key") int key, @Param(name = "version") int version) {
        return opened().tier().dropOlder(key(key), version(millis(), version));
    }

    /** The same calls on a map. */
    public static final class OneAfterTheOther {
        private final Map<Integer, Integer> held = new HashMap<>();

        /** See {@link LinearizableTier#store}. */
        public boolean store(int key, int version) {
            // The same once more changes nothing, and is no conflict.
            boolean newer = version >= held.getOrDefault(key, MISS);
            if (newer) {
                held.put(key, version);
            }
            return newer;
        }

        /** See {@link LinearizableTier#read}. */
        public int read(int key) {
            return held.getOrDefault(key, MISS);
        }

        /** See {@link LinearizableTier#drop}. */
        public void drop(int key) {
            held.remove(key);
        }

        /** See {@link LinearizableTier#dropOlder}. */
        public boolean dropOlder(int key, int version) {
            boolean older = held.containsKey(key) && version > held.get(key);
            if (older) {
                held.remove(key);
            }
            return older;
        }
    }
}
