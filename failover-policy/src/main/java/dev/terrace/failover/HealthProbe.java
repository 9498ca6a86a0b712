package dev.terrace.failover;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.health.HealthCheck;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Tries one part again and again, each try within a deadline, and says what it found. Two tries in a row that failed make a
 * part {@linkplain Signal.State#DOWN down}, two in a row that worked make it up again; after the first that differs, the
 * second follows soon. While the part is down the tries become rarer, up to {@value #RAREST} intervals apart, so what a dead
 * part is asked is bounded: {@code health.<name>.asked} and {@code .failed} count it. What has never worked is given {@link
 * #FIRST_MILLIS} to be reached. Thread-safe; also a {@link HealthCheck},
 * which tells the last verdict and never waits.
 */
public final class HealthProbe extends HealthCheck {
    /** Tries in a row that make a verdict. */
    private static final int ENOUGH = 2;

    /** How long a part may take to be reached for the first time, in milliseconds. Until then asking it costs nothing. */
    public static final long FIRST_MILLIS = 5_000;

    private static final int RAREST = 4;
    private static final int SOONER = 5;

    private final String name;
    private final Supplier<CompletionStage<String>> question;
    private final Timing timing;
    private final BooleanSupplier refuted;
    private final ScheduledExecutorService timer;
    private final LongSupplier millis;
    private final Counter asked;
    private final Counter failed;
    private int inRow;
    private boolean lastWorked;
    private long pauseMillis;
    private final long createdMillis;
    private volatile Signal signal;

    /**
     * When to try.
     *
     * @param interval between two tries
     * @param deadline when a try has failed
     */
    public record Timing(Duration interval, Duration deadline) {}

    /**
     * Does nothing before {@link #start}.
     *
     * @param question tries; completes with an empty text or with what is wrong; must not block
     * @param refuted true when other evidence shows that the part works; a failed try then says nothing
     * @param millis a clock that only moves on
     */
    public HealthProbe(
            String name,
            Supplier<CompletionStage<String>> question,
            Timing timing,
            BooleanSupplier refuted,
            ScheduledExecutorService timer,
            LongSupplier millis,
            MetricRegistry metrics) {
        this.name = name;
        this.question = question;
        this.timing = timing;
        this.refuted = refuted;
        this.timer = timer;
        this.millis = millis;
        this.asked = metrics.counter("health." + name + ".asked");
        this.failed = metrics.counter("health." + name + ".failed");
        this.pauseMillis = timing.interval().toMillis();
        this.createdMillis = millis.getAsLong();
        this.signal = Signal.unknown("not tried yet", createdMillis);
    }

    /** Begins to try, at once. */
    public HealthProbe start() {
        again(0);
        return this;
    }

    /** What was found last. */
    public Signal signal() {
        return signal;
    }

    /** Its name in metrics. */
    public String name() {
        return name;
    }

    private void again(long afterMillis) {
        try {
            timer.schedule(this::ask, afterMillis, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException closing) {
            signal = Signal.unknown("closed", millis.getAsLong());
        }
    }

    private void ask() {
        asked.inc();
        long started = millis.getAsLong();
        CompletableFuture<String> bounded = new CompletableFuture<>();
        try {
            question.get().whenComplete((trouble, bug) -> bounded.complete(bug == null ? trouble : bug.toString()));
        } catch (Throwable e) {
            // Errors too, such as no thread to be had: without an answer nobody would ask again.
            bounded.complete(e.toString());
        }
        long deadline = timing.deadline().toMillis();
        bounded.completeOnTimeout("no answer within " + deadline + " ms", deadline, TimeUnit.MILLISECONDS)
                .thenAccept(trouble -> answered(trouble, millis.getAsLong() - started));
    }

    /** Whatever becomes of the conclusion, the part is tried again. */
    private void answered(String trouble, long tookMillis) {
        long pause = RAREST * timing.interval().toMillis();
        try {
            pause = judge(trouble, tookMillis);
        } finally {
            again(pause);
        }
    }

    /** Draws a conclusion; returns when to try again, in milliseconds. */
    synchronized long judge(String trouble, long tookMillis) {
        long soon = Math.max(1, timing.interval().toMillis() / SOONER);
        if (!trouble.isEmpty() && tookMillis > timing.deadline().toMillis() + GuardedTier.OWN_PAUSE_MILLIS) {
            return soon; // This process stood still: what it missed says nothing of the part.
        }
        boolean worked = trouble.isEmpty();
        if (!worked) {
            failed.inc();
            if (refuted.getAsBoolean()) {
                inRow = 0;
                return timing.interval().toMillis();
            }
        }
        inRow = worked == lastWorked ? inRow + 1 : 1;
        lastWorked = worked;
        boolean first = signal.is(Signal.State.UNKNOWN) && worked;
        if (signal.is(Signal.State.UNKNOWN) && !worked && millis.getAsLong() - createdMillis < FIRST_MILLIS) {
            signal = Signal.unknown(trouble, createdMillis);
            return soon;
        }
        if (inRow < ENOUGH && !first) {
            boolean differs = worked == signal.is(Signal.State.DOWN) || signal.is(Signal.State.UNKNOWN);
            return differs ? soon : timing.interval().toMillis();
        }
        conclude(worked ? Signal.State.UP : Signal.State.DOWN, trouble);
        pauseMillis = worked
                ? timing.interval().toMillis()
                : Math.min(RAREST * timing.interval().toMillis(), pauseMillis + pauseMillis / 2);
        return pauseMillis;
    }

    private void conclude(Signal.State state, String cause) {
        long since = signal.is(state) ? signal.sinceMillis() : millis.getAsLong();
        signal = new Signal(state, cause, since);
    }

    @Override
    protected Result check() {
        Signal now = signal;
        return now.is(Signal.State.DOWN)
                ? Result.unhealthy(now.cause().isEmpty() ? "down" : now.cause().replace("%", "%%"))
                : Result.healthy(now.text().replace("%", "%%"));
    }
}
