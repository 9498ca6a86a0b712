package dev.terrace.tier.redis;

import dev.terrace.spi.Version;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Gives back the space of cleared caches, one at a time, key by key, on a thread of its own. Entries that it does not get
 * to are hidden by their cache's marker all the same, and expire.
 */
final class Reclaimer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Reclaimer.class);
    private static final int MOST_WAITING = 100;

    private final Supplier<@Nullable RedissonCommands> commands;
    private final RedisKeys keys;
    private final long timeoutMillis;
    private final ThreadPoolExecutor thread =
            new ThreadPoolExecutor(1, 1, 5, TimeUnit.SECONDS, new ArrayBlockingQueue<>(MOST_WAITING), task -> {
                Thread reclaiming = new Thread(task, "terrace-l2-reclaimer");
                reclaiming.setDaemon(true);
                return reclaiming;
            });

    Reclaimer(Supplier<@Nullable RedissonCommands> commands, RedisKeys keys, long timeoutMillis) {
        this.commands = commands;
        this.keys = keys;
        this.timeoutMillis = timeoutMillis;
        thread.allowCoreThreadTimeOut(true);
    }

    void submit(String cache, Version upTo) {
        try {
            thread.execute(() -> reclaim(cache, upTo));
        } catch (RejectedExecutionException e) {
            LOG.warn("space of a cleared cache is left to expire, too many clears wait cache={}", cache);
        }
    }

    private void reclaim(String cache, Version upTo) {
        RedissonCommands to = commands.get();
        if (to == null) {
            return;
        }
        byte[] version = ScriptWords.bytesOf(upTo);
        long removed = 0;
        try {
            for (String key : to.scan(keys.patternOf(cache))) {
                Object answer = to.withScripts(() -> to.reclaim(key, version))
                        .toCompletableFuture()
                        .get(timeoutMillis, TimeUnit.MILLISECONDS);
                removed += answer instanceof Long count ? count : 0;
            }
            LOG.debug("space of a cleared cache given back cache={} entries={}", cache, removed);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (Exception e) {
            LOG.warn(
                    "space of a cleared cache is left to expire cache={} removed={} reason={}",
                    cache,
                    removed,
                    Failures.describe(e));
        }
    }

    @Override
    public void close() {
        thread.shutdownNow();
    }
}
