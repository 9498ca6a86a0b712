package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Times every call of a tier, answers of all kinds. Sits inside the guard, so that calls it keeps away do not count. */
final class MeteredTier extends ForwardingTier {
    private final Timer get;
    private final Timer getAll;
    private final Timer put;
    private final Timer putAll;

    MeteredTier(Tier tier, MetricRegistry metrics) {
        super(tier);
        String prefix = "tier." + tier.level().name().toLowerCase(Locale.ROOT) + ".";
        this.get = timer(metrics, prefix + "get");
        this.getAll = timer(metrics, prefix + "get_all");
        this.put = timer(metrics, prefix + "put");
        this.putAll = timer(metrics, prefix + "put_all");
    }

    static Timer timer(MetricRegistry metrics, String name) {
        return metrics.timer(name, SummingTimer::new);
    }

    static <T> CompletionStage<T> timed(Timer timer, long started, CompletionStage<T> stage) {
        return stage.whenComplete((answer, bug) -> timer.update(System.nanoTime() - started, TimeUnit.NANOSECONDS));
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return timed(get, System.nanoTime(), super.get(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        return timed(getAll, System.nanoTime(), super.getAll(keys));
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return timed(put, System.nanoTime(), super.put(entry, condition));
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition, ReplicationMode mode) {
        return timed(put, System.nanoTime(), super.put(entry, condition, mode));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries, ReplicationMode mode) {
        return timed(putAll, System.nanoTime(), super.putAll(entries, mode));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        return timed(putAll, System.nanoTime(), super.putAll(entries));
    }
}
