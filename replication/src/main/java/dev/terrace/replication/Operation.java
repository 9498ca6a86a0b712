package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Replica;
import dev.terrace.spi.StoreOutcome;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One operation on one key over its zones: a state machine that steps when a zone answers. Steps exclude each other; what they
 * want done outside (calls, completing the result) runs after the step, without the lock. Every call of a zone ends by
 * itself, so an operation needs no timer of its own.
 */
abstract class Operation<R> {
    private static final Logger LOG = LoggerFactory.getLogger(Operation.class);
    private static final long SHORTEST_PAUSE_MILLIS = 2;

    final Context context;
    final CacheKey key;
    final List<Replica> zones;
    final int majority;
    private final CompletableFuture<R> result = new CompletableFuture<>();
    private final Queue<Runnable> afterStep = new ArrayDeque<>();
    final long startedNanos;
    private final AtomicLong firstAckNanos = new AtomicLong();
    private boolean over;
    private int pauses;

    Operation(Context context, CacheKey key) {
        this(context, key, context.timing().nanos());
    }

    /**
     * @param startedNanos when the operation of which this is a part began
     */
    Operation(Context context, CacheKey key, long startedNanos) {
        this(context, key, startedNanos, context.placement().holders(key));
    }

    /**
     * @param startedNanos when the operation of which this is a part began
     * @param holders whom to ask, and how many must agree
     */
    Operation(Context context, CacheKey key, long startedNanos, Placement.Holders holders) {
        this.context = context;
        this.key = key;
        this.zones = holders.zones();
        this.majority = holders.required();
        this.startedNanos = startedNanos;
    }

    CompletionStage<R> result() {
        return result;
    }

    /** Runs one step. */
    final void step(Runnable step) {
        Runnable next;
        synchronized (this) {
            try {
                step.run();
            } catch (RuntimeException e) {
                // What callers hand in may fail; nobody may wait forever for that.
                over = true;
                later(() -> result.completeExceptionally(e));
            }
            next = afterStep.poll();
        }
        while (next != null) {
            next.run();
            synchronized (this) {
                next = afterStep.poll();
            }
        }
    }

    /** Has something done when this step is over. */
    final void later(Runnable action) {
        afterStep.add(action);
    }

    /** Ends the operation, unless it has ended. */
    final void finish(R outcome) {
        if (!over) {
            over = true;
            later(() -> result.complete(outcome));
        }
    }

    final boolean isOver() {
        return over;
    }

    /** True once acknowledgements may not be believed any more; see the rule of one deadline in the ADR. */
    final boolean isLate() {
        return context.timing().nanos() - startedNanos > TimeUnit.MILLISECONDS.toNanos(context.deadlineMillis());
    }

    /** Asks one zone, after this step; the answer is a step. */
    final <T> void ask(
            int zone,
            Function<Replica, CompletionStage<T>> question,
            Consumer<T> answered,
            Function<Throwable, T> bug) {
        later(() -> {
            CompletionStage<T> asked;
            try {
                asked = question.apply(zones.get(zone));
            } catch (RuntimeException e) {
                asked = CompletableFuture.failedStage(e);
            }
            asked.whenComplete((answer, failure) -> {
                if (failure != null) {
                    LOG.error(
                            "zone failed instead of answering zone={}",
                            zones.get(zone).zone(),
                            failure);
                }
                T told = failure == null ? answer : bug.apply(failure);
                context.heard(zones.get(zone), told);
                if (told instanceof StoreOutcome.Applied) {
                    acknowledged(zones.get(zone));
                }
                step(() -> answered.accept(told));
            });
        });
    }

    /** Notes how far behind the first zone this one is. */
    private void acknowledged(Replica zone) {
        long now = context.timing().nanos();
        firstAckNanos.compareAndSet(0, now);
        context.answering().of(zone).lagged((now - firstAckNanos.get()) / 1e6);
    }

    /** Runs {@code step} again a little later, longer every time; different nodes must not stay in step. */
    final void pause(Runnable step) {
        long most = SHORTEST_PAUSE_MILLIS << Math.min(pauses++, 6);
        long mixed = (startedNanos ^ context.clock().node() * 0x9E3779B97F4A7C15L) * 0xBF58476D1CE4E5B9L + pauses;
        long spread = Math.floorMod(mixed ^ mixed >>> 32, most);
        later(() -> context.timing().after(SHORTEST_PAUSE_MILLIS + spread, () -> step(step)));
    }
}
