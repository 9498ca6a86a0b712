package dev.terrace.benchmarks;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.tier.local.policy.Eviction;
import dev.terrace.tier.local.policy.UseCells;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongPredicate;
import java.util.zip.GZIPInputStream;

/**
 * Hit ratios of L1's eviction policies beside Caffeine's over access traces: every line of a trace is a read of a key that is admitted on
 * a miss, all entries count one. Prints a table in percent and the means.
 *
 * <p>Arguments: {@code FOLDER [NAME=SIZE,SIZE...]...}; a trace is {@code FOLDER/NAME.keys.gz}, one decimal number a line. Without names, the
 * twelve points of the project.
 */
public final class HitRatios {
    private static final int CAFFEINE_RUNS = 3;
    private static final String[] POINTS = {
        "oltp=1000,5000,15000", "orm-busy=500,2000,8000", "corda=512,1000,5000", "multi3=250,500,1000"
    };

    private HitRatios() {}

    /** See the class. */
    public static void main(String[] arguments) throws IOException {
        if (arguments.length == 0) {
            System.err.println("name a folder with NAME.keys.gz files, then NAME=SIZE,SIZE... for each trace");
            System.exit(2);
        }
        Path folder = Path.of(arguments[0]);
        String[] points = arguments.length > 1 ? Arrays.copyOfRange(arguments, 1, arguments.length) : POINTS;
        for (String point : points) {
            Path trace = folder.resolve(point.substring(0, Math.max(0, point.indexOf('='))) + ".keys.gz");
            if (!point.matches("[^=]+=\\d+(,\\d+)*") || !Files.isReadable(trace)) {
                System.err.println(
                        "'" + point + "' is not NAME=SIZE,SIZE..., or " + trace
                                + " is not there; name a folder with the traces, then NAME=SIZE,SIZE... of those that are in it");
                System.exit(2);
            }
        }
        Map<String, Double> sums = new LinkedHashMap<>();
        int rows = 0;
        System.out.printf("%-10s %8s %9s", "trace", "size", "Caffeine");
        for (EvictionPolicy policy : EvictionPolicy.values()) {
            System.out.printf(" %9s", policy.name().toLowerCase(Locale.ROOT));
        }
        System.out.println();
        for (String point : points) {
            String name = point.substring(0, point.indexOf('='));
            long[] keys = read(folder.resolve(name + ".keys.gz"));
            for (String size : point.substring(point.indexOf('=') + 1).split(",", -1)) {
                rows++;
                row(name, Integer.parseInt(size), keys, sums);
            }
        }
        System.out.printf("%-10s %8s", "mean", "");
        for (double sum : sums.values()) {
            System.out.printf(" %9.2f", sum / rows);
        }
        System.out.println();
    }

    private static void row(String name, int size, long[] keys, Map<String, Double> sums) {
        System.out.printf("%-10s %8d", name, size);
        double caffeine = 0;
        for (int run = 0; run < CAFFEINE_RUNS; run++) {
            caffeine += percent(caffeine(size), keys) / CAFFEINE_RUNS;
        }
        print("Caffeine", caffeine, sums);
        for (EvictionPolicy policy : EvictionPolicy.values()) {
            print(policy.name(), percent(terrace(policy, size), keys), sums);
        }
        System.out.println();
    }

    private static void print(String who, double percent, Map<String, Double> sums) {
        sums.merge(who, percent, Double::sum);
        System.out.printf(" %9.2f", percent);
    }

    private static double percent(LongPredicate cache, long[] keys) {
        long hits = 0;
        for (long key : keys) {
            hits += cache.test(key) ? 1 : 0;
        }
        return 100.0 * hits / keys.length;
    }

    private static LongPredicate caffeine(int size) {
        Cache<Long, Boolean> cache =
                Caffeine.newBuilder().maximumSize(size).executor(Runnable::run).build();
        return key -> {
            if (cache.getIfPresent(key) != null) {
                return true;
            }
            cache.put(key, true);
            return false;
        };
    }

    private static LongPredicate terrace(EvictionPolicy policy, int size) {
        // A quarter more than entries, and given by hash, as L1 in memory has them.
        int cells = size + size / 4 + 1;
        Eviction eviction = Eviction.of(policy, byHash(cells), size, slot -> 1, size);
        Map<Long, Integer> slots = new HashMap<>();
        long[] keys = new long[cells];
        boolean[] taken = new boolean[cells];
        int[] reads = {0};
        return key -> {
            Integer slot = slots.get(key);
            if (slot != null) {
                eviction.touched(slot, reads[0]++);
                return true;
            }
            if (slots.size() == size) {
                int victim = eviction.victim(false, null);
                eviction.removed(victim, keys[victim]);
                slots.remove(keys[victim]);
                taken[victim] = false;
            }
            int free = (int) ((key >>> Integer.SIZE) * cells >>> Integer.SIZE);
            while (taken[free]) {
                free = (free + 1) % cells;
            }
            taken[free] = true;
            keys[free] = key;
            slots.put(key, free);
            eviction.admitted(free, key);
            return false;
        };
    }

    private static UseCells byHash(int slots) {
        UseCells cells = UseCells.onHeap(slots);
        return new UseCells() {
            @Override
            public int slots() {
                return cells.slots();
            }

            @Override
            public boolean areByHash() {
                return true;
            }

            @Override
            public long get(int slot) {
                return cells.get(slot);
            }

            @Override
            public void set(int slot, long use) {
                cells.set(slot, use);
            }
        };
    }

    /** The ids of the trace, scattered so that no policy profits from their order. */
    private static long[] read(Path trace) throws IOException {
        try (BufferedReader lines = new BufferedReader(
                new InputStreamReader(new GZIPInputStream(Files.newInputStream(trace)), StandardCharsets.US_ASCII))) {
            return lines.lines()
                    .mapToLong(line -> scattered(Long.parseLong(line)))
                    .toArray();
        }
    }

    /** MurmurHash3's finalizer. */
    private static long scattered(long id) {
        long z = (id ^ id >>> 33) * 0xFF51AFD7ED558CCDL;
        z = (z ^ z >>> 33) * 0xC4CEB9FE1A85EC53L;
        return z ^ z >>> 33;
    }
}
