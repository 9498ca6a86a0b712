package dev.terrace.core;

import dev.terrace.api.CodecException;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes that depend on what is there. With an L2 it decides, in one atomic step for the whole fleet, and without its
 * answer nothing is done. Without one this process decides: operations of one key queue up. Thread-safe.
 */
final class ConditionalWrites {
    /** Lost races before an increment gives up; nodes that race this often hold each other up for milliseconds. */
    private static final int MOST_TRIES = 100;

    private final Tiers tiers;
    private final Cascade cascade;
    private final Writes writes;
    private final HybridClock clock;
    private final @Nullable MissedWrites missed;
    private final KeyQueue queue = new KeyQueue();

    ConditionalWrites(Tiers tiers, Cascade cascade, Writes writes, HybridClock clock, @Nullable MissedWrites missed) {
        this.tiers = tiers;
        this.cascade = cascade;
        this.writes = writes;
        this.clock = clock;
        this.missed = missed;
    }

    /** A plain write. Without an L2 it queues behind conditional ones of its key, so that none of them is lost. */
    CompletionStage<WriteReceipt> plain(Function<Version, Entry> entry, CacheKey key, boolean durable) {
        return tiers.remote() != null
                ? writes.write(entry.apply(clock.next()), durable)
                : queue.run(key, () -> writes.write(entry.apply(clock.next()), durable));
    }

    CompletionStage<WriteReceipt> putIfAbsent(
            CacheState cache, CacheKey key, Function<Version, Entry> entry, boolean durable) {
        return queue.run(
                key,
                () -> current(cache, key).thenCompose(found -> {
                    if (found.isFreshValue(clock.millis())) {
                        return refused(found.entry());
                    }
                    return apply(found, entry.apply(clock.next()), WriteCondition.IF_ABSENT, durable);
                }));
    }

    CompletionStage<WriteReceipt> replace(
            CacheState cache, CacheKey key, Version expected, Function<Version, Entry> entry, boolean durable) {
        return queue.run(
                key,
                () -> current(cache, key).thenCompose(found -> {
                    Entry held = found.entry();
                    if (held == null || !held.version().equals(expected) || !held.isValue()) {
                        return refused(held);
                    }
                    return apply(found, entry.apply(clock.next()), new WriteCondition.IfVersion(expected), durable);
                }));
    }

    /** Adds to a decimal number; {@code make} turns the new number's text and a version into an entry. */
    CompletionStage<Long> increment(
            CacheState cache,
            CacheKey key,
            long delta,
            Function<Version, Function<byte[], Entry>> make,
            boolean durable) {
        return queue.run(key, () -> increment(cache, key, delta, make, durable, 1));
    }

    private CompletionStage<Long> increment(
            CacheState cache,
            CacheKey key,
            long delta,
            Function<Version, Function<byte[], Entry>> make,
            boolean durable,
            int attempt) {
        return current(cache, key).thenCompose(found -> {
            Entry held = found.entry();
            boolean live = found.isFreshValue(clock.millis());
            long sum = sum(cache, live && held != null ? number(cache, held.payload()) : 0, delta);
            byte[] text = Long.toString(sum).getBytes(StandardCharsets.US_ASCII);
            WriteCondition condition =
                    live && held != null ? new WriteCondition.IfVersion(held.version()) : WriteCondition.IF_ABSENT;
            return apply(found, make.apply(clock.next()).apply(text), condition, durable)
                    .thenCompose(receipt -> {
                        if (receipt.applied()) {
                            return CompletableFuture.completedStage(sum);
                        }
                        if (attempt >= MOST_TRIES) {
                            throw new UnavailableException(
                                    "increment in cache '" + cache.name + "' lost " + attempt
                                            + " races against other nodes; nothing was changed",
                                    "try again, or spread the counter over several keys");
                        }
                        return increment(cache, key, delta, make, durable, attempt + 1);
                    });
        });
    }

    private static long sum(CacheState cache, long held, long delta) {
        try {
            return Math.addExact(held, delta);
        } catch (ArithmeticException e) {
            throw new CodecException(
                    "increment in cache '" + cache.name + "': " + held + " + " + delta + " does not fit 64 bits",
                    "",
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
    private CompletionStage<Found> current(CacheState cache, CacheKey key) {
        if (tiers.remote() == null) {
            return cascade.find(cache, key);
        }
        MissedWrites lagging = missed;
        Entry pending = lagging == null ? null : lagging.shadow(key);
        if (lagging == null || pending == null) {
            return cascade.findBelowLocal(cache, key);
        }
        // L2 lags behind a write of ours: it must have that one before it can judge.
        return remote().put(pending, WriteCondition.IF_NEWER).thenCompose(outcome -> {
            check(pending, outcome);
            lagging.confirmed(pending);
            return cascade.findBelowLocal(cache, key);
        });
    }

    private Tier remote() {
        Tier remote = tiers.remote();
        if (remote == null) {
            throw new IllegalStateException("asked for a tier that is not there");
        }
        return remote;
    }

    private CompletionStage<WriteReceipt> apply(Found found, Entry entry, WriteCondition condition, boolean durable) {
        if (tiers.remote() == null) {
            return writes.write(entry, durable);
        }
        Entry held = found.entry();
        CompletionStage<StoreOutcome> ready = held != null && found.source() == Source.L3
                // L2 has lost what L3 still has: give it back first, so that the condition is judged against it.
                ? remote().put(held, WriteCondition.IF_NEWER)
                : CompletableFuture.completedStage(StoreOutcome.APPLIED);
        return ready.thenCompose(restored -> remote().put(entry, condition)).thenCompose(outcome -> {
            check(entry, outcome);
            return writes.afterRemote(entry, outcome, durable);
        });
    }

    private static void check(Entry entry, StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Unavailable no) {
            boolean unknown = no.cause() == Unavailability.TIMEOUT || no.cause() == Unavailability.ERROR;
            throw new UnavailableException(
                    "conditional write to cache '" + entry.key().cache() + "' needs L2, which is away ("
                            + no.cause() + " " + no.detail() + "); "
                            + (unknown ? "whether it happened is unknown" : "nothing was changed"),
                    "try again later, and read the value first if it may have happened");
        }
        if (outcome instanceof StoreOutcome.Refused no) {
            throw new UnavailableException("L2 refused the write: " + no.reason(), "");
        }
    }
}
