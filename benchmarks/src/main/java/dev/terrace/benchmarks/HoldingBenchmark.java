package dev.terrace.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.BiConsumer;
import java.util.function.Function;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordingFile;

/**
 * What it costs to hold many entries of 1 KiB under load: memory, pauses of the collector, and how long single calls take. Two threads, zipf
 * 0.99, nine reads to one write, 1 KiB of garbage for each call. Every store runs in a JVM of its own: Terrace's L1 with 1 GiB of heap,
 * Caffeine with 8 GiB for 5,000,000 entries, and at least 1,600 bytes for each.
 *
 * <p>Arguments: {@code [ENTRIES [SECONDS]]}, 5,000,000 and 20 when not given, after half as long to warm up. Takes about 14 GiB at its peak.
 */
public final class HoldingBenchmark {
    private static final String PAUSE = "jdk.GCPhasePause";

    /** Terrace again, its values read into a buffer of each thread. */
    private static final String INTO_A_BUFFER = "into";

    private static final byte[] FOUND = {};

    private static final int VALUE_BYTES = 1024;
    private static final int THREADS = 2;
    private static final int SAMPLED_ONE_IN = 16;
    private static final int MOST_SAMPLES = 1 << 22;

    /** What L1 is allowed for each entry, so that all stay: it keeps a part free, and touches what it needs only. */
    private static final long ALLOWED_BYTES_PER_ENTRY = 2_100;

