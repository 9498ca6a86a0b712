package dev.terrace.core;

import dev.terrace.api.CodecException;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes that depend on what is there. With an L2 it decides, in one atomic step for the whole fleet, and without its
 * answer nothing is done. Without one this process decides: all writes of one key queue up. Thread-safe.
 *
 * <p>A conditional write that L2 did not answer in time may have happened. That is said, never tried again: trying again
 * could count an increment twice.
 */
final class ConditionalWrites {
    private final Tiers tiers;
    private final @Nullable Remote remote;
    private final Cascade cascade;
    private final Writes writes;
    private final LocalCopies copies;
    private final HybridClock clock;
    private final @Nullable MissedWrites missed;
    private final long longestContentionNanos;
    private final KeyQueue queue = new KeyQueue();

    /**
     * @param longestContention how long an increment goes on when it loses races against other nodes
     */
    ConditionalWrites(
            Tiers tiers,
            @Nullable Remote remote,
            Cascade cascade,
            Writes writes,
            LocalCopies copies,
            HybridClock clock,
            @Nullable MissedWrites missed,
            Duration longestContention) {
        this.tiers = tiers;
        this.remote = remote;
        this.cascade = cascade;
        this.writes = writes;
        this.copies = copies;
        this.clock = clock;
        this.missed = missed;
        this.longestContentionNanos = longestContention.toNanos();
    }

    /** What is known of a key before a conditional write: the newest copy, and what the condition is to be judged by. */
    private record Basis(Found found, WriteCondition unchanged) {}

    /** A plain write. Without an L2 it queues behind conditional ones of its key, so that none of them is lost. */
    CompletionStage<WriteReceipt> plain(Intent intent) {
        return remote != null
                ? writes.write(intent, clock)
                : queue.run(intent.key(), () -> writes.write(intent, clock));
    }

    /** Many plain writes. */
    CompletionStage<List<WriteReceipt>> plainAll(List<Intent> intents) {
        if (remote != null) {
            return writes.writeAll(intents, clock);
        }
        List<CompletableFuture<WriteReceipt>> receipts = new ArrayList<>();
        intents.forEach(intent -> receipts.add(plain(intent).toCompletableFuture()));
        return Writes.joined(receipts);
    }

    CompletionStage<WriteReceipt> putIfAbsent(
            CacheState cache, CacheKey key, Function<Version, Entry> entry, Terms terms) {
        long started = System.nanoTime();
        return queue.run(key, () -> putIfAbsent(cache, key, entry, terms, started));
    }

    private CompletionStage<WriteReceipt> putIfAbsent(
            CacheState cache, CacheKey key, Function<Version, Entry> entry, Terms terms, long started) {
        return basis(cache, key).thenCompose(basis -> {
            Entry held = basis.found().entry();
            if (basis.found().isFreshValue(clock.millis())) {
                return refused(held);
            }
            return apply(key, basis.found(), entry, basis.unchanged(), terms).thenCompose(receipt -> {
                if (receipt.applied() || remote == null) {
                    return CompletableFuture.completedStage(receipt);
                }
                // A value came in between, or something newer that is none: a tombstone, over which an older version
                // must not go.
                if (System.nanoTime() - started > longestContentionNanos) {
                    throw lostRaces("putIfAbsent", cache);
                }
                return putIfAbsent(cache, key, entry, terms, started);
            });
        });
    }

    CompletionStage<WriteReceipt> replace(
            CacheState cache, CacheKey key, Version expected, Function<Version, Entry> entry, Terms terms) {
        return queue.run(
                key,
                () -> basis(cache, key).thenCompose(basis -> {
                    Entry held = basis.found().entry();
                    return held == null || !held.version().equals(expected) || !held.isValue()
                            ? refused(held)
                            : apply(key, basis.found(), entry, new WriteCondition.IfVersion(expected), terms);
                }));
    }

    /** Adds to a decimal number; {@code make} turns the new number's text and a version into an entry. */
    CompletionStage<Long> increment(
            CacheState cache, CacheKey key, long delta, Function<Version, Function<byte[], Entry>> make, Terms terms) {
        long started = System.nanoTime();
        return queue.run(key, () -> increment(cache, key, delta, make, terms, started));
    }

