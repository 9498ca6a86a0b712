package dev.terrace.core;

import dev.terrace.api.BadInputException;
import dev.terrace.api.CodecException;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
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
            Cascade cascade,
            Writes writes,
            LocalCopies copies,
            HybridClock clock,
            @Nullable MissedWrites missed,
            Duration longestContention) {
        this.tiers = tiers;
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
    CompletionStage<WriteReceipt> plain(Function<Version, Entry> entry, CacheKey key, boolean durable) {
        return tiers.remote() != null
                ? writes.write(entry.apply(clock.next()), durable)
                : queue.run(key, () -> writes.write(entry.apply(clock.next()), durable));
    }

    /** Many plain writes. */
    CompletionStage<List<WriteReceipt>> plainAll(List<Entry> entries, boolean durable) {
        if (tiers.remote() != null) {
            return writes.writeAll(entries, durable);
        }
        List<CompletableFuture<WriteReceipt>> receipts = new ArrayList<>();
        for (Entry entry : entries) {
            receipts.add(plain(version -> withVersion(entry, version), entry.key(), durable)
                    .toCompletableFuture());
        }
        return Writes.joined(receipts);
    }

    private static Entry withVersion(Entry entry, Version version) {
        return new Entry(
                entry.key(),
                entry.kind(),
                version,
                entry.createdMillis(),
                entry.freshUntilMillis(),
                entry.staleUntilMillis(),
                entry.tags(),
                entry.payload());
    }

    CompletionStage<WriteReceipt> putIfAbsent(
            CacheState cache, CacheKey key, Function<Version, Entry> entry, boolean durable) {
        return queue.run(
                key,
                () -> basis(cache, key).thenCompose(basis -> {
                    Entry held = basis.found().entry();
                    return basis.found().isFreshValue(clock.millis())
                            ? refused(held)
                            : apply(basis.found(), entry.apply(clock.next()), basis.unchanged(), durable);
                }));
    }

    CompletionStage<WriteReceipt> replace(
            CacheState cache, CacheKey key, Version expected, Function<Version, Entry> entry, boolean durable) {
        return queue.run(
                key,
                () -> basis(cache, key).thenCompose(basis -> {
                    Entry held = basis.found().entry();
                    return held == null || !held.version().equals(expected) || !held.isValue()
                            ? refused(held)
                            : apply(
                                    basis.found(),
                                    entry.apply(clock.next()),
                                    new WriteCondition.IfVersion(expected),
                                    durable);
                }));
    }

    /** Adds to a decimal number; {@code make} turns the new number's text and a version into an entry. */
    CompletionStage<Long> increment(
            CacheState cache,
            CacheKey key,
            long delta,
            Function<Version, Function<byte[], Entry>> make,
            boolean durable) {
        long started = System.nanoTime();
        return queue.run(key, () -> increment(cache, key, delta, make, durable, started));
    }

    private CompletionStage<Long> increment(
            CacheState cache,
            CacheKey key,
            long delta,
            Function<Version, Function<byte[], Entry>> make,
            boolean durable,
            long started) {
        return basis(cache, key).thenCompose(basis -> {
            Entry held =
                    basis.found().isFreshValue(clock.millis()) ? basis.found().entry() : null;
            long sum = sum(cache, held == null ? 0 : number(cache, held.payload()), delta);
            byte[] text = Long.toString(sum).getBytes(StandardCharsets.US_ASCII);
            WriteCondition condition = held == null ? basis.unchanged() : new WriteCondition.IfVersion(held.version());
            return apply(basis.found(), make.apply(clock.next()).apply(text), condition, durable)
                    .thenCompose(receipt -> {
                        if (receipt.applied()) {
                            return CompletableFuture.completedStage(sum);
                        }
                        if (System.nanoTime() - started > longestContentionNanos) {
                            throw new UnavailableException(
                                    "increment in cache '" + cache.name + "' lost races against other nodes for "
                                            + Duration.ofNanos(longestContentionNanos)
                                                    .toMillis()
                                            + " ms; nothing was changed",
                                    "try again, or spread the counter over several keys");
                        }
                        return increment(cache, key, delta, make, durable, started);
                    });
        });
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

    /** The newest copy by the word of whoever decides: L2 and what lies below it, or this process. */
    private CompletionStage<Basis> basis(CacheState cache, CacheKey key) {
        Tier remote = tiers.remote();
        if (remote == null) {
            return cascade.find(cache, key).thenApply(found -> new Basis(found, WriteCondition.IF_ABSENT));
        }
        return remote.get(key).thenCompose(said -> {
            Entry pending = missed == null ? null : missed.pending(key);
            Version held = said instanceof Lookup.Hit hit ? hit.entry().version() : null;
            if (said instanceof Lookup.Unavailable no) {
                throw away(cache.name, no.cause(), no.detail(), false);
            }
            if (missed == null || pending == null || !pending.version().isNewerThan(held)) {
                return basis(cache, key, said);
            }
            // L2 lags behind a write of ours: it must have that one before it can judge.
            return remote.put(pending, WriteCondition.IF_NEWER).thenCompose(outcome -> {
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

    private CompletionStage<Basis> basis(CacheState cache, CacheKey key, Lookup said) {
        // L2 may still hold what a clear() hides, and would take it for a live value.
        WriteCondition unchanged = said instanceof Lookup.Hit hit && cache.hides(hit.entry())
                ? new WriteCondition.IfVersion(hit.entry().version())
                : WriteCondition.IF_ABSENT;
        return cascade.findBelow(cache, key, said).thenApply(found -> new Basis(found, unchanged));
    }

    private CompletionStage<WriteReceipt> apply(Found found, Entry entry, WriteCondition condition, boolean durable) {
        Tier remote = tiers.remote();
        if (remote == null) {
            return writes.write(entry, durable);
        }
        Entry held = found.entry();
        CompletionStage<StoreOutcome> ready = held != null && found.source() == Source.L3
                // L2 has lost what L3 still has: give it back first, so that the condition is judged against it.
                ? remote.put(held, WriteCondition.IF_NEWER)
                : CompletableFuture.completedStage(StoreOutcome.APPLIED);
        return ready.thenCompose(restored -> {
                    if (restored instanceof StoreOutcome.Unavailable no) {
                        throw away(entry.key().cache(), no.cause(), no.detail(), false);
                    }
                    return remote.put(entry, condition);
                })
                .thenCompose(outcome -> {
                    if (outcome instanceof StoreOutcome.Unavailable no) {
                        boolean unknown = mayHaveHappened(no.cause());
                        if (unknown) {
                            copies.forget(entry.key());
                            writes.tell(entry);
                        }
                        throw away(entry.key().cache(), no.cause(), no.detail(), unknown);
                    }
                    if (outcome instanceof StoreOutcome.Refused no) {
                        throw new BadInputException(
                                "L2 refused a write to cache '" + entry.key().cache() + "': " + no.reason(),
                                "nothing was changed");
                    }
                    return writes.afterRemote(entry, outcome, durable);
                });
    }

    private static boolean mayHaveHappened(Unavailability cause) {
        return switch (cause) {
            case TIMEOUT, DISCONNECTED, ERROR, STORAGE -> true;
            case OVERLOADED, BREAKER_OPEN, FORGETFUL, CLOSED -> false;
        };
    }

    private static UnavailableException away(String cache, Unavailability cause, String detail, boolean unknown) {
        return new UnavailableException(
                "conditional write to cache '" + cache + "' needs L2, which is away (" + cause + " " + detail + "); "
                        + (unknown ? "whether it happened is unknown" : "nothing was changed"),
                unknown ? "read the value before trying again" : "try again later");
    }
}
