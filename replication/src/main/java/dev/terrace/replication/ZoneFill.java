package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Fills one zone from others, at a pace, past the fence. When a source stops answering, {@link #run} ends, and the next one goes on
 * where it stopped: what was copied stays valid as long as the zone has not lost it, which its admission finds out. A source
 * that restarted is walked from its beginning again. One run at a time; thread-safe otherwise.
 */
final class ZoneFill {
    private static final Logger LOG = LoggerFactory.getLogger(ZoneFill.class);
    private static final int PAGE = 200;
    static final int TRIES = 4;

    /** So many promises may be left to be ended after everything else was copied; more end a run. */
    private static final int MOST_LEFT = 1_000;

    private final Replica target;
    private final String token;
    private final List<Replica> sources;
    private final boolean voting;
    private final Predicate<CacheKey> wanted;
    private final Pace pace;
    private final Meters meters;
    private final BooleanSupplier stopped;
    private final @Nullable Duration keep;
    private final @Nullable OpenPromises open;
    private final AtomicLong copied = new AtomicLong();
    private final Map<Replica, String> cursors = new HashMap<>();
    private final Set<Replica> walked = new HashSet<>();
    private final Map<ReplicaPage.Item, Replica> left = new HashMap<>();

    /**
     * @param token with which the filling was begun, and the zone is to be admitted
     * @param voting whether only what sources vote is copied; else what any of them holds
     * @param wanted whether the zone is to hold a key
     * @param stopped ends a run before its time
     * @param keep how long promises are kept; null to copy none, as only tests do
     * @param open ends promises that nothing has fulfilled; null where no majority can, because zones are formed anew
     */
    ZoneFill(
            Replica target,
            String token,
            List<Replica> sources,
            boolean voting,
            Predicate<CacheKey> wanted,
            Pace pace,
            Meters meters,
            BooleanSupplier stopped,
            @Nullable Duration keep,
            @Nullable OpenPromises open) {
        this.target = target;
        this.token = token;
        this.sources = sources.stream().filter(source -> source != target).toList();
        this.voting = voting;
        this.wanted = wanted;
        this.pace = pace;
        this.meters = meters;
        this.stopped = stopped;
        this.keep = keep;
        this.open = open;
    }

    String token() {
        return token;
    }

    /** True when going on with this is as good as beginning to fill from {@code others}. */
    boolean isFrom(List<Replica> others) {
        return voting && new HashSet<>(sources).equals(new HashSet<>(others));
    }

    /** Entries copied so far. */
    long copied() {
        return copied.get();
    }

    /**
     * Goes on. Completes with true when every source was walked to its end, everything was copied, and nothing can come of
     * promises that nothing had fulfilled.
     */
    CompletionStage<Boolean> run() {
        Map<ReplicaPage.Item, Replica> before;
        synchronized (this) {
            before = Map.copyOf(left);
            left.clear();
        }
        return all(before.entrySet(), item -> end(item.getValue(), item.getKey()))
                .thenCompose(ended -> ended ? walk() : CompletableFuture.completedStage(false))
                .thenApply(whole -> whole && nothingLeft());
    }

    private synchronized boolean nothingLeft() {
        if (!left.isEmpty()) {
            LOG.warn(
                    "a zone cannot vote yet, because promises of others cannot be ended zone={} promises={}",
                    target.zone(),
                    left.size());
        }
        return left.isEmpty();
    }

    private CompletionStage<Boolean> walk() {
        return all(sources, source -> {
            String cursor;
            synchronized (this) {
                if (walked.contains(source)) {
                    return CompletableFuture.completedStage(true);
                }
                cursor = cursors.get(source);
            }
            return from(source, cursor);
        });
    }

    private CompletionStage<Boolean> from(Replica source, @Nullable String cursor) {
        if (stopped.getAsBoolean()) {
            return CompletableFuture.completedStage(false);
        }
        return patiently(() -> source.page(cursor, PAGE), page -> page.failure() == null, TRIES)
                .thenCompose(page -> {
                    if (page.failure() != null) {
                        return noPage(source, cursor, page.failure());
                    }
                    List<ReplicaPage.Item> items = page.items().stream()
                            .filter(item -> wanted.test(item.key()))
                            .toList();
                    return pace.take(items.size())
                            .thenCompose(turned -> promises(source, page))
                            .thenCompose(kept ->
                                    all(items, item -> copy(source, item)).thenApply(whole -> whole && kept))
                            .thenCompose(whole -> {
                                if (!whole) {
                                    return CompletableFuture.completedStage(false);
                                }
                                String next = page.next();
                                synchronized (this) {
                                    if (next == null) {
                                        walked.add(source);
                                    } else {
                                        cursors.put(source, next);
                                    }
                                }
                                return next == null ? CompletableFuture.completedStage(true) : from(source, next);
                            });
                });
    }

    /**
     * What the zone has promised and forgotten, a majority promised: so the others know it. An accept of then may still be under
     * way to one of them, and nothing older may be acknowledged meanwhile. Where nothing has fulfilled such a promise yet, the zone may
     * be given something older that another zone has taken, and that it would have refused itself; so nothing may come of the
     * promise any more.
     */
    private CompletionStage<Boolean> promises(Replica source, ReplicaPage page) {
        Duration kept = keep;
        if (kept == null) {
            return CompletableFuture.completedStage(true);
        }
        List<ReplicaPage.Item> promises =
                page.promises().stream().filter(item -> wanted.test(item.key())).toList();
        return all(
                promises,
                item -> patiently(
                                () -> target.restorePromise(item.key(), item.version(), kept),
                                restored -> restored,
                                TRIES)
                        .thenCompose(
                                restored -> restored ? end(source, item) : CompletableFuture.completedStage(false)));
    }

    /** Completes with false when there is too much to be tried again. */
    private CompletionStage<Boolean> end(Replica source, ReplicaPage.Item promise) {
        if (open == null) {
            return CompletableFuture.completedStage(true);
        }
        return open.end(source, promise, target, pace).thenApply(ended -> ended || leave(source, promise));
    }

    private synchronized boolean leave(Replica source, ReplicaPage.Item promise) {
        left.put(promise, source);
        return left.size() <= MOST_LEFT;
    }

    private CompletionStage<Boolean> noPage(Replica source, @Nullable String cursor, String why) {
        LOG.info(
                "source gave no page zone={} source={} begun={} reason={}",
                target.zone(),
                source.zone(),
                cursor != null,
                why);
        if (cursor == null) {
            return CompletableFuture.completedStage(false);
        }
        // It does not answer, or has restarted: then its cursors mean nothing any more, and its beginning does.
        return source.page(null, 1).thenApply(page -> {
            if (page.failure() == null) {
                synchronized (this) {
                    cursors.remove(source);
                }
            }
            return false;
        });
    }

    private CompletionStage<Boolean> copy(Replica source, ReplicaPage.Item item) {
        CompletionStage<Lookup> read = patiently(
                () -> voting ? source.vote(item.key()) : source.get(item.key()),
                found -> !(found instanceof Lookup.Unavailable no) || no.cause() == Unavailability.FORGETFUL,
                TRIES);
        return read.thenCompose(found -> {
            if (found instanceof Lookup.Unavailable) {
                return CompletableFuture.completedStage(false);
            }
            if (!(found instanceof Lookup.Hit hit)) {
                return CompletableFuture.completedStage(true);
            }
            return store(hit.entry());
        });
    }

    private CompletionStage<Boolean> store(Entry entry) {
        return patiently(() -> target.restore(entry), outcome -> !(outcome instanceof StoreOutcome.Unavailable), TRIES)
                .thenApply(outcome -> {
                    boolean stored =
                            outcome instanceof StoreOutcome.Applied || outcome instanceof StoreOutcome.Superseded;
                    if (stored) {
                        meters.zone(target.zone()).copied.inc();
                        copied.incrementAndGet();
                    } else if (outcome instanceof StoreOutcome.Unavailable no && no.cause() != Unavailability.CLOSED) {
                        LOG.debug("copying failed zone={} reason={}", target.zone(), no.detail());
                    }
                    return stored;
                });
    }

    /** Asks again, a few times, when the answer is not {@code good}: one lost message must not cost a whole filling. */
    static <T> CompletionStage<T> patiently(Supplier<CompletionStage<T>> question, Predicate<T> good, int tries) {
        return question.get()
                .thenCompose(answer -> good.test(answer) || tries == 1
                        ? CompletableFuture.completedStage(answer)
                        : patiently(question, good, tries - 1));
    }

    /** Something that is done or not. */
    interface Check<T> {
        CompletionStage<Boolean> run(T item);
    }

    /** True when all are true. */
    static <T> CompletionStage<Boolean> all(Collection<T> items, Check<T> check) {
        List<CompletableFuture<Boolean>> running = new ArrayList<>();
        items.forEach(item -> running.add(check.run(item).toCompletableFuture()));
        return CompletableFuture.allOf(running.toArray(CompletableFuture[]::new))
                .thenApply(done -> running.stream().allMatch(CompletableFuture::join));
    }
}