    private HoldingBenchmark() {}

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 3) {
            measure(arguments[0], Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]));
            return;
        }
        int entries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5_000_000;
        int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20;
        System.out.printf(
                "%-9s %6s %10s %9s %9s %8s %8s %7s %8s %8s %8s %9s %10s%n",
                "store",
                "heap",
                "live MiB",
                "RSS MiB",
                "B/entry",
                "M ops/s",
                "hit %",
                "pauses",
                "longest",
                "share",
                "p99 us",
                "p99.99 us",
                "max us");
        fork("terrace", 1_024, entries, seconds);
        fork(INTO_A_BUFFER, 1_024, entries, seconds);
        fork("caffeine", Math.max(1_024, (int) (entries * 1_600L >> 20)), entries, seconds);
        System.out.println(Figures.load());
    }

    private static void fork(String store, int heapMib, int entries, int seconds) throws Exception {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xms" + heapMib + "m",
                "-Xmx" + heapMib + "m"));
        command.addAll(ChronicleBenchmark.flags());
        command.addAll(List.of(
                "-Dchronicle.analytics.disable=true",
                "-XX:MaxDirectMemorySize=2g",
                "-cp",
                System.getProperty("java.class.path"),
                HoldingBenchmark.class.getName(),
                store,
                Integer.toString(entries),
                Integer.toString(seconds)));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .redirectOutput(ProcessBuilder.Redirect.INHERIT)
                .start();
        if (process.waitFor() != 0) {
            System.out.println(store + " did not get to its end");
        }
    }

    /** A store as this benchmark uses it. */
    private record Store(Function<String, byte[]> get, BiConsumer<String, byte[]> put, Runnable close) {}

    private static Store open(String name, int entries) {
        if (name.equals("caffeine")) {
            var caffeine = Caffeine.newBuilder().maximumSize(entries).<String, byte[]>build();
            return new Store(caffeine::getIfPresent, caffeine::put, () -> {});
        }
        CacheCoordinator coordinator =
                CacheCoordinator.open(WarmHits.settings(entries, entries * ALLOWED_BYTES_PER_ENTRY >> 20));
        Cache<String, byte[]> cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
        if (name.equals(INTO_A_BUFFER)) {
            ThreadLocal<ByteBuffer> buffers = ThreadLocal.withInitial(() -> ByteBuffer.allocate(2 * VALUE_BYTES));
            return new Store(
                    key -> {
                        ByteBuffer buffer = buffers.get().clear();
                        return cache.read(key, buffer) < 0 ? null : FOUND;
                    },
                    cache::put,
                    coordinator::close);
        }
        return new Store(cache::get, cache::put, coordinator::close);
    }

    private static void measure(String name, int entries, int seconds) throws Exception {
        long atFirst = resident();
        Store store = open(name, entries);
        for (int i = 0; i < entries; i++) {
            store.put().accept(key(i), Workload.value(VALUE_BYTES, i));
        }
        int[] sequence = Workload.zipf(entries, 1);
        System.gc();
        long live = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
        run(store, entries, Math.max(5, seconds / 2), sequence); // so that code is compiled before it counts
        Path file = Files.createTempFile("pauses", ".jfr");
        try (Recording events = new Recording()) {
            events.enable(PAUSE).withoutThreshold();
            events.start();
            List<Caller> callers = run(store, entries, seconds, sequence);
            events.stop();
            events.dump(file);
            print(name, entries, seconds, live, resident() - atFirst, callers, pauses(file));
        } finally {
            Files.delete(file);
        }
        store.close().run();
    }

    private static long[] pauses(Path file) throws IOException {
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals(PAUSE))
                .mapToLong(pause -> pause.getDuration().toNanos())
                .sorted()
                .toArray();
    }

    private static List<Caller> run(Store store, int entries, int seconds, int[] sequence) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        List<Caller> callers = new ArrayList<>();
        List<Future<?>> running = new ArrayList<>();
        long end = System.nanoTime() + seconds * 1_000_000_000L;
        for (int i = 0; i < THREADS; i++) {
            Caller caller = new Caller(store, sequence, end, i * (Workload.SEQUENCE / THREADS), entries);
            callers.add(caller);
            running.add(threads.submit(caller));
        }
        for (Future<?> one : running) {
            one.get();
        }
        threads.shutdown();
        return callers;
    }

    /** One thread of callers. */
    private static final class Caller implements Runnable {
        private final Store store;
        private final int[] sequence;
        private final long end;
        private final SplittableRandom random;
        private final long[] samples = new long[MOST_SAMPLES / THREADS];
        private final byte[] value = Workload.value(VALUE_BYTES, 7);
        private int next;
        private int sampled;
        private long calls;
        private long reads;
        private long hits;
        private long longest;
        private byte[] garbage = {};

        Caller(Store store, int[] sequence, long end, int first, int seed) {
            this.store = store;
            this.sequence = sequence;
            this.end = end;
            this.next = first;
            this.random = new SplittableRandom(seed + first);
        }

        @Override
        public void run() {
            long before = System.nanoTime();
            while (before < end) {
                String key = key(sequence[next++ & Workload.SEQUENCE - 1]);
                if (random.nextInt(10) == 0) {
                    store.put().accept(key, value);
                } else {
                    reads++;
                    hits += store.get().apply(key) == null ? 0 : 1;
                }
                garbage = new byte[1024];
                long now = System.nanoTime();
                longest = Math.max(longest, now - before);
                if (calls++ % SAMPLED_ONE_IN == 0 && sampled < samples.length) {
                    samples[sampled++] = now - before;
                }
                before = now;
            }
        }
    }

    private static void print(
            String name, int entries, int seconds, long live, long grown, List<Caller> callers, long[] pauses)
            throws IOException {
        long calls = callers.stream().mapToLong(caller -> caller.calls).sum();
        long reads = callers.stream().mapToLong(caller -> caller.reads).sum();
        long hits = callers.stream().mapToLong(caller -> caller.hits).sum();
        long longest =
                callers.stream().mapToLong(caller -> caller.longest).max().orElse(0);
        if (callers.stream().anyMatch(caller -> caller.garbage.length == 0)) {
            throw new IllegalStateException("a thread has called nothing");
        }
        long[] samples = callers.stream()
                .flatMapToLong(caller -> Arrays.stream(caller.samples, 0, caller.sampled))
                .sorted()
                .toArray();
        System.out.printf(
                "%-9s %5dM %10d %9d %9d %8.2f %8.1f %7d %6.1fms %7.2f%% %8.1f %9.1f %10.0f%n",
                name,
                Runtime.getRuntime().maxMemory() >> 20,
                live >> 20,
                resident() >> 20,
                grown / entries,
                calls / 1e6 / seconds,
                100.0 * hits / reads,
                pauses.length,
                pauses.length == 0 ? 0 : pauses[pauses.length - 1] / 1e6,
                100.0 * Arrays.stream(pauses).sum() / (seconds * 1e9),
                Figures.at(samples, 0.99),
                Figures.at(samples, 0.9999),
                longest / 1e3);
    }

    /** Sixteen characters, made anew each time: an array of keys would be most of the heap. */
    private static String key(int number) {
        char[] key = "key-000000000000".toCharArray();
        for (int at = key.length - 1; number > 0; at--, number /= 10) {
            key[at] = (char) ('0' + number % 10);
        }
        return new String(key);
    }

    private static long resident() throws IOException {
        for (String line : Files.readAllLines(new File("/proc/self/status").toPath())) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        return 0;
    }
}
