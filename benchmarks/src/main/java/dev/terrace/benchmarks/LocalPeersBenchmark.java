package dev.terrace.benchmarks;

import java.io.IOException;
import java.util.SplittableRandom;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A million entries in the process, everything resident: reads, and nine reads to one write, of one thread and of two, in {@link
 * LocalContenders every store}. All of it is 144 JVMs; {@code -p} chooses a part.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
// Chronicle is compiled after eight seconds.
@Warmup(iterations = 5, time = 2)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {
            "-Xms4g",
            "-Xmx4g",
            "-Dchronicle.analytics.disable=true",
            "-Dchronicle.announcer.disable=true",
            "-XX:MaxDirectMemorySize=5g"
        })
public class LocalPeersBenchmark extends ChronicleBenchmark {
    private static final int WRITTEN_ONE_IN = 10;

    /** The store and what it holds. */
    @State(Scope.Benchmark)
    public static class Stored {
        @Param
        LocalContenders store;

        @Param("1000000")
        int entries;

        @Param({"1024", "128"})
        int valueBytes;

        @Param({"zipf", "uniform"})
        String keysBy;

        String[] keys;
        int[] sequence;
        byte[] fresh;
        LocalContenders.Store opened;

        @Setup(Level.Trial)
        public void open() throws IOException {
            keys = Workload.keys(entries);
            sequence = keysBy.equals("zipf") ? Workload.zipf(entries, 1) : uniform(entries);
            fresh = Workload.value(valueBytes, -1);
            opened = store.open(entries, valueBytes);
            for (int i = 0; i < entries; i++) {
                opened.put(keys[i], Workload.value(valueBytes, i));
            }
        }

        private static int[] uniform(int entries) {
            return new SplittableRandom(1).ints(Workload.SEQUENCE, 0, entries).toArray();
        }

        @TearDown(Level.Trial)
        public void close() throws IOException {
            opened.close();
        }
    }

    /** Where one thread is in the sequence. */
    @State(Scope.Thread)
    public static class Cursor {
        int next = ThreadLocalRandom.current().nextInt(Workload.SEQUENCE);
        int calls = next;

        String key(Stored stored) {
            return stored.keys[stored.sequence[next++ & Workload.SEQUENCE - 1]];
        }
    }

    private static byte[] read(Stored stored, Cursor cursor) {
        return WarmHits.found(stored.opened.get(cursor.key(stored)));
    }

    private static byte[] mixed(Stored stored, Cursor cursor) {
        if (cursor.calls++ % WRITTEN_ONE_IN == 0) {
            stored.opened.put(cursor.key(stored), stored.fresh);
            return stored.fresh;
        }
        return read(stored, cursor);
    }

    @Benchmark
    @Threads(1)
    public byte[] reads1(Stored stored, Cursor cursor) {
        return read(stored, cursor);
    }

    @Benchmark
    @Threads(2)
    public byte[] reads2(Stored stored, Cursor cursor) {
        return read(stored, cursor);
    }

    @Benchmark
    @Threads(1)
    public byte[] mixed1(Stored stored, Cursor cursor) {
        return mixed(stored, cursor);
    }

    @Benchmark
    @Threads(2)
    public byte[] mixed2(Stored stored, Cursor cursor) {
        return mixed(stored, cursor);
    }
}