    private CompletionStage<Long> increment(
            CacheState cache,
            CacheKey key,
            long delta,
            Function<Version, Function<byte[], Entry>> make,
            Terms terms,
            long started) {
        return basis(cache, key).thenCompose(basis -> {
            Entry held =
                    basis.found().isFreshValue(clock.millis()) ? basis.found().entry() : null;
            long sum = sum(cache, held == null ? 0 : number(cache, held.payload()), delta);
            byte[] text = Long.toString(sum).getBytes(StandardCharsets.US_ASCII);
            WriteCondition condition = held == null ? basis.unchanged() : new WriteCondition.IfVersion(held.version());
            return apply(key, basis.found(), version -> make.apply(version).apply(text), condition, terms)
                    .thenCompose(receipt -> {
                        if (receipt.applied()) {
                            return CompletableFuture.completedStage(sum);
                        }
                        if (System.nanoTime() - started > longestContentionNanos) {
                            throw lostRaces("increment", cache);
                        }
                        return increment(cache, key, delta, make, terms, started);
                    });
        });
    }

    private UnavailableException lostRaces(String what, CacheState cache) {
        return new UnavailableException(
                what + " in cache '" + cache.name + "' lost races against other nodes for "
                        + Duration.ofNanos(longestContentionNanos).toMillis() + " ms; nothing was changed",
                "try again, or spread the writes over several keys");
    }

    private static long sum(CacheState cache, long held, long delta) {
        try {
            return Math.addExact(held, delta);
        } catch (ArithmeticException e) {
            throw new CodecException(
                    "increment in cache '" + cache.name + "': " + held + " + " + delta + " does not fit 64 bits",
                    "put a smaller number first",
                    e);
        }
    }

    private static long number(CacheState cache, byte[] payload) {
        try {
            return Long.parseLong(new String(payload, StandardCharsets.US_ASCII));
        } catch (NumberFormatException e) {
            throw new CodecException(
                    "increment in cache '" + cache.name + "': the stored value of " + payload.length
                            + " bytes is not a decimal number",
                    "put a number first",
                    e);
        }
    }

    private static CompletionStage<WriteReceipt> refused(@Nullable Entry held) {
        Version version = held == null ? Version.ZERO : held.version();
        return CompletableFuture.completedStage(new WriteReceipt(false, version, Set.of(), Set.of()));
    }

    /**
     * What is there by the word of so many copies in L2, and below it.
     *
     * @throws UnavailableException in the stage, without an L2 or when too few of its copies answer
     */
    CompletionStage<Found> find(CacheState cache, CacheKey key, ReplicationMode by) {
        if (remote == null) {
            return CompletableFuture.failedStage(new UnavailableException(
                    "a read of cache '" + cache.name + "' by " + by + " needs L2, and there is none",
                    "set distributed_cache.enabled, or read without a mode"));
        }
        return remote.read(key, by).thenCompose(said -> {
            if (said instanceof Lookup.Unavailable no) {
                throw new UnavailableException(
                        "a read of cache '" + cache.name + "' by " + by + " got no answer from enough copies in L2 ("
                                + no.cause() + " " + no.detail() + ")",
                        "try again later, or read without a mode");
            }
            requireBelievable(cache, said);
            return cascade.findBelow(cache, key, said, true);
        });
    }

    /** The newest copy by the word of whoever decides: L2 and what lies below it, or this process. */
    private CompletionStage<Basis> basis(CacheState cache, CacheKey key) {
        Tier tier = tiers.remote();
        if (remote == null || tier == null) {
            boolean coming = tiers.isBackupComing();
            return cascade.find(cache, key)
                    .thenApply(found -> new Basis(requireKnown(cache, found, coming), WriteCondition.IF_ABSENT));
        }
        return remote.readForChange(key).thenCompose(said -> {
            Entry pending = missed == null ? null : missed.pending(key);
            Version held = said instanceof Lookup.Hit hit ? hit.entry().version() : null;
            if (said instanceof Lookup.Unavailable no) {
                throw away(cache.name, no.cause(), no.detail(), false);
            }
            requireBelievable(cache, said);
            if (missed == null || pending == null || !pending.version().isNewerThan(held)) {
                return basis(cache, key, said);
            }
            // L2 lags behind a write of ours: it must have that one before it can judge.
            return tier.put(pending, WriteCondition.IF_NEWER).thenCompose(outcome -> {
                if (outcome instanceof StoreOutcome.Unavailable no) {
                    throw away(cache.name, no.cause(), no.detail(), false);
                }
                missed.confirmed(pending);
                if (outcome instanceof StoreOutcome.Superseded superseded) {
                    writes.overtaken(pending, superseded);
                } else {
                    // Other nodes were told before L2 had it, and may have read the older value since.
                    writes.tell(pending);
                }
                return basis(cache, key, new Lookup.Hit(pending));
            });
        });
    }

