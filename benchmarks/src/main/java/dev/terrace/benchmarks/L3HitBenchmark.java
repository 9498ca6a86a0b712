package dev.terrace.benchmarks;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.RocksTierProvider;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Hits of L3 through the coordinator: L1 is on and empty, so each key that is asked for the first time goes through L1, the single flight, L3 and back
 * into L1. One caller, then as many as there are processors.
 *
 * <p>Arguments: documents (1000000), reads (50000).
 */
public final class L3HitBenchmark {
    private static final int WARM = 10_000;

    private L3HitBenchmark() {}

    /** See the class. */
    public static void main(String[] arguments) throws Exception {
        int documents = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000;
        int reads = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 50_000;
        try (Scratch scratch = Scratch.make("l3-hits")) {
            var l3 = BackupFolder.settings(scratch.path(), true);
            try (var tier = new RocksTierProvider().open(new TestContext(InstantSource.system(), l3))) {
                BackupFolder.fill(tier, documents, Documents::document);
            }
            Settings d = Settings.defaults();
            LocalCacheSettings l1 = d.localCache();
            Settings settings = d.withBackupStorage(l3)
                    .withLocalCache(new LocalCacheSettings(
                            true, documents, 512, Duration.ofHours(1), l1.evictionPolicy(), l1.sweepInterval()));
            try (CacheCoordinator coordinator = CacheCoordinator.builder()
                    .settings(settings)
                    .metrics(new MetricRegistry())
                    .build()) {
                Cache<String, byte[]> cache = coordinator.cache(BackupFolder.CACHE, Codecs.stringKey(), Codecs.bytes());
                // Each key once: the second time it would be in L1.
                int[] keys = order(documents);
                read(cache, keys, 0, WARM);
                long[] one = read(cache, keys, WARM, reads);
                Figures.line("hit of L3 through the coordinator, 1 caller", one);
                Targets targets = new Targets();
                targets.atMost("p95 of a hit of L3 through the coordinator, ms", Figures.at(one, 0.95) / 1e3, 1);
                targets.note("p50, ms", Figures.at(one, 0.5) / 1e3);
                targets.note("p99, ms", Figures.at(one, 0.99) / 1e3);
                targets.print("Hits of L3 with " + documents + " documents, encrypted");
            }
        }
    }

    private static int[] order(int documents) {
        int[] keys = new int[documents];
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < documents; i++) {
            int other = random.nextInt(i + 1);
            keys[i] = keys[other];
            keys[other] = i;
        }
        return keys;
    }

    /** Nanoseconds of each. */
    private static long[] read(Cache<String, byte[]> cache, int[] keys, int from, int count) {
        long[] nanos = new long[count];
        for (int i = 0; i < count; i++) {
            String key = new String(BackupFolder.key(keys[from + i]).keyBytes(), StandardCharsets.UTF_8);
            long begin = System.nanoTime();
            byte[] value = cache.get(key);
            nanos[i] = System.nanoTime() - begin;
            if (value == null) {
                throw new IllegalStateException("the benchmark measures hits, this was a miss: " + key);
            }
        }
        Arrays.sort(nanos);
        return nanos;
    }
}
