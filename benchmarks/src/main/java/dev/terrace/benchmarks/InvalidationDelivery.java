package dev.terrace.benchmarks;

import com.sun.management.OperatingSystemMXBean;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisProcess;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How long an invalidation on one node takes until the copies in the L1 of two others are gone, whole coordinators over one
 * Redis; and what a put costs with and without a backplane, by turns in one run. Open loop: the time of an invalidation
 * runs from when it was due, not from when it was sent, so that stalls count.
 *
 * <p>Arguments: {@code delivery RATE SECONDS}, {@code cost SECONDS}. Starts a Redis of its own on loopback.
 */
public final class InvalidationDelivery {
    private static final int ROUNDS = 5;
    private static final int AT_ONCE = 64;
    private static final int KEYS = 10_000;

    private InvalidationDelivery() {}

    /** See the class. */
    public static void main(String[] arguments) throws InterruptedException {
        System.setProperty("chronicle.analytics.disable", "true");
        System.setProperty("chronicle.announcer.disable", "true");
        try (RedisProcess redis =
                RedisProcess.start(RedisProcess.preferredBinary("InvalidationDelivery"), RedisProcess.freePort())) {
            Fleet fleet = new Fleet(redis.port());
            if (arguments.length > 0 && arguments[0].equals("cost")) {
                cost(fleet, arguments.length > 1 ? Integer.parseInt(arguments[1]) : 5);
            } else {
                delivery(
                        fleet,
                        arguments.length > 1 ? Integer.parseInt(arguments[1]) : 10_000,
                        arguments.length > 2 ? Integer.parseInt(arguments[2]) : 10);
            }
        }
        System.exit(0); // Redisson's threads need not end in order
    }

    /** When each key of a round was dropped at one node. */
    private static final class Drops {
        private volatile long[] at = new long[0];
        private final AtomicInteger count = new AtomicInteger();

        void begin(int keys) {
            count.set(0);
            at = new long[keys];
        }

        void dropped(CacheKey key) {
            long now = System.nanoTime();
            long[] times = at;
            String text = new String(key.keyBytes(), StandardCharsets.UTF_8);
            int i = Integer.parseInt(text.substring(text.indexOf('-') + 1));
            if (i < times.length && times[i] == 0) {
                times[i] = now;
                count.incrementAndGet();
            }
        }
    }

    private static void delivery(Fleet fleet, int rate, int seconds) throws InterruptedException {
        Drops first = new Drops();
        Drops second = new Drops();
        try (Fleet.Node writer = fleet.join(1, true, key -> {});
                Fleet.Node one = fleet.join(2, true, first::dropped);
                Fleet.Node two = fleet.join(3, true, second::dropped)) {
            round(writer, List.of(one, two), List.of(first, second), rate / 2, 5, false);
            round(writer, List.of(one, two), List.of(first, second), rate, 5, false);
            for (int i = 0; i < ROUNDS; i++) {
                round(writer, List.of(one, two), List.of(first, second), rate, seconds, true);
            }
        }
    }

    private static void round(
            Fleet.Node writer, List<Fleet.Node> readers, List<Drops> drops, int rate, int seconds, boolean print)
            throws InterruptedException {
        int count = rate * seconds;
        for (int r = 0; r < readers.size(); r++) {
            fill(readers.get(r), count);
            drops.get(r).begin(count);
        }
        Pace.rest(Duration.ofSeconds(1));
        long[] due = new long[count];
        long[] acknowledged = new long[count];
        AtomicInteger answered = new AtomicInteger();
        AtomicInteger unannounced = new AtomicInteger();
        Figures.Usage before = Figures.usage();
        long begin = System.nanoTime() + 100_000_000L;
        long step = 1_000_000_000L / rate;
        for (int i = 0; i < count; i++) {
            int n = i;
            due[i] = begin + i * step;
            Pace.until(due[i]);
            writer.cache().async().invalidate("key-" + i).whenComplete((receipt, failure) -> {
                acknowledged[n] = System.nanoTime();
                answered.incrementAndGet();
                if (failure != null || !receipt.announced()) {
                    unannounced.incrementAndGet();
                }
            });
        }
        long sent = System.nanoTime();
        Pace.await(
                () -> answered.get() == count && drops.stream().allMatch(each -> each.count.get() == count),
                Duration.ofSeconds(10));
        if (!print) {
            return;
        }
        System.out.printf(
                "invalidations %,d at %,d/s (sent at %,.0f/s), dropped %,d and %,d, not announced %d; %s, busy %.2f%n",
                count,
                rate,
                count / ((sent - begin) / 1e9),
                drops.get(0).count.get(),
                drops.get(1).count.get(),
                unannounced.get(),
                Figures.load(),
                Figures.usage().busySince(before));
        Figures.line("from due to acknowledged", since(acknowledged, due));
        for (int r = 0; r < drops.size(); r++) {
            Figures.line("from due to gone from L1 of node " + (r + 2), since(drops.get(r).at, due));
            Figures.line("  of which after the acknowledgement", since(drops.get(r).at, acknowledged));
        }
    }

