package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.OriginSettings;
import dev.terrace.failover.Admission.Limit;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the calls of one origin within what it can take: so many at once, fixed or found out; so many a second; and none for a
 * while after it failed. What cannot go at once and would wait too long is refused at once. Thread-safe; never blocks.
 *
 * <p>A background load never waits, takes no more than three quarters of the places and tokens, and none while a foreground load
 * waits: so it is refused before any foreground load is. A load that has waited as long as it may is told so then, and not when a
 * place is free, which may be never.
 *
 * <p>Places are counted here and not by a semaphore each for bulkhead and adaptive limit, because both bound the same number, which
 * must be taken and handed on in one step.
 */
public final class OriginLimits {
    /** The adaptive limit stays below, where no other limit is set. */
    static final int MOST_ADAPTIVE = 256;

    /** Bounds the memory of those who wait; what is expected to wait too long is refused long before. */
    static final int MOST_WAITING = 10_000;

    private static final long FIRST_GUESS_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    private final String name;
    private final OriginSettings settings;
    private final LongSupplier nanos;
    private final Alarm alarm;
    private final OriginMutant mutant;
    private final OriginBreaker breaker;
    private final @Nullable AdaptiveLimit adaptive;
    private final TokenBucket tokens;
    private final Map<Limit, Counter> refused = new EnumMap<>(Limit.class);

    // Guarded by this.
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private int underWay;
    private boolean handing;
    private boolean alarmed;
    private double lastingNanos = FIRST_GUESS_NANOS;

    private record Waiting(CompletableFuture<Admission> admission, BooleanSupplier wanted, long sinceNanos) {}

    /**
     * Where an origin stands.
     *
     * @param underWay calls
     * @param limit most of them at once; {@link Integer#MAX_VALUE} for any number
     * @param waiting loads that wait for their turn
     * @param breaker {@code closed}, {@code open}, {@code half_open} or {@code disabled}
     */
    public record Status(int underWay, int limit, int waiting, String breaker) {}

    /** Wakes those who have waited for too long. */
    public interface Alarm {
        /** Runs {@code task} after {@code nanos}, soon after at the latest; must not run it at once. */
        void after(long nanos, Runnable task);
    }

    /**
     * Nothing under way.
     *
     * @param name the origin's, in metrics {@code origin.NAME.*} and in what refusals say
     * @param nanos a clock that only moves on
     * @param alarm runs by the same clock
     */
    public OriginLimits(String name, OriginSettings settings, LongSupplier nanos, Alarm alarm, MetricRegistry metrics) {
        this(name, settings, nanos, alarm, metrics, OriginMutant.NONE);
    }

    OriginLimits(
            String name,
            OriginSettings settings,
            LongSupplier nanos,
            Alarm alarm,
            MetricRegistry metrics,
            OriginMutant mutant) {
        this.name = name;
        this.alarm = alarm;
        this.mutant = mutant;
        this.settings = settings;
        this.nanos = nanos;
        this.breaker = new OriginBreaker(name, settings.breaker(), nanos, mutant);
        this.tokens = new TokenBucket(nanos);
        this.adaptive = settings.adaptive()
                ? new AdaptiveLimit(settings.maxConcurrent() > 0 ? settings.maxConcurrent() : MOST_ADAPTIVE, mutant)
                : null;
        String prefix = "origin." + name + ".";
        for (Limit limit : Limit.values()) {
            refused.put(
                    limit, metrics.counter(prefix + "refused." + limit.name().toLowerCase(Locale.ROOT)));
        }
        gauge(metrics, prefix + "under_way", () -> status().underWay());
        gauge(metrics, prefix + "waiting", () -> status().waiting());
        gauge(metrics, prefix + "limit", () -> status().limit());
        gauge(metrics, prefix + "breaker", breaker::state);
    }

    private static <T> void gauge(MetricRegistry metrics, String name, Gauge<T> gauge) {
        metrics.remove(name);
        metrics.register(name, gauge);
    }

    /** Where it stands. */
    public synchronized Status status() {
        return new Status(underWay, limit(), queue.size(), breaker.state());
    }

