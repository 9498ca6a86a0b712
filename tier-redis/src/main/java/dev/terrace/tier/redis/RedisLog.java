package dev.terrace.tier.redis;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Resumable;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The log of one zone: a Redis Stream with a head beside it. A script numbers notices densely, so that trimming shows on every
 * server version; the head names the log, under another name after every restart and promotion, so that loss of what was
 * appended last shows too. Both keys lie in one cluster slot. Thread-safe.
 *
 * <p>What it cannot see: a master that was deposed without knowing it, and still takes appends of clients that did not notice
 * either (Sentinel without {@code min-replicas-to-write}). Logs in several zones, of which a majority counts, cover that.
 *
 * <p>It has connections of its own, a thread each, beside the tier's pool: a read that blocks must not take a connection from
 * callers, and its silence must be noticed by a deadline of its own.
 */
final class RedisLog implements Backplane, Resumable {
    /** How many entries are kept, of at most 16 KiB each and usually a hundredth of that. */
    static final int KEEP_ENTRIES = 20_000;

    private static final long OTHER_LOG_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final String name;
    private final LogServers servers;
    private final LogMetrics metrics;
    private final LogAppender appender;
    private volatile @Nullable LogReader reader;
    private volatile long appendedUpTo;
    private volatile @Nullable String resumeAt;
    private long otherLogSince;
    private boolean onOtherLog;

    RedisLog(String zone, DistributedCacheSettings settings, MetricRegistry registry) {
        this(zone, settings, registry, KEEP_ENTRIES);
    }

    RedisLog(String zone, DistributedCacheSettings settings, MetricRegistry registry, int keepEntries) {
        this.name = zone.isEmpty() ? "log" : "log-" + zone;
        this.servers = new LogServers(settings, keepEntries);
        this.metrics = new LogMetrics(registry, name);
        this.appender = new LogAppender(
                "terrace-" + name + "-append",
                servers,
                settings.timeout().toMillis(),
                metrics,
                this::heardIdentity,
                this::appended);
        metrics.gauge("position", this::heardUpTo);
        metrics.gauge("lag", () -> Math.max(0, appendedUpTo - heardUpTo()));
    }

    @Override
    public String name() {
        return name;
    }

    private @Nullable String heardIdentity() {
        LogReader reading = reader;
        return reading == null ? null : reading.identity();
    }

    private long heardUpTo() {
        LogReader reading = reader;
        return reading == null ? 0 : reading.position();
    }

    /** Only ever called by the appender's thread. */
    private void appended(LogHead head) {
        appendedUpTo = head.position();
        LogReader reading = reader;
        if (reading == null || reading.identity() == null || head.identity().equals(reading.identity())) {
            onOtherLog = false;
        } else if (!onOtherLog) {
            onOtherLog = true;
            otherLogSince = System.nanoTime();
        } else if (System.nanoTime() - otherLogSince > OTHER_LOG_NANOS) {
            // It may hang on a server that was deposed.
            onOtherLog = false;
            reading.reconnect();
        }
    }

    @Override
    public synchronized void start(long node, BackplaneListener listener) {
        if (reader != null) {
            throw new IllegalStateException("started already");
        }
        LogReader reading = new LogReader("terrace-" + name + "-read", servers, metrics, node, listener);
        String from = resumeAt;
        if (from != null) {
            reading.resumeFrom(from);
        }
        reader = reading;
        reading.start();
        appender.start();
    }

    @Override
    public void resumeFrom(String bookmark) {
        resumeAt = bookmark;
    }

    @Override
    public @Nullable String bookmark() {
        LogReader reading = reader;
        return reading == null ? resumeAt : reading.bookmark();
    }

    @Override
    public CompletionStage<Long> publish(List<Notice> notices) {
        return notices.isEmpty() ? CompletableFuture.completedStage(NOT_KNOWN) : appender.publish(notices);
    }

    @Override
    public CompletionStage<Long> publishSoon(List<Notice> notices) {
        return notices.isEmpty() ? CompletableFuture.completedStage(NOT_KNOWN) : appender.publishSoon(notices);
    }

    @Override
    public String trouble() {
        LogReader reading = reader;
        String why = appender.trouble();
        return why.isEmpty() && reading != null ? reading.trouble() : why;
    }

    @Override
    public void close() {
        appender.close();
        LogReader reading = reader;
        if (reading != null) {
            reading.close();
        }
    }
}
