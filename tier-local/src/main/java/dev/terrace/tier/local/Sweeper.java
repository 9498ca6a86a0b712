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

    private static final int CLEAR_SLICE = 1 << 12;

    private final ChronicleTier tier;
    private final Queue<Cleared> cleared = new ConcurrentLinkedQueue<>();
    private final ScheduledExecutorService thread;
    private int next;

    private record Cleared(String cache, Version upTo) {}

    Sweeper(ChronicleTier tier, Duration interval) {
        this.tier = tier;
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
            if (next >= tier.highWater()) {
                next = 0;
            }
            tier.sweepExpired(next, SLICE);
            next += SLICE;
            for (Cleared job = cleared.poll(); job != null; job = cleared.poll()) {
                for (int from = 0; from < tier.highWater() && !Thread.interrupted(); from += CLEAR_SLICE) {
                    tier.sweepCleared(from, CLEAR_SLICE, job.cache(), job.upTo());
                }
            }
        } catch (RuntimeException e) {
            LOG.error("local tier sweep failed", e);
        }
    }

    /** Stops; a tick under way sees the closed tier and ends. */
    @Override
    public void close() {
        thread.shutdownNow();
    }
}
