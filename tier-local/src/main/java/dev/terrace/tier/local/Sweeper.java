package dev.terrace.tier.local;

import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
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
    private static final int CLEAR_SLICE = 1 << 12;

    private final Clearing clearing;
    private final Queue<Cleared> cleared = new ConcurrentLinkedQueue<>();
    private final ScheduledExecutorService thread;
    private final Runnable look;
    private long lookedAt = System.nanoTime();
    private int next;

    private record Cleared(String cache, Version upTo) {}

    /** @param look at the container, with every tick, but not more often than once a second */
    Sweeper(Clearing clearing, Runnable look, Duration interval) {
        this.look = look;
        this.clearing = clearing;
        this.thread = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread sweeper = new Thread(task, "terrace-l1-sweeper");
            sweeper.setDaemon(true);
            return sweeper;
        });
        thread.scheduleWithFixedDelay(this::tick, interval.toMillis(), interval.toMillis(), TimeUnit.MILLISECONDS);
    }

    void clear(String cache, Version upTo) {
        cleared.add(new Cleared(cache, upTo));
    }

    private void tick() {
        try {
            if (System.nanoTime() - lookedAt >= LOOK_NANOS) {
                lookedAt = System.nanoTime();
                look.run();
            }
            if (next >= clearing.end()) {
                next = 0;
            }
            clearing.expired(next, SLICE);
            next += SLICE;
            for (Cleared job = cleared.poll(); job != null; job = cleared.poll()) {
                for (int from = 0; from < clearing.end() && !Thread.interrupted(); from += CLEAR_SLICE) {
                    clearing.cleared(from, CLEAR_SLICE, job.cache(), job.upTo());
                }
            }
        } catch (RuntimeException | InternalError e) {
            LOG.error("local tier sweep failed", e);
        }
    }

    /** Stops; a tick under way sees that the tier is closed and ends. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
