package dev.terrace.tier.backup;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ships again and again, on a thread of its own. A repository that does not answer makes the backup late, which is logged and counted; the tier
 * does not notice. Tries again after pauses that grow to {@value #LONGEST_PAUSE_MILLIS} ms. Thread-safe.
 */
final class ShippingThread implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ShippingThread.class);
    private static final long LONGEST_PAUSE_MILLIS = 60_000;
    private static final long CLOSING_MILLIS = 5_000;

    /** Reaches the repository. */
    interface Start extends AutoCloseable {
        /** The first step, tried again like all others. */
        Shipping open() throws BlobException, IOException;

        /** Gives back what was opened. */
        @Override
        void close();
    }

    private final Start start;
    private final long shipMillis;
    private final Counter failures;
    private final Thread thread;
    private boolean closing;
    private boolean ended;
    private List<CompletableFuture<String>> asked = new ArrayList<>();
    private volatile String trouble = "not begun yet";
    private volatile @Nullable Shipping shipping;
    private volatile @Nullable ChainState state;

    ShippingThread(Start start, long shipMillis, MetricRegistry metrics) {
        this.start = start;
        this.shipMillis = shipMillis;
        this.failures = metrics.counter("l3.backup.failures");
        this.thread = new Thread(this::runAndGiveBack, "terrace-l3-backup");
        this.thread.setDaemon(true);
    }

    ShippingThread begin() {
        thread.start();
        return this;
    }

    private void runAndGiveBack() {
        try (start) {
            run();
        } finally {
            synchronized (this) {
                ended = true;
            }
            take().forEach(answer -> answer.complete("the backup tier is closed"));
        }
    }

    /** Snapshots that were asked for since the last time. */
    private synchronized List<CompletableFuture<String>> take() {
        List<CompletableFuture<String>> taken = asked;
        asked = new ArrayList<>();
        return taken;
    }

    /** As {@link dev.terrace.spi.BackupShipper#snapshot()}. */
    CompletionStage<String> snapshot() {
        CompletableFuture<String> answer = new CompletableFuture<>();
        synchronized (this) {
            if (!closing && !ended) {
                asked.add(answer);
                notifyAll();
                return answer;
            }
        }
        answer.complete("the backup tier is closed");
        return answer;
    }

    /** How things stand at {@code nowMillis}. */
    BackupReport report(long nowMillis) {
        Shipping known = shipping;
        ChainState at = state;
        long through = known == null ? 0 : known.throughMillis();
        List<BackupReport.Point> points = at == null
                ? List.of()
                : at.segments().stream()
                        .map(segment -> new BackupReport.Point(
                                Verifier.pointName(at.writer(), segment),
                                segment.asOfMillis(),
                                segment.throughMillis()))
                        .toList();
        return new BackupReport(
                at == null ? 0 : at.writer(),
                at == null ? 0 : at.head().number(),
                through,
                through == 0 ? -1 : Math.max(0, nowMillis - through),
                at == null ? 0 : at.snapshot().asOfMillis(),
                known == null ? 0 : known.deltaMillis(),
                points,
                failures.getCount(),
                trouble,
                known == null ? "" : known.freshness());
    }

    private void run() {
        int failed = 0;
        boolean last = false;
        while (!last) {
            last = await(pause(failed));
            if (last && (shipping == null || failed > 0)) {
                return; // It was not reachable; closing does not wait for it.
            }
            List<CompletableFuture<String>> wanted = take();
            String answer = "the backup ended with an error that the log names";
            try {
                Shipping known = shipping;
                if (known == null) {
                    known = start.open();
                    shipping = known;
                }
                state = wanted.isEmpty() ? known.run() : known.snapshot();
                if (failed > 0) {
                    LOG.info("backups go on failures={}", failed);
                }
                failed = 0;
                trouble = "";
                answer = "";
            } catch (BlobException
                    | DamagedException
                    | IOException
                    | RocksDBException
                    | PartitionedStore.ClosedStore e) {
                failed++;
                answer = String.valueOf(e.getMessage());
                late(failed, answer, null);
            } catch (RuntimeException | Error e) {
                // Whatever it is: a thread that ended here would leave the backup behind for good.
                failed++;
                answer = e.toString();
                late(failed, answer, e);
            } finally {
                String told = answer;
                wanted.forEach(asking -> asking.complete(told));
            }
        }
    }

    /** @param bug with its trace, when it is one */
    private void late(int failed, String reason, @Nullable Throwable bug) {
        failures.inc();
        trouble = reason;
        if (failed == 1 || failed % 20 == 0) {
            LOG.warn("a backup is late, tried again failures={} reason={}", failed, reason, bug);
        }
    }

    private long pause(int failed) {
        return failed == 0 ? shipMillis : Math.min(LONGEST_PAUSE_MILLIS, shipMillis << Math.min(failed, 6));
    }

    /** Returns whether it is to end; sooner when a snapshot is asked for. An interrupt ends it at once. */
    private synchronized boolean await(long millis) {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
        try {
            for (long left = millis; !closing && asked.isEmpty() && left > 0; left = left(deadline)) {
                wait(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
        return closing;
    }

    private static long left(long deadline) {
        return TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
    }

    /** Why the last try failed; empty when it did not. */
    String trouble() {
        return trouble;
    }

    /** Ships what is left when the repository answers, and ends; waits {@value #CLOSING_MILLIS} ms at most for that. */
    @Override
    public void close() {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        if (!ThreadEnd.await(thread, CLOSING_MILLIS)) {
            LOG.warn("the last backup was given up, the next start goes on with it reason={}", trouble());
            thread.interrupt();
            ThreadEnd.await(thread, CLOSING_MILLIS / 5);
        }
    }
}
