package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Policies;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.Prolonging.Prolonged;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets values live on that are read, where their class slides: a value that is read is fresh for its whole time to live again. It keeps its
 * version, so that what was to replace it, heard of or not, still does. Thread-safe.
 *
 * <p>L2 is asked first, and L1 follows only if L2 still holds that very version: a copy of something replaced must not live for ever. So
 * while L2 is away nothing slides. A life is lengthened by an eighth more than it must be, and by one reader of a node at a time; so a
 * value that is read all the time costs a small request every eighth of its time to live. L3 keeps the time that was written.
 */
final class Sliding {
    private static final Logger LOG = LoggerFactory.getLogger(Sliding.class);

    /** One part in so many is given on top. */
    private static final int SLACK = 8;

    private static final long SHORTEST_PAUSE_MILLIS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 200;

    /** Lives that are being lengthened at once; what comes beyond that does not slide this time. */
    private static final int MOST = 10_000;

    private final Policies policies;
    private final LocalCopies copies;
    private final Supplier<@Nullable Prolonging> remote;
    private final boolean alone;
    private final HybridClock clock;
    private final ScheduledExecutorService timer;
    private final Counter done;
    private final Counter replaced;
    private final Set<CacheKey> busy = ConcurrentHashMap.newKeySet();

    /**
     * @param remote L2; null when it cannot, or cannot yet
     * @param alone whether there is no L2
     */
    Sliding(
            Policies policies,
            LocalCopies copies,
            Supplier<@Nullable Prolonging> remote,
            boolean alone,
            HybridClock clock,
            ScheduledExecutorService timer,
            MetricRegistry metrics) {
        this.policies = policies;
        this.copies = copies;
        this.remote = remote;
        this.alone = alone;
        this.clock = clock;
        this.timer = timer;
        this.done = metrics.counter("sliding.prolonged");
        this.replaced = metrics.counter("sliding.replaced");
    }

    /** Longest time to live of what slides in {@code cache}; zero when nothing does. What has that much left is never due. */
    long longestMillis(String cache) {
        return policies.allOf(cache).stream()
                .filter(policy -> policy.loading().sliding())
                .mapToLong(policy -> policy.ttl().toMillis())
                .max()
                .orElse(0);
    }

    /**
     * A value was answered as fresh.
     *
     * @param known what was answered; null to look into L1
     */
    void read(CacheKey key, long freshUntilMillis, @Nullable Entry known) {
        Policies.Policy policy = policies.of(key);
        long ttl = policy.ttl().toMillis();
        if (!policy.loading().sliding()
                || freshUntilMillis - clock.millis() >= ttl
                || busy.size() >= MOST
                || !busy.add(key)) {
            return;
        }
        Entry entry = known != null ? known : copies.held(key);
        if (entry == null || !entry.isValue()) {
            busy.remove(key);
            return;
        }
        Entry longer = longer(entry, ttl, policy.staleTtl().toMillis());
        // Composed, so that what throws instead of answering does not keep the key busy for ever.
        CompletableFuture.completedStage(longer)
                .thenCompose(this::prolong)
                .thenAccept(outcome -> settle(longer, outcome))
                .whenComplete((settled, bug) -> {
                    if (bug != null) {
                        LOG.error("a life could not be lengthened cache={}", key.cache(), bug);
                    }
                    rest(key, ttl);
                });
    }

    private void settle(Entry longer, Prolonged outcome) {
        if (outcome == Prolonged.DONE) {
            done.inc();
            copies.prolong(longer);
        } else if (outcome == Prolonged.REPLACED) {
            replaced.inc();
            copies.forget(longer.key());
        }
    }

    private CompletionStage<Prolonged> prolong(Entry longer) {
        if (alone) {
            return CompletableFuture.completedStage(Prolonged.DONE);
        }
        Prolonging to = remote.get();
        return to == null ? CompletableFuture.completedStage(Prolonged.UNAVAILABLE) : to.prolong(longer);
    }

    private Entry longer(Entry entry, long ttl, long staleTtl) {
        long most = entry.tags().isEmpty()
                ? Entry.FOREVER
                // No longer than the markers that may hide it.
                : later(entry.createdMillis(), Markers.TAGGED_LIFE_MILLIS);
        long fresh = Math.min(most, later(clock.millis(), ttl + ttl / SLACK));
        return new Entry(
                entry.key(),
                entry.kind(),
                entry.version(),
                entry.createdMillis(),
                fresh,
                Math.min(most, later(fresh, staleTtl)),
                entry.tags(),
                entry.payload());
    }

    private static long later(long millis, long by) {
        long later = millis + by;
        return later < millis ? Entry.FOREVER : later;
    }

    /** Not again at once, whatever came of it: one that cannot be lengthened would be tried with every read. */
    private void rest(CacheKey key, long ttl) {
        long pause = Math.max(SHORTEST_PAUSE_MILLIS, Math.min(LONGEST_PAUSE_MILLIS, ttl / (2 * SLACK)));
        try {
            timer.schedule(() -> busy.remove(key), pause, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            busy.remove(key);
        }
    }
}