    private static long[] since(long[] end, long[] begin) {
        long[] took = new long[end.length];
        for (int i = 0; i < took.length; i++) {
            took[i] = end[i] == 0 ? Long.MAX_VALUE / 2 : Math.max(0, end[i] - begin[i]);
        }
        return took;
    }

    private static void fill(Fleet.Node node, int count) {
        long now = System.currentTimeMillis();
        byte[] value = Workload.value(100, 1);
        for (int i = 0; i < count; i++) {
            node.local()
                    .store(
                            new Entry(
                                    CacheKey.of("bench", "key-" + i),
                                    EntryKind.VALUE,
                                    Version.of(now - 1_000, 0, 9),
                                    now,
                                    now + 3_600_000,
                                    now + 3_600_000,
                                    List.of(),
                                    value),
                            WriteCondition.IF_NEWER);
        }
    }

    private static void cost(Fleet fleet, int seconds) throws InterruptedException {
        double[][] rates = new double[2][ROUNDS];
        double[][] cpu = new double[2][ROUNDS];
        double[][] alone = new double[2][ROUNDS];
        double[][] caller = new double[2][ROUNDS];
        try (Fleet.Node plain = fleet.join(1, false, key -> {});
                Fleet.Node telling = fleet.join(2, true, key -> {})) {
            for (int round = -1; round < ROUNDS; round++) {
                for (int which = 0; which < 2; which++) {
                    Fleet.Node node = which == 0 ? plain : telling;
                    Puts many = many(node, seconds);
                    Puts one = one(node, seconds);
                    if (round >= 0) {
                        rates[which][round] = many.perSecond;
                        cpu[which][round] = many.cpuMicros;
                        alone[which][round] = one.medianMicros;
                        caller[which][round] = one.cpuMicros;
                    }
                }
            }
        }
        System.out.println(Figures.load());
        System.out.printf("puts of %d bytes, median of %d rounds by turns%n", Fleet.VALUE_BYTES, ROUNDS);
        compare("64 at once, puts/s", rates);
        compare("64 at once, processor us of this process per put", cpu);
        compare("one caller, p50 us", alone);
        compare("one caller, processor us of this process per put", caller);
    }

    private static void compare(String what, double[][] both) {
        for (double[] each : both) {
            Arrays.sort(each);
        }
        double without = both[0][ROUNDS / 2];
        double with = both[1][ROUNDS / 2];
        System.out.printf("%-52s without %,10.1f  with %,10.1f  ratio %.3f%n", what, without, with, with / without);
    }

    private record Puts(double perSecond, double medianMicros, double cpuMicros) {}

    private static long cpuNanos() {
        return ((OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean()).getProcessCpuTime();
    }

    private static Puts many(Fleet.Node node, int seconds) throws InterruptedException {
        byte[] value = Workload.value(Fleet.VALUE_BYTES, 2);
        String[] keys = Workload.keys(KEYS);
        Semaphore free = new Semaphore(AT_ONCE);
        AtomicLong done = new AtomicLong();
        long cpu = cpuNanos();
        long begin = System.nanoTime();
        for (int i = 0; System.nanoTime() - begin < seconds * 1_000_000_000L; i++) {
            free.acquire();
            node.cache().async().put(keys[i % KEYS], value).whenComplete((receipt, failure) -> {
                done.incrementAndGet();
                free.release();
            });
        }
        free.acquire(AT_ONCE);
        long took = System.nanoTime() - begin;
        return new Puts(done.get() / (took / 1e9), 0, (cpuNanos() - cpu) / 1e3 / done.get());
    }

    private static Puts one(Fleet.Node node, int seconds) {
        byte[] value = Workload.value(Fleet.VALUE_BYTES, 3);
        String[] keys = Workload.keys(KEYS);
        long[] took = new long[2_000_000];
        int n = 0;
        long cpu = cpuNanos();
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < seconds * 1_000_000_000L && n < took.length) {
            long before = System.nanoTime();
            node.cache().put(keys[n % KEYS], value);
            took[n++] = System.nanoTime() - before;
        }
        long used = cpuNanos() - cpu;
        long[] sorted = Arrays.copyOf(took, n);
        Arrays.sort(sorted);
        return new Puts(n / ((System.nanoTime() - begin) / 1e9), Figures.at(sorted, 0.5), used / 1e3 / n);
    }
}
