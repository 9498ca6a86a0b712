package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Deadlines;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntrySource;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.tier.backup.PartitionedStore.ClosedStore;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * How {@link RocksTier} is read. What memory can answer is answered on the caller's thread; all else on a few threads behind a bounded queue of {@value
 * #QUEUE}, and while the tier is being restored by way of {@link LiveRestore}. What waits to be written is read as if it were. Thread-safe.
 */
final class RocksReads implements AutoCloseable {
    private static final int QUEUE = 4096;
    private static final int MOST_DIRECT = 16;
    private static final String CLOSED = "the backup tier is closed";

    private final Vault vault;
    private final WriteQueue queue;
    private final Deadlines deadlines;
    private final Duration timeout;
    private final Meters meters;
    private final InstantSource clock;
    private final Workspaces workspaces;
    private final ThreadPoolExecutor readers;
    private @Nullable LiveRestore restore;
    private volatile boolean closed;

    /** Something to find out on a reader thread. */
    interface Question<T> {
        CompletionStage<T> answer();
    }

    /** @param deadlines stay the caller's to close, after this */
    RocksReads(
            Vault vault,
            WriteQueue queue,
            Deadlines deadlines,
            Duration timeout,
            int processors,
            Meters meters,
            InstantSource clock) {
        this.vault = vault;
        this.queue = queue;
        this.deadlines = deadlines;
        this.timeout = timeout;
        this.meters = meters;
        this.clock = clock;
        this.workspaces = new Workspaces(Math.min(MOST_DIRECT, 2 * processors));
        int threads = Math.min(4, Math.max(2, processors));
        this.readers = new ThreadPoolExecutor(
                threads,
                threads,
                0,
                TimeUnit.SECONDS,
                new ArrayBlockingQueue<>(QUEUE),
                task -> Records.thread(task, "terrace-l3-reader"));
    }

    /** Goes by way of {@code under} until that is over; before anything is read. */
    void restoreBy(LiveRestore under) {
        restore = under;
    }

    CompletionStage<Lookup> get(CacheKey key) {
        Lookup known = direct(key);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        CompletableFuture<Lookup> answer = new CompletableFuture<>();
        Lookup refused = ask(answer, () -> find(key));
        return refused != null ? CompletableFuture.completedFuture(refused) : deadlines.watch(answer, this::tooLate);
    }

    /**
     * The answer, if everything it takes is in memory: a caller may not be made to wait for a disk, and handing a read to another thread costs several
     * times what such a read does.
     */
    private @Nullable Lookup direct(CacheKey key) {
        Workspace own = closed || restoring() != null ? null : workspaces.take();
        if (own == null) {
            return null;
        }
        try {
            // In this order: a write leaves the queue only after it is stored.
            Entry waiting = queue.waitingFor(key);
            Vault.Certain stored = vault.findInMemory(key, own);
            if (stored == null) {
                return null;
            }
            meters.direct.inc();
            return lookup(newer(waiting, stored.entry()));
        } finally {
            workspaces.giveBack(own);
        }
    }

    CompletionStage<Map<CacheKey, Lookup>> getAll(List<CacheKey> keys) {
        if (keys.isEmpty()) {
            return CompletableFuture.completedFuture(new HashMap<>());
        }
        CompletableFuture<Map<CacheKey, Lookup>> answer = new CompletableFuture<>();
        Lookup refused = ask(answer, () -> {
            Map<CacheKey, Lookup> here = new HashMap<>();
            Map<CacheKey, CompletableFuture<Lookup>> found = new HashMap<>();
            boolean alone = restoring() == null;
            for (CacheKey key : keys) {
                if (answer.isDone()) {
                    break; // Too late for anybody.
                }
                if (alone) {
                    here.put(key, read(key));
                } else {
                    found.put(key, find(key).toCompletableFuture());
                }
            }
            if (alone) {
                return CompletableFuture.completedStage(here);
            }
            return CompletableFuture.allOf(found.values().toArray(CompletableFuture[]::new))
                    .thenApply(all -> {
                        Map<CacheKey, Lookup> said = new HashMap<>();
                        found.forEach((key, one) -> said.put(key, one.join()));
                        return said;
                    });
        });
        return refused != null
                ? CompletableFuture.completedFuture(same(keys, refused))
                : deadlines.watch(answer, () -> same(keys, tooLate()));
    }

