package dev.terrace.tier.local;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Gives space back in the background, a bounded slice per tick: expired entries, and caches that were cleared. */
final class Sweeper implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sweeper.class);

    /** Slots looked at per tick: a million slots are covered in 16 ticks. */
    private static final int SLICE = 1 << 16;

    private static final long LOOK_NANOS = TimeUnit.SECONDS.toNanos(1);

    /** What is cleared may take this part of the time between two ticks. */
    private static final int CLEARING_PARTS = 10;

    private final Clearing clearing;
    private final Cleared cleared;
    private final long clearingNanos;
    private final ScheduledExecutorService thread;
    private final Runnable look;
    private long lookedAt = System.nanoTime();
    private int next;

    /** @param look at the container, with every tick, but not more often than once a second */
    Sweeper(Clearing clearing, Cleared cleared, Runnable look, Duration interval) {
        this.look = look;
        this.clearing = clearing;
        this.cleared = cleared;
        this.clearingNanos = interval.toNanos() / CLEARING_PARTS;
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread sweeper = new Thread(task, "terrace-l1-sweeper");
            sweeper.setDaemon(true);
            return sweeper;
        });
        thread.scheduleWithFixedDelay(this::tick, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    void tick() {
        if (System.nanoTime() - lookedAt >= LOOK_NANOS) {
            lookedAt = System.nanoTime();
            attempt(look);
        }
        attempt(this::expire);
        attempt(() -> cleared.free(clearingNanos));
    }

    private void expire() {
        if (next >= clearing.end()) {
            next = 0;
        }
        int from = next;
        next += SLICE;
        clearing.expired(from, SLICE);
    }

    /** One step that fails, of whatever there is, keeps neither the others nor the next tick from running. */
    private static void attempt(Runnable step) {
        try {
            step.run();
        } catch (Throwable e) {
            // A moment without memory, too: the executor would keep it to itself, and never tick again.
            LOG.error("local tier sweep failed", e);
        }
    }

    /** Stops; a tick under way sees that the tier is closed and ends. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
