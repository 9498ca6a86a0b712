package dev.terrace.node.chaos;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.embedded.EmbeddedRedis;
import java.time.Duration;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Breaks parts of a running node, so that people see what becomes of its answers: evicts from L1, invalidates whole caches, kills L2 or makes
 * it slow. The last two touch only the Redis that this node started for itself, by its process, one at a time, for a bounded time, and mend it
 * again. All of it is written to the log {@code terrace.audit}. Thread-safe; close it before the Redis.
 */
public final class Chaos implements AutoCloseable {
    /** Bounds of how long L2 is broken. */
    public static final Duration SHORTEST = Duration.ofMillis(100);

    /** The longest. */
    public static final Duration LONGEST = Duration.ofMinutes(10);

    private static final Logger AUDIT = LoggerFactory.getLogger("terrace.audit");

    /** How long a slow L2 answers between two pauses. */
    private static final Duration AWAKE = Duration.ofMillis(20);

    private final CacheCoordinator coordinator;
    private final @Nullable Victim redis;
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "terrace-chaos");
        thread.setDaemon(true);
        return thread;
    });
    private @Nullable Fault running;

    /**
     * What is done to L2 now.
     *
     * @param action {@code kill-l2} or {@code slow-l2}
     * @param delayNanos how long it pauses each time; 0 when it is dead
     * @param endNanos when it ends, by the process's clock
     */
    private record Fault(String action, long delayNanos, long endNanos) {
        long leftNanos() {
            return Math.max(0, endNanos - System.nanoTime());
        }
    }

    /**
     * What is done to L2 now, for people.
     *
     * @param embedded whether there is an L2 that may be broken
     * @param action {@code kill-l2}, {@code slow-l2}, or null for nothing
     * @param left until it is mended
     */
    public record Status(boolean embedded, @Nullable String action, Duration left) {}

    /**
     * Over the tiers of {@code coordinator}.
     *
     * @param redis the server that this node started for itself; null when its L2 is somebody else's, which is left alone
     */
    public Chaos(CacheCoordinator coordinator, @Nullable EmbeddedRedis redis) {
        this(coordinator, redis == null ? null : Victim.of(redis));
    }

    Chaos(CacheCoordinator coordinator, @Nullable Victim redis) {
        this.coordinator = coordinator;
        this.redis = redis;
    }

    /** What may be broken; every method throws when it cannot be done. */
    interface Victim {
        long pid();

        void kill();

        void freeze();

        void thaw();

        void restart();

        private static Victim of(EmbeddedRedis redis) {
            return new Victim() {
                @Override
                public long pid() {
                    return redis.pid();
                }

                @Override
                public void kill() {
                    redis.kill();
                }

                @Override
                public void freeze() {
                    redis.freeze();
                }

                @Override
                public void thaw() {
                    redis.thaw();
                }

                @Override
                public void restart() {
                    redis.restart();
                }
            };
        }
    }

    /**
     * Evicts entries of L1 at random.
     *
     * @param share each entry's chance to go, above 0 and at most 1
     * @param seed decides which
     * @return how many went
     */
    public long evict(double share, long seed) {
        long evicted = coordinator.evictLocal(share, new SplittableRandom(seed));
        AUDIT.info("chaos action=evict share={} seed={} evicted={}", share, seed, evicted);
        return evicted;
    }

    /**
     * Invalidates everything in one cache, or in all that are open.
     *
     * @param cache which; null for all
     * @return their names
     */
    public Set<String> invalidate(@Nullable String cache) {
        Set<String> open = coordinator.consistencies().keySet();
        if (cache != null && !open.contains(cache)) {
            throw new BadInputException(
                    "no cache '" + cache + "' is open on this node", "open ones: " + new TreeSet<>(open));
        }
        Set<String> names = cache == null ? new TreeSet<>(open) : Set.of(cache);
        for (String name : names) {
            coordinator.cache(name, Codecs.bytesKey(), Codecs.bytes()).clear();
        }
        AUDIT.info("chaos action=invalidate caches={}", names);
        return names;
    }

    /**
     * Kills L2, and starts it again when the time is over.
     *
     * @param time how long it is away, from {@link #SHORTEST} to {@link #LONGEST}
     * @throws BadInputException when L2 is not this node's own, something is done to it already, or the time is out of bounds
     */
    public synchronized void killRemote(Duration time) {
        Victim victim = breakable("kill-l2", time);
        AUDIT.info("chaos action=kill-l2 pid={} for={}", victim.pid(), time);
        victim.kill();
        Fault fault = new Fault("kill-l2", 0, System.nanoTime() + time.toNanos());
        running = fault;
        timer.schedule(() -> end(fault), time.toNanos(), TimeUnit.NANOSECONDS);
    }

    /**
     * Makes L2 pause again and again, until the time is over.
     *
     * @param time how long it is slow, from {@link #SHORTEST} to {@link #LONGEST}
     * @param delay how long it pauses each time: what it is asked meanwhile waits up to so long; at most {@code time}
     * @throws BadInputException as {@link #killRemote}
     */
    public synchronized void slowRemote(Duration time, Duration delay) {
        Victim victim = breakable("slow-l2", time);
        if (delay.compareTo(Duration.ofMillis(1)) < 0 || delay.compareTo(time) > 0) {
            throw new BadInputException(
                    "a delay of " + delay.toMillis() + " ms is out of bounds",
                    "give one from 1ms to the whole time, " + time.toMillis() + " ms");
        }
        AUDIT.info("chaos action=slow-l2 pid={} for={} delay={}", victim.pid(), time, delay);
        Fault fault = new Fault("slow-l2", delay.toNanos(), System.nanoTime() + time.toNanos());
        running = fault;
        timer.execute(() -> pause(fault));
    }

    private Victim breakable(String action, Duration time) {
        if (redis == null) {
            throw new BadInputException(
                    action + " is refused: this node did not start its L2, so it may be somebody else's",
                    "only a node that brings its own Redis ('terrace run --chaos' without --config) breaks it");
        }
        if (running != null) {
            throw new BadInputException(
                    running.action() + " is still under way for " + TimeUnit.NANOSECONDS.toMillis(running.leftNanos())
                            + " ms",
                    "wait, or end it with 'terrace chaos stop'");
        }
        if (time.compareTo(SHORTEST) < 0 || time.compareTo(LONGEST) > 0) {
            throw new BadInputException(
                    "a time of " + time.toMillis() + " ms is out of bounds",
                    "give one from " + SHORTEST.toMillis() + " ms to " + LONGEST.toMinutes() + " min");
        }
        return redis;
    }

    private synchronized void end(Fault fault) {
        if (fault.equals(running)) {
            stop();
        }
    }

    private synchronized void pause(Fault fault) {
        if (redis == null || !fault.equals(running)) {
            return;
        }
        if (fault.leftNanos() == 0) {
            stop();
            return;
        }
        if (isDone(redis::freeze)) {
            timer.schedule(() -> wake(fault), Math.min(fault.delayNanos(), fault.leftNanos()), TimeUnit.NANOSECONDS);
        }
    }

    private synchronized void wake(Fault fault) {
        if (redis != null && fault.equals(running) && isDone(redis::thaw)) {
            timer.schedule(() -> pause(fault), AWAKE.toNanos(), TimeUnit.NANOSECONDS);
        }
    }

    /** False when L2 takes no signal; then all is ended. A timer would forget what was thrown, and L2 stay as it is. */
    private boolean isDone(Runnable signal) {
        try {
            signal.run();
            return true;
        } catch (RuntimeException e) {
            AUDIT.warn("chaos L2 takes no signal reason={}", e.getMessage());
            stop();
            return false;
        }
    }

    /** Ends what is done to L2, if anything, and mends it. */
    public synchronized void stop() {
        Fault fault = running;
        running = null;
        if (redis == null || fault == null) {
            return;
        }
        try {
            redis.thaw();
            redis.restart();
            AUDIT.info("chaos action={} ended pid={}", fault.action(), redis.pid());
        } catch (RuntimeException e) {
            // The node goes on without L2, as it does without any; whoever broke it wants to know why it stays so.
            AUDIT.error("chaos L2 could not be mended reason={}", e.getMessage());
        }
    }

    /** What is done to L2 now. */
    public synchronized Status status() {
        return running == null
                ? new Status(redis != null, null, Duration.ZERO)
                : new Status(redis != null, running.action(), Duration.ofNanos(running.leftNanos()));
    }

    /** Lets a paused L2 go on, so that it can be shut down; a dead one stays so. */
    @Override
    public void close() {
        timer.shutdownNow();
        synchronized (this) {
            running = null;
            if (redis != null) {
                try {
                    redis.thaw();
                } catch (RuntimeException e) {
                    // It is shut down next, by force if it must be.
                    AUDIT.warn("chaos L2 takes no signal reason={}", e.getMessage());
                }
            }
        }
    }
}
