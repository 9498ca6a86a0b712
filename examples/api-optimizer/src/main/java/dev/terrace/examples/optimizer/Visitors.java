package dev.terrace.examples.optimizer;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.UnavailableException;
import dev.terrace.testkit.Zipf;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** People who look at rates, most of them at the same few, and now and then change what they watch. Thread-safe. */
final class Visitors implements AutoCloseable {
    private static final int PAIRS = 200;
    private static final double SKEW = 1.1;
    private static final int THREADS = 8;
    private static final int READS_PER_WRITE = 20;

    private final Rates rates;
    private final int readsPerSecond;
    private final Zipf popularity = new Zipf(PAIRS, SKEW);
    private final ScheduledExecutorService threads = Executors.newScheduledThreadPool(THREADS);
    private final Timer reads;
    private final Counter failed;
    private final Counter stale;
    private final Counter writes;
    private final Counter refused;
    private volatile String lastFailure = "";

    Visitors(Rates rates, int readsPerSecond, MetricRegistry metrics) {
        this.rates = rates;
        this.readsPerSecond = readsPerSecond;
        this.reads = metrics.timer("visitors.reads");
        this.failed = metrics.counter("visitors.reads.failed");
        this.stale = metrics.counter("visitors.reads.stale");
        this.writes = metrics.counter("visitors.writes");
        this.refused = metrics.counter("visitors.writes.refused");
    }

    private static String pair(int rank) {
        return "EUR-" + rank;
    }

    /** Somebody's first look at every pair. */
    void warmUp() throws InterruptedException {
        List<Callable<Void>> looks = new ArrayList<>();
        for (int rank = 0; rank < PAIRS; rank++) {
            String pair = pair(rank);
            looks.add(() -> {
                rates.rate(pair);
                return null;
            });
        }
        for (Future<Void> look : threads.invokeAll(looks)) {
            try {
                look.get();
            } catch (ExecutionException e) {
                // Somebody broke it already; people look again later.
                lastFailure = String.valueOf(e.getCause());
            }
        }
    }

    void start() {
        long periodMicros = TimeUnit.SECONDS.toMicros(THREADS) / readsPerSecond;
        for (int i = 0; i < THREADS; i++) {
            SplittableRandom random = new SplittableRandom(i);
            threads.scheduleAtFixedRate(() -> visit(random), 0, periodMicros, TimeUnit.MICROSECONDS);
        }
    }

    private void visit(SplittableRandom random) {
        String pair = pair(popularity.rank(random));
        try (Timer.Context ignored = reads.time()) {
            ReadResult<Rates.Rate> rate = rates.rate(pair);
            if (rate.freshness() == Freshness.STALE) {
                stale.inc();
            }
        } catch (RuntimeException e) {
            failed.inc();
            lastFailure = e.toString();
        }
        if (random.nextInt(READS_PER_WRITE) == 0) {
            try {
                rates.watch("user-" + random.nextInt(100), pair);
                writes.inc();
            } catch (UnavailableException e) {
                // What READ_ONLY and DIRECT say to a write: nothing was changed, try later.
                refused.inc();
            } catch (RuntimeException e) {
                failed.inc();
                lastFailure = e.toString();
            }
        }
    }

    Timer reads() {
        return reads;
    }

    long failed() {
        return failed.getCount();
    }

    long stale() {
        return stale.getCount();
    }

    long writes() {
        return writes.getCount();
    }

    long refused() {
        return refused.getCount();
    }

    String lastFailure() {
        return lastFailure;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
