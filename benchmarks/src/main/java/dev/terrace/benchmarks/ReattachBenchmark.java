package dev.terrace.benchmarks;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Persisted;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.local.OffHeapTierProvider;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * How long a restarted node waits for what its L1 had: a process fills an L1 with {@code local_cache.persist}, and ends by itself or is
 * killed; then one process after the other opens it, with the file in the page cache, and says how long it took until all was attached and until
 * the first answer, from its own first line and from the start of the JVM, and what the process had used of all processors by then.
 *
 * <p>Arguments: {@code [ENTRIES [ROUNDS]]}, 1,000,000 and 5 when not given; values of 1 KiB.
 */
public final class ReattachBenchmark {
    private static final String CACHE = "bench";
    private static final int VALUE_BYTES = 1_024;

    /** So that all stay: L1 keeps a part free. */
    private static final long ALLOWED_BYTES_PER_ENTRY = 2_500;

    private final int entries;
    private final Path folder;

    private ReattachBenchmark(int entries, Path folder) {
        this.entries = entries;
        this.folder = folder;
    }

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 3) {
            ReattachBenchmark child = new ReattachBenchmark(Integer.parseInt(arguments[1]), Path.of(arguments[2]));
            switch (arguments[0]) {
                case "fill" -> child.fill();
                case "open" -> child.attach();
                default -> throw new IllegalArgumentException(arguments[0]);
            }
            return;
        }
        int entries = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5;
        try (Scratch scratch = Scratch.make("reattach")) {
            ReattachBenchmark benchmark = new ReattachBenchmark(entries, scratch.path());
            System.out.println(Figures.load());
            benchmark.measure(true, rounds);
            benchmark.measure(false, rounds);
            System.out.println(Figures.load());
        }
    }

    private void measure(boolean killed, int rounds) throws IOException, InterruptedException {
        Process writer = start("fill", ProcessBuilder.Redirect.PIPE);
        try {
            if (writer.getInputStream().read() < 0) {
                throw new IllegalStateException("L1 was not filled");
            }
            if (killed) {
                writer.destroyForcibly();
            } else {
                writer.getOutputStream().close();
            }
            writer.waitFor();
        } finally {
            writer.destroyForcibly();
        }
        System.out.println(killed ? "after kill -9" : "after a clean stop");
        for (int round = 0; round < rounds; round++) {
            if (start("open", ProcessBuilder.Redirect.INHERIT).waitFor() != 0) {
                throw new IllegalStateException("L1 was not attached");
            }
        }
    }

    private Process start(String what, ProcessBuilder.Redirect output) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx1g",
                        "-XX:MaxDirectMemorySize=1g",
                        "-cp",
                        System.getProperty("java.class.path"),
                        ReattachBenchmark.class.getName(),
                        what,
                        Integer.toString(entries),
                        folder.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .redirectOutput(output)
                .start();
    }

    private LocalTier open() {
        LocalCacheSettings settings = LocalCacheSettings.defaults();
        return (LocalTier) new OffHeapTierProvider()
                .open(new TestContext(
                        InstantSource.system(),
                        new LocalCacheSettings(
                                        true,
                                        entries + entries / 10L,
                                        Math.max(64, entries * ALLOWED_BYTES_PER_ENTRY >> 20),
                                        Duration.ofHours(1),
                                        settings.evictionPolicy(),
                                        settings.sweepInterval())
                                .persistedIn(folder)));
    }

    private static CacheKey key(int number) {
        return CacheKey.of(CACHE, String.format("customer:%012d", number));
    }

    /** Fills, says so, and ends when nobody listens any more. */
    private void fill() throws IOException {
        HybridClock clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
        SplittableRandom random = new SplittableRandom(entries);
        try (LocalTier tier = open()) {
            for (int i = 0; i < entries; i++) {
                byte[] payload = new byte[VALUE_BYTES];
                random.nextBytes(payload);
                long now = clock.millis();
                long until = now + TimeUnit.DAYS.toMillis(1);
                Entry entry =
                        new Entry(key(i), EntryKind.VALUE, clock.next(), now, until - 1, until, List.of(), payload);
                if (!(tier.store(entry, WriteCondition.IF_NEWER) instanceof StoreOutcome.Applied)) {
                    throw new IllegalStateException("not stored: " + i);
                }
            }
            System.out.write("\n".getBytes(StandardCharsets.US_ASCII));
            System.out.flush();
            while (System.in.read() >= 0) {
                // Until it is closed.
            }
        }
    }

    private void attach() {
        Figures.processorSeconds();
        long started = System.nanoTime();
        LocalTier tier = open();
        long attached = System.nanoTime();
        double processors = Figures.processorSeconds();
        boolean found = tier.get(key(entries / 2)).toCompletableFuture().join() instanceof Lookup.Hit;
        long answered = System.nanoTime();
        long sinceStart = System.currentTimeMillis()
                - ManagementFactory.getRuntimeMXBean().getStartTime();
        long held = ((Persisted) tier).inherited().entries();
        if (!found || held != entries) {
            throw new IllegalStateException(held + " of " + entries + " entries were there");
        }
        System.out.printf(
                "all attached %,6d ms  first answer %,6d ms  since the start of the JVM %,6d ms  processor time %,6.0f ms%n",
                TimeUnit.NANOSECONDS.toMillis(attached - started),
                TimeUnit.NANOSECONDS.toMillis(answered - started),
                sinceStart,
                processors * 1e3);
        // As a crash would: what it found is the next one's to find.
        Runtime.getRuntime().halt(0);
    }
}