    /** Its name. */
    public String name() {
        return name;
    }

    /**
     * Why nothing is let through now: it is broken, or it is full and nobody may wait. Null when that is not so. For those who
     * would do much before they ask.
     */
    public Admission.@Nullable Refusal refusedNow() {
        if (breaker.isOpen()) {
            return broken();
        }
        synchronized (this) {
            int limit = limit();
            return underWay < limit || longestWait() > 0 ? null : full(limit, expectedNanos(limit));
        }
    }

    /** What is under way ends one after the other, so many of them at a time. */
    private long expectedNanos(int limit) {
        return (long) (lastingNanos * (queue.size() + 1) / limit);
    }

    /** True while its breaker lets nothing through. */
    public boolean isBroken() {
        return breaker.isOpen();
    }

    /** The settings. */
    public OriginSettings settings() {
        return settings;
    }

    private int limit() {
        if (adaptive != null) {
            return adaptive.get();
        }
        return settings.maxConcurrent() > 0 ? settings.maxConcurrent() : Integer.MAX_VALUE;
    }

    /**
     * Asks whether a load may go to the origin. The stage completes normally; at once unless the load has to wait.
     *
     * @param wanted whether anybody still wants the load when it has waited
     */
    public CompletionStage<Admission> admit(LoadPriority priority, BooleanSupplier wanted) {
        if (breaker.isOpen()) {
            return CompletableFuture.completedStage(broken());
        }
        synchronized (this) {
            int limit = limit();
            boolean background = priority == LoadPriority.BACKGROUND && mutant != OriginMutant.BACKGROUND_FIRST;
            if (underWay < (background ? share(limit) : limit) && queue.isEmpty()) {
                underWay++;
            } else {
                long expected = expectedNanos(limit);
                if (background || expected > longestWait() || queue.size() >= MOST_WAITING) {
                    return CompletableFuture.completedStage(full(limit, expected));
                }
                CompletableFuture<Admission> waiting = new CompletableFuture<>();
                queue.add(new Waiting(waiting, wanted, nanos.getAsLong()));
                setAlarm();
                return waiting;
            }
        }
        Admission admission = begin(priority);
        if (admission instanceof Admission.Refusal) {
            // Somebody may have come to wait meanwhile.
            handOn();
        }
        return CompletableFuture.completedStage(admission);
    }

    /** For who waits longest; under the lock. */
    private void setAlarm() {
        Waiting first = queue.peek();
        if (first != null && !alarmed && longestWait() < Long.MAX_VALUE) {
            alarmed = true;
            alarm.after(Math.max(1, first.sinceNanos() + longestWait() - nanos.getAsLong()), this::refuseOverdue);
        }
    }

    private void refuseOverdue() {
        List<Waiting> overdue = new ArrayList<>();
        synchronized (this) {
            alarmed = false;
            long now = nanos.getAsLong();
            for (Waiting first = queue.peek();
                    first != null && now - first.sinceNanos() >= longestWait();
                    first = queue.peek()) {
                overdue.add(queue.remove());
            }
            setAlarm();
        }
        overdue.forEach(one -> one.admission().complete(full(status().limit(), longestWait())));
    }

    private long longestWait() {
        return mutant == OriginMutant.WAITS_WITHOUT_END
                ? Long.MAX_VALUE
                : settings.maxWait().toNanos();
    }

    private static int share(int of) {
        return Math.max(1, of - of / 4);
    }

    /** For a load that has a place, which it loses when it is refused. */
    private Admission begin(LoadPriority priority) {
        if (!breaker.tryEnter()) {
            giveBack();
            return broken();
        }
        if (settings.ratePerSecond() > 0) {
            int kept = priority == LoadPriority.BACKGROUND ? settings.burst() / 4 : 0;
            Duration wait = tokens.take(settings.ratePerSecond(), settings.burst(), kept);
            if (!wait.isZero()) {
                breaker.leaveUnused();
                if (mutant != OriginMutant.PLACE_KEPT) {
                    giveBack();
                }
                return refusal(
                        Limit.RATE, "takes " + settings.ratePerSecond() + " calls a second from this node", wait);
            }
        }
        return new Started();
    }

