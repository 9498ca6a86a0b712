package dev.terrace.benchmarks;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.Version;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * How long a notice takes from one node to two others over the log, at a fixed rate, and what publishing costs the caller. Open
 * loop: a notice's time runs from when it was due, not from when it was sent, so that stalls count.
 *
 * <p>Arguments: notices per second, seconds. Starts a Redis of its own on loopback.
 */
public final class LogDelivery {
    private LogDelivery() {}

    /** See the class. */
    public static void main(String[] arguments) throws InterruptedException {
        int rate = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 10_000;
        int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20;
        try (RedisProcess redis = RedisProcess.start()) {
            measure(redis.port(), rate, 5, false);
            measure(redis.port(), rate, seconds, true);
        }
    }

    private static Backplane open(int port) {
        DistributedCacheSettings settings = DistributedCacheSettings.defaults()
                .at(Topology.STANDALONE, new HostAndPort("127.0.0.1", port))
                .withKeyPrefix("bench");
        TierContext context = new TestContext(InstantSource.system(), settings);
        return ServiceLoader.load(BackplaneProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(provider -> provider.name().equals("redis"))
                .findFirst()
                .orElseThrow()
                .open("", context);
    }

    private static void measure(int port, int rate, int seconds, boolean print) throws InterruptedException {
        int count = rate * seconds;
        long[] due = new long[count];
        long[] cost = new long[count];
        long[] one = new long[count];
        long[] two = new long[count];
        AtomicInteger heard = new AtomicInteger();
        AtomicLongArray known = new AtomicLongArray(2);
        AtomicInteger gaps = new AtomicInteger();
        try (Backplane writer = open(port);
                Backplane first = open(port);
                Backplane second = open(port)) {
            writer.start(1, listener(new long[count], due, new AtomicInteger(), gaps));
            first.start(2, listener(one, due, heard, gaps));
            second.start(3, listener(two, due, heard, gaps));
            // They begin to listen in the background.
            Pace.rest(Duration.ofMillis(500));
            long begin = System.nanoTime() + 100_000_000L;
            long step = 1_000_000_000L / rate;
            for (int i = 0; i < count; i++) {
                due[i] = begin + i * step;
                Pace.until(due[i]);
                long before = System.nanoTime();
                writer.publish(List.of(
                                new Notice.Changed(1, CacheKey.of("bench", "key-" + i), new Version(i, 1), false)))
                        .thenAccept(at -> known.incrementAndGet(at == Backplane.NOT_KNOWN ? 1 : 0));
                cost[i] = System.nanoTime() - before;
            }
            Pace.await(() -> heard.get() >= 2 * count, Duration.ofSeconds(10));
        }
        if (print) {
            System.out.printf(
                    "notices %,d at %,d/s, heard %,d, not known %,d, gaps %d%n",
                    count, rate, heard.get(), known.get(1), gaps.get());
            line("publish call (us)", cost);
            line("delivery, node 2 (us)", one);
            line("delivery, node 3 (us)", two);
        }
    }

    private static void line(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf(
                "%-22s p50 %.1f  p99 %.1f  p99.9 %.1f  max %.1f%n",
                what, at(nanos, 0.5), at(nanos, 0.99), at(nanos, 0.999), nanos[nanos.length - 1] / 1e3);
    }

    private static double at(long[] sorted, double share) {
        return sorted[(int) Math.min(sorted.length - 1, Math.round(share * sorted.length))] / 1e3;
    }

    private static BackplaneListener listener(long[] took, long[] due, AtomicInteger heard, AtomicInteger gaps) {
        return new BackplaneListener() {
            @Override
            public void heard(List<Notice> notices, long position) {
                long now = System.nanoTime();
                for (Notice notice : notices) {
                    int i = (int) ((Notice.Changed) notice).version().clock();
                    took[i] = now - due[i];
                }
                heard.addAndGet(notices.size());
            }

            @Override
            public void gap(String why) {
                gaps.incrementAndGet();
            }
        };
    }
}
