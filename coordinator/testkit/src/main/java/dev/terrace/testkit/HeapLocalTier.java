package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A local tier on the heap, unbounded. Keeps envelopes and hands them out in a buffer per thread that the next read
 * overwrites, as off-heap tiers do, so that code which holds on to it is found out. Reads do not allocate. Thread-safe.
 */
public final class HeapLocalTier implements LocalTier {
    private final InstantSource clock;
    private final ConcurrentHashMap<CacheKey, byte[]> envelopes = new ConcurrentHashMap<>();
    private final ThreadLocal<Scratch> scratch = ThreadLocal.withInitial(Scratch::new);
    private volatile boolean closed;

    /** An empty tier. */
    public HeapLocalTier(InstantSource clock) {
        this.clock = clock;
    }

    private static final class Scratch {
        private final Probe probe = new Probe();
        private byte[] bytes = new byte[1024];
    }

    /** Stands in for a {@link CacheKey} in look-ups; {@link ConcurrentHashMap} asks the key it is given, not the one it holds. */
    private static final class Probe {
        private KeyBuffer buffer = new KeyBuffer();

        @Override
        public int hashCode() {
            int hash = 1;
            for (int i = 0; i < buffer.length(); i++) {
                hash = 31 * hash + buffer.array()[i];
            }
            return 31 * hash + buffer.nameLength();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof CacheKey key && key.matches(buffer);
        }
    }

    @Override
    @SuppressWarnings("CollectionIncompatibleType") // a probe equals the key it stands for
    public boolean read(KeyBuffer key, EnvelopeView into) {
        if (closed) {
            return false;
        }
        Scratch mine = scratch.get();
        mine.probe.buffer = key;
        byte[] held = envelopes.get(mine.probe);
        if (held == null) {
            return false;
        }
        if (mine.bytes.length < held.length) {
            mine.bytes = new byte[held.length * 2];
        }
        System.arraycopy(held, 0, mine.bytes, 0, held.length);
        long now = clock.millis();
        into.readAt(now);
        return into.wrap(mine.bytes, held.length) == null && into.isFor(key) && now < into.staleUntilMillis();
    }

    private @Nullable Entry live(byte @Nullable [] envelope) {
        return envelope != null
                        && Envelope.decode(envelope) instanceof Envelope.Sound sound
                        && !sound.entry().isExpired(clock.millis())
                ? sound.entry()
                : null;
    }

    private Lookup find(CacheKey key) {
        if (closed) {
            return new Lookup.Unavailable(TierLevel.L1, Unavailability.CLOSED, "closed");
        }
        Entry held = live(envelopes.get(key));
        return held == null ? Lookup.MISS : new Lookup.Hit(held);
    }

    @Override
    public StoreOutcome store(Entry entry, WriteCondition condition) {
        if (closed) {
            return new StoreOutcome.Unavailable(TierLevel.L1, Unavailability.CLOSED, "closed");
        }
        byte[] envelope = Envelope.encode(entry);
        StoreOutcome[] outcome = {StoreOutcome.APPLIED};
        envelopes.compute(entry.key(), (key, before) -> {
            Entry held = live(before);
            if (Conditions.hold(condition, held, entry, clock.millis())) {
                return envelope;
            }
            outcome[0] = new StoreOutcome.Superseded(held == null ? null : held.version());
            return held == null ? null : before;
        });
        return outcome[0];
    }

    @Override
    public void drop(CacheKey key) {
        envelopes.remove(key);
    }

    @Override
    public void dropAll() {
        envelopes.clear();
    }

    /** Flips one bit of what is held under {@code key}. */
    public void corrupt(CacheKey key) {
        envelopes.computeIfPresent(key, (same, held) -> {
            byte[] damaged = Arrays.copyOf(held, held.length);
            damaged[damaged.length / 2] ^= 1;
            return damaged;
        });
    }

    /** Loses everything, as a restarted process does. */
    public void wipe() {
        envelopes.clear();
    }

    @Override
    public TierLevel level() {
        return TierLevel.L1;
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return CompletableFuture.completedFuture(find(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> found = new HashMap<>();
        keys.forEach(key -> found.put(key, find(key)));
        return CompletableFuture.completedFuture(found);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return CompletableFuture.completedFuture(store(entry, condition));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        List<StoreOutcome> outcomes = new ArrayList<>();
        entries.forEach(entry -> outcomes.add(store(entry, WriteCondition.IF_NEWER)));
        return CompletableFuture.completedFuture(outcomes);
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        envelopes.entrySet().removeIf(held -> {
            Entry entry = held.getKey().cache().equals(cache) ? live(held.getValue()) : null;
            return entry != null && !entry.version().isNewerThan(upTo);
        });
        return CompletableFuture.completedFuture(null);
    }

    @Override
    public TierStatus status() {
        return new TierStatus(
                TierLevel.L1,
                closed ? TierStatus.State.CLOSED : TierStatus.State.READY,
                "heap",
                "",
                envelopes.size(),
                -1);
    }

    @Override
    public void close() {
        closed = true;
    }
}
