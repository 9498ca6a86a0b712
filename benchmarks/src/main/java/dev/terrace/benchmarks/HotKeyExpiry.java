package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;

/**
 * What readers of one hot key notice when it ends: 20,000 reads a second of a key that lives for a second, whose loader takes 50 ms. Open
 * loop: a read takes from when it was due, so that stalls count. Prints the percentiles of reads due while a load ran, or within 20 ms of
 * one, beside those of all others; by turns with a refresh at 80 % of the time to live, with stale answers while a load runs, and with
 * neither, where readers wait for the loader.
 *
 * <p>Arguments: {@code RATE SECONDS}. L1 and loader only.
 */
public final class HotKeyExpiry {
    /** One processor is left to the loader: who waits for a processor does not wait for Terrace. */
    private static final int READERS = Math.max(1, Runtime.getRuntime().availableProcessors() - 1);

    private static final Duration ORIGIN = Duration.ofMillis(50);
    private static final long NEAR_NANOS = Duration.ofMillis(20).toNanos();

    private HotKeyExpiry() {}

    /** See the class. */
    public static void main(String[] arguments) throws InterruptedException {
        int rate = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20_000;
        int seconds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 15;
        CachePolicy plain = new CachePolicy(Duration.ofSeconds(1), Duration.ofMinutes(1), null, null);
        Settings defaults = Settings.defaults();
        Settings settings = new Settings(
                defaults.localCache(),
                defaults.distributedCache(),
                defaults.backupStorage(),
                defaults.circuitBreaker(),
                defaults.failover(),
                defaults.loading(),
                defaults.limits(),
                Map.of(
                        "eager", plain.withLoading(LoadingPolicy.INHERIT.withRefresh(false, 80)),
                        "stale",
                                plain.withLoading(
                                        LoadingPolicy.INHERIT.withStaleWhileRevalidate(Duration.ofMinutes(1))),
                        "waiting", plain),
                defaults.classes(),
                defaults.server());
        try (CacheCoordinator coordinator = CacheCoordinator.open(settings)) {
            System.out.println(Figures.load());
            for (String name : new String[] {"eager", "stale", "waiting"}) {
                run(coordinator.cache(name, Codecs.stringKey(), Codecs.string()), name, rate, 3, false);
            }
            for (String name : new String[] {"eager", "stale", "waiting"}) {
                run(coordinator.cache(name, Codecs.stringKey(), Codecs.string()), name, rate, seconds, true);
            }
        }
    }

    /** When a load began and ended. */
    private record Span(long from, long to) {}

    private static void run(Cache<String, String> cache, String name, int rate, int seconds, boolean print)
            throws InterruptedException {
        // The key is there when the readers begin: its first load is none that ends.
        cache.invalidate("hot");
        cache.get("hot", key -> load(new ConcurrentLinkedQueue<>()));
        ConcurrentLinkedQueue<Span> loads = new ConcurrentLinkedQueue<>();
        int each = rate * seconds / READERS;
        long[][] due = new long[READERS][each];
        long[][] took = new long[READERS][each];
        CountDownLatch done = new CountDownLatch(READERS);
        long begin = System.nanoTime() + 100_000_000L;
        long step = 1_000_000_000L * READERS / rate;
        for (int r = 0; r < READERS; r++) {
            int reader = r;
            Thread thread = new Thread(() -> {
                for (int i = 0; i < each; i++) {
                    long at = begin + i * step + reader * step / READERS;
                    Pace.until(at);
                    cache.get("hot", key -> load(loads));
                    due[reader][i] = at;
                    took[reader][i] = Math.max(0, System.nanoTime() - at);
                }
                done.countDown();
            });
            thread.setDaemon(true);
            thread.start();
        }
        done.await();
        if (print) {
            report(name, loads.toArray(new Span[0]), due, took);
        }
    }

    private static String load(ConcurrentLinkedQueue<Span> loads) {
        long from = System.nanoTime();
        Pace.until(from + ORIGIN.toNanos());
        loads.add(new Span(from, System.nanoTime()));
        return "value";
    }

    private static void report(String name, Span[] loads, long[][] due, long[][] took) {
        long[] near = new long[due.length * due[0].length];
        long[] quiet = new long[near.length];
        int nears = 0;
        int quiets = 0;
        for (int r = 0; r < due.length; r++) {
            for (int i = 0; i < due[r].length; i++) {
                if (isNear(loads, due[r][i])) {
                    near[nears++] = took[r][i];
                } else {
                    quiet[quiets++] = took[r][i];
                }
            }
        }
        long[] around = Arrays.copyOf(near, nears);
        long[] others = Arrays.copyOf(quiet, quiets);
        Figures.line(name + ", around " + loads.length + " loads", around);
        Figures.line(name + ", otherwise", others);
        System.out.printf(
                "%-44s p99 around loads / p99 otherwise %.2f%n",
                name, Figures.at(around, 0.99) / Math.max(0.1, Figures.at(others, 0.99)));
    }

    private static boolean isNear(Span[] loads, long at) {
        for (Span load : loads) {
            if (at >= load.from - NEAR_NANOS && at <= load.to + NEAR_NANOS) {
                return true;
            }
        }
        return false;
    }
}
