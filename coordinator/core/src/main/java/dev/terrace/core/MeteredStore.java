package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** Times every call of a store with several zones, answers of all kinds. Thread-safe. */
final class MeteredStore extends ForwardingTier implements ReplicatedStore {
    private final ReplicatedStore store;
    private final Timer write;
    private final Timer change;

    MeteredStore(ReplicatedStore store, MetricRegistry metrics) {
        super(new MeteredTier(store, metrics));
        this.store = store;
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
    public Map<String, HintRoom> hintRoom() {
        return store.hintRoom();
    }
}