    private Admission.Refusal broken() {
        Duration left = breaker.left();
        return refusal(
                Limit.BREAKER,
                "failed too often or was too slow, and is left alone",
                left.isZero() ? Duration.ofMillis(100) : left);
    }

    private Admission.Refusal full(int limit, long expectedNanos) {
        return refusal(
                Limit.CONCURRENCY,
                "has " + limit + " calls under way, which is " + (adaptive != null ? "what it can take" : "its limit"),
                Duration.ofNanos(Math.max(expectedNanos, TimeUnit.MILLISECONDS.toNanos(10))));
    }

    private Admission.Refusal refusal(Limit limit, String why, Duration retryAfter) {
        Counter counter = refused.get(limit);
        if (counter != null) {
            counter.inc();
        }
        return new Admission.Refusal(limit, "origin '" + name + "' " + why, retryAfter);
    }

    /** Counts a load that was refused by the limit that all nodes share, which is kept elsewhere. */
    public Admission.Refusal refusedByFleet(Duration retryAfter) {
        return refusal(
                Limit.FLEET_RATE,
                "takes " + settings.fleetRatePerSecond() + " calls a second from all nodes",
                retryAfter);
    }

    private synchronized void giveBack() {
        underWay--;
    }

    private void leave() {
        giveBack();
        handOn();
    }

    /** Hands free places on to those who wait. Not from within itself, however many are refused or end at once. */
    private void handOn() {
        for (Waiting next = next(); next != null; next = next()) {
            try {
                next.admission().complete(served(next));
            } finally {
                synchronized (this) {
                    handing = false;
                }
            }
        }
    }

    private Admission served(Waiting waiting) {
        long waited = nanos.getAsLong() - waiting.sinceNanos();
        if (waiting.wanted().getAsBoolean() && waited <= longestWait()) {
            return begin(LoadPriority.FOREGROUND);
        }
        giveBack();
        return full(status().limit(), waited);
    }

    /** Who has waited longest and has a place now; null when nobody has, or somebody is handing on already. */
    private synchronized @Nullable Waiting next() {
        if (handing || queue.isEmpty() || underWay >= limit()) {
            return null;
        }
        handing = true;
        underWay++;
        return queue.poll();
    }

    /** A load at the origin. */
    private final class Started implements Admission.Pass {
        private final long startedAt = nanos.getAsLong();
        private final AtomicBoolean over = new AtomicBoolean();

        /** Whether the breaker knows what became of it. */
        private final AtomicBoolean judged = new AtomicBoolean();

        @Override
        public void succeeded() {
            if (over.compareAndSet(false, true)) {
                long lasted = measured(false);
                if (judged.compareAndSet(false, true)) {
                    breaker.succeeded(lasted);
                }
                leave();
            }
        }

        @Override
        public void failed(int key) {
            if (over.compareAndSet(false, true)) {
                long lasted = nanos.getAsLong() - startedAt;
                if (lasted >= settings.breaker().timeout().toNanos()) {
                    measured(true);
                }
                if (judged.compareAndSet(false, true)) {
                    breaker.failed(key, lasted);
                }
                leave();
            }
        }

        @Override
        public void givenUp(int key) {
            if (judged.compareAndSet(false, true)) {
                breaker.failed(key, nanos.getAsLong() - startedAt);
            }
        }

        @Override
        public void unused() {
            if (over.compareAndSet(false, true)) {
                if (judged.compareAndSet(false, true)) {
                    breaker.leaveUnused();
                }
                leave();
            }
        }

        private long measured(boolean givenUp) {
            long lasted = nanos.getAsLong() - startedAt;
            synchronized (OriginLimits.this) {
                lastingNanos += (lasted - lastingNanos) / 10;
                if (adaptive != null) {
                    adaptive.lasted(startedAt, lasted, underWay, givenUp);
                }
            }
            return lasted;
        }
    }
}