    /** While it is being restored a lookup may wait for several things that are on their way, one after the other: no sign of a broken tier. */
    private Lookup tooLate() {
        LiveRestore under = restore;
        return under == null || under.readiness() == EntrySource.Readiness.WHOLE
                ? unavailable(Unavailability.TIMEOUT, "no answer within " + timeout)
                : unavailable(Unavailability.DISCONNECTED, "not restored within " + timeout);
    }

    private static Map<CacheKey, Lookup> same(List<CacheKey> keys, Lookup answer) {
        Map<CacheKey, Lookup> all = new HashMap<>();
        keys.forEach(key -> all.put(key, answer));
        return all;
    }

    /** Asks on a reader thread. Returns null, or why it cannot be asked. */
    <T> @Nullable Lookup ask(CompletableFuture<T> answer, Question<T> question) {
        if (closed) {
            return unavailable(Unavailability.CLOSED, CLOSED);
        }
        try {
            readers.execute(() -> {
                if (answer.isDone()) {
                    return; // Its deadline passed in the queue.
                }
                try {
                    question.answer().whenComplete((said, bug) -> {
                        if (bug == null) {
                            answer.complete(said);
                        } else {
                            answer.completeExceptionally(bug);
                        }
                    });
                } catch (RuntimeException | Error e) {
                    answer.completeExceptionally(e);
                }
            });
            return null;
        } catch (RejectedExecutionException e) {
            if (closed) {
                return unavailable(Unavailability.CLOSED, CLOSED);
            }
            meters.overloaded.inc();
            return unavailable(Unavailability.OVERLOADED, QUEUE + " reads wait already");
        }
    }

    /** What has to be asked too; null when the tier alone answers. */
    private @Nullable LiveRestore restoring() {
        LiveRestore under = restore;
        return under == null || under.isOver() ? null : under;
    }

    private CompletionStage<Lookup> find(CacheKey key) {
        LiveRestore under = restoring();
        if (under == null) {
            return CompletableFuture.completedStage(read(key));
        }
        try {
            return under.find(key);
        } catch (ClosedStore | RocksDBException e) {
            return CompletableFuture.completedStage(failed(e));
        }
    }

    private Lookup read(CacheKey key) {
        try {
            return lookup(held(key));
        } catch (ClosedStore | RocksDBException e) {
            return failed(e);
        }
    }

    private Lookup lookup(@Nullable Entry held) {
        return held == null || held.isExpired(clock.millis()) ? Lookup.MISS : new Lookup.Hit(held);
    }

    private static Lookup failed(Exception e) {
        return e instanceof ClosedStore
                ? unavailable(Unavailability.CLOSED, CLOSED)
                : unavailable(Unavailability.STORAGE, "reading fails: " + e.getMessage());
    }

    private static Lookup unavailable(Unavailability cause, String detail) {
        return new Lookup.Unavailable(TierLevel.L3, cause, detail);
    }

    /** What the tier holds itself, expired or not; on the caller's thread. */
    @Nullable
    Entry held(CacheKey key) throws RocksDBException, ClosedStore {
        // In this order: a write leaves the queue only after it is stored.
        Entry waiting = queue.waitingFor(key);
        return newer(waiting, vault.find(key));
    }

    private static @Nullable Entry newer(@Nullable Entry waiting, @Nullable Entry held) {
        return waiting != null && (held == null || waiting.version().isNewerThan(held.version())) ? waiting : held;
    }

    /** Answers no more; what is queued is still asked, and hears it when the store is closed. */
    @Override
    public void close() {
        closed = true;
        readers.shutdown();
        workspaces.close();
    }
}
