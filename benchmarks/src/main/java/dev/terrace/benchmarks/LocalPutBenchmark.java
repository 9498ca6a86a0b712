package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import net.openhft.chronicle.map.ChronicleMap;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Puts of one thread into what is full: Terrace's L1, where each new key makes others go, beside a raw Chronicle Map, where each put replaces what is
 * under its key, because nothing else ever makes room there.
 */
@BenchmarkMode({Mode.Throughput, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(
        value = 1,
        jvmArgsAppend = {WarmHits.HEAP, "-Dchronicle.analytics.disable=true", "-Dchronicle.announcer.disable=true"})
public class LocalPutBenchmark extends ChronicleBenchmark {
    /** About as many as fit. */
    private static final int ENTRIES = 500_000;

    private static final int KINDS = 64;

    /** Which value the next key gets. */
    @State(Scope.Benchmark)
    public static class Values {
        /** Bytes; {@code mixed} is 64 to 8,192, short ones more often. */
        @Param({"1024", "mixed"})
        String size;

        private final byte[][] values = new byte[KINDS][];
        private long meanBytes;
        private long next;

        @Setup(Level.Trial)
        public void make() {
            meanBytes = 0;
            for (int i = 0; i < KINDS; i++) {
                // Each doubling as often as the one before.
                values[i] = Workload.value(size.equals("mixed") ? 64 << i % 8 : Integer.parseInt(size), i);
                meanBytes += values[i].length;
            }
            meanBytes /= KINDS;
        }

        byte[] of(long number) {
            return values[(int) (number * 0x9E3779B97F4A7C15L >>> 58)];
        }
    }

    /** The whole coordinator with L1 only, full. */
    @State(Scope.Benchmark)
    public static class Terrace {
        CacheCoordinator coordinator;
        Cache<String, byte[]> cache;

        @Setup(Level.Trial)
        public void fill(Values values) {
            coordinator = CacheCoordinator.open(
                    WarmHits.settings(2 * ENTRIES, (long) ENTRIES * (values.meanBytes + 256) >> 20));
            cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
            for (int i = 0; i < 2 * ENTRIES; i++) {
                cache.put(key(values.next), values.of(values.next++));
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            coordinator.close();
        }
    }

    /** A bare map of as many entries. */
    @State(Scope.Benchmark)
    public static class Chronicle {
        ChronicleMap<String, byte[]> map;

        @Setup(Level.Trial)
        public void fill(Values values) throws IOException {
            map = ChronicleMap.of(String.class, byte[].class)
                    .entries(ENTRIES)
                    .averageKeySize(16)
                    .averageValueSize(values.meanBytes)
                    .putReturnsNull(true)
                    .maxBloatFactor(4)
                    .create();
            for (int i = 0; i < ENTRIES; i++) {
                map.put(key(i), values.of(i));
            }
        }

        @TearDown(Level.Trial)
        public void close() {
            map.close();
        }
    }

    private static String key(long number) {
        char[] key = "key-000000000000".toCharArray();
        long left = number;
        for (int at = key.length - 1; left > 0; at--, left /= 10) {
            key[at] = (char) ('0' + left % 10);
        }
        return new String(key);
    }

    /** Always another key. */
    @Benchmark
    public Object terrace(Values values, Terrace terrace) {
        long number = values.next++;
        return terrace.cache.put(key(number), values.of(number));
    }

    /** Some key that is there; a size of its own each time, as an entry that replaces an evicted one. */
    @Benchmark
    public Object rawChronicle(Values values, Chronicle chronicle) {
        long number = values.next++;
        return chronicle.map.put(key((number * 0x9E3779B97F4A7C15L >>> 33) % ENTRIES), values.of(number));
    }
}
