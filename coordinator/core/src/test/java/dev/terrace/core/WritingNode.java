package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.JournalSettings;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.WritePolicy;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.WriteJournal;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;

/** A node with an L1 of its own and an L2 that it may share, whose caches {@code through} and {@code behind} have a writer. */
final class WritingNode implements AutoCloseable {
    static final Duration TTL = Duration.ofMinutes(1);
    static final WritePolicy BEHIND = WritePolicy.defaults()
            .withPolicy(WritePolicy.Kind.BEHIND)
            .withRetries(3, Duration.ofMillis(5), Duration.ofMillis(20));

    final MetricRegistry metrics = new MetricRegistry();
    final FaultyTier remote;
    final CacheCoordinator coordinator;

    WritingNode(HeapTier shared, InstantSource clock, WriteJournal journal, long id) {
        this(shared, clock, journal, id, settings(BEHIND, JournalSettings.defaults()));
    }

    WritingNode(HeapTier shared, InstantSource clock, WriteJournal journal, long id, Settings settings) {
        remote = new FaultyTier(shared);
        coordinator = CacheCoordinator.builder()
                .settings(settings)
                .clock(clock)
                .metrics(metrics)
                .nodeId(id)
                .tier(new HeapLocalTier(clock))
                .tier(remote)
                .journal(journal)
                .build();
    }

    static Settings settings(WritePolicy behind, JournalSettings journal) {
        CachePolicy base = new CachePolicy(TTL, null, null, null);
        return Stack.settings(new LoadingSettings(Duration.ofSeconds(5), 8), LimitSettings.defaults())
                .withCaches(Map.of(
                        "through",
                        base.withWrite(WritePolicy.defaults()
                                .withPolicy(WritePolicy.Kind.THROUGH)
                                .withTimeout(Duration.ofMillis(300))),
                        "behind",
                        base.withWrite(behind),
                        "aside",
                        base))
                .withJournal(journal);
    }

    static HeapTier remoteTier(InstantSource clock) {
        return new HeapTier(TierLevel.L2, clock);
    }

    Cache<String, String> through(WrittenOrigin origin) {
        return coordinator.cache("through", Codecs.stringKey(), Codecs.string(), origin);
    }

    Cache<String, String> behind(WrittenOrigin origin) {
        return coordinator.cache("behind", Codecs.stringKey(), Codecs.string(), origin);
    }

    /** A view that does not bring a writer. */
    Cache<String, String> plain(String name) {
        return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
    }

    long gauge(String name) {
        return ((Number) metrics.getGauges().get(name).getValue()).longValue();
    }

    long count(String name) {
        return metrics.counter(name).getCount();
    }

    @Override
    public void close() {
        coordinator.close();
    }
}