    /** What cannot be believed must not be taken for nothing by those who ask what there is for sure. */
    private void requireBelievable(CacheState cache, Lookup said) {
        if (said instanceof Lookup.Hit hit && !clock.observe(hit.entry().version())) {
            throw new UnavailableException(
                    "L2 holds a version of " + hit.entry().version().epochMillis() + " ms in cache '" + cache.name
                            + "', further ahead of this node's clock than limits.max_clock_drift; nothing was changed",
                    "set this node's clock, or that of the node that wrote it");
        }
    }

    private CompletionStage<Basis> basis(CacheState cache, CacheKey key, Lookup said) {
        boolean coming = tiers.isBackupComing();
        return cascade.findBelow(cache, key, said, false).thenApply(found -> {
            requireKnown(cache, found, coming);
            // L2 may still hold what a marker hides, and would take it for a live value.
            WriteCondition unchanged = said instanceof Lookup.Hit hit && cache.hides(hit.entry())
                    ? new WriteCondition.IfVersion(hit.entry().version())
                    : WriteCondition.IF_ABSENT;
            return new Basis(found, unchanged);
        });
    }

    /**
     * An L3 that is merely away does not decide. One that is being restored will say what there is: who counted from nothing meanwhile, or took
     * what is taken, would have done so for good.
     */
    private static Found requireKnown(CacheState cache, Found found, boolean coming) {
        if (coming && found.entry() == null && found.isUnknown()) {
            throw new UnavailableException(
                    "conditional write to cache '" + cache.name
                            + "' needs to know what L3, which is being restored, cannot say yet; nothing was changed",
                    "try again later, or write without a condition");
        }
        return found;
    }

    private CompletionStage<WriteReceipt> apply(
            CacheKey key, Found found, Function<Version, Entry> make, WriteCondition condition, Terms terms) {
        Tier tier = tiers.remote();
        if (remote == null || tier == null) {
            return writes.write(new Intent(key, make, terms), clock);
        }
        Entry held = found.entry();
        CompletionStage<StoreOutcome> ready = held != null && found.source() == Source.L3
                // L2 has lost what L3 still has: give it back first, so that the condition is judged against it.
                ? tier.put(held, WriteCondition.IF_NEWER)
                : CompletableFuture.completedStage(StoreOutcome.APPLIED);
        return ready.thenCompose(restored -> {
                    if (restored instanceof StoreOutcome.Unavailable no) {
                        throw away(key.cache(), no.cause(), no.detail(), false);
                    }
                    return remote.change(key, condition, make, terms.mode());
                })
                .thenCompose(written -> {
                    if (written.outcome() instanceof StoreOutcome.Unavailable no) {
                        if (written.acknowledgements() != null) {
                            throw writes.tooFew(written, "conditional ");
                        }
                        if (written.possible()) {
                            copies.forget(key);
                            writes.tell(written.entry());
                        }
                        throw away(key.cache(), no.cause(), no.detail(), written.possible());
                    }
                    return writes.afterRemote(written, terms);
                });
    }

    private static UnavailableException away(String cache, Unavailability cause, String detail, boolean unknown) {
        return new UnavailableException(
                "conditional write to cache '" + cache + "' needs L2, which is away (" + cause + " " + detail + "); "
                        + (unknown ? "whether it happened is unknown" : "nothing was changed"),
                unknown ? "read the value before trying again" : "try again later");
    }
}
