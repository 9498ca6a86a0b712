package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Times every call of a store with several zones, answers of all kinds. Thread-safe. */
final class MeteredStore implements ReplicatedStore {
    private final ReplicatedStore store;
    private final MeteredTier plain;
    private final Timer write;
    private final Timer change;

    MeteredStore(ReplicatedStore store, MetricRegistry metrics) {
        this.store = store;
        this.plain = new MeteredTier(store, metrics);
        this.write = MeteredTier.timer(metrics, "tier.l2.write");
        this.change = MeteredTier.timer(metrics, "tier.l2.change");
    }

    @Override
    public CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode) {
        return store.read(key, mode);
    }

    @Override
    public CompletionStage<Replicated> write(CacheKey key, Function<Version, Entry> make, ReplicationMode mode) {
        return MeteredTier.timed(write, System.nanoTime(), store.write(key, make, mode));
    }

    @Override
    public CompletionStage<Replicated> change(CacheKey key, Change decision) {
        return MeteredTier.timed(change, System.nanoTime(), store.change(key, decision));
    }

    @Override
    public TierLevel level() {
        return plain.level();
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return plain.get(key);
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return plain.getAll(keys);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return plain.put(entry, condition);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return plain.put(entry, condition, mode);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return plain.putAll(entries);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return plain.putAll(entries, mode);
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return plain.clear(cache, upTo);
    }

    @Override
    public TierStatus status() {
        return plain.status();
    }

    @Override
    public void close() {
        plain.close();
    }
}
