package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.ForwardingLocalTier;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** L1 evicts an entry the moment it was written, and a reader comes just then, before L3 was told. */
@Tag("F29")
class EvictedWhileWritingTest {
    private final ManualClock clock = ManualClock.startingNow();
    private final FaultyTier backup = new FaultyTier(new HeapTier(TierLevel.L3, clock));
    private final EvictingTier local = new EvictingTier(new HeapLocalTier(clock));

    @Test
    void whatL3StillHoldsIsNotPromotedOverTheWrite() throws Exception {
        try (CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(Stack.settings())
                .clock(clock)
                .nodeId(1)
                .tier(local)
                .tier(backup)
                .build()) {
            Cache<String, String> cache = coordinator.cache("quotes", Codecs.stringKey(), Codecs.string());
            cache.put("k", "old");
            await().until(() -> coordinator.tiers().size() == 2
                    && backup.get(CacheKey.of("quotes", "k"))
                                    .toCompletableFuture()
                                    .join()
                            instanceof Lookup.Hit);
            CompletableFuture<?>[] reader = new CompletableFuture<?>[1];
            local.afterStore = () -> {
                int before = backup.calls();
                reader[0] = CompletableFuture.supplyAsync(() -> cache.get("k"));
                await().until(() -> backup.calls() > before);
            };

            cache.put("k", "new");

            reader[0].get(10, TimeUnit.SECONDS);
            assertThat(cache.get("k")).isEqualTo("new");
        }
    }

    /** Does not keep the next entry that is stored, and runs something before the store returns. */
    private static final class EvictingTier extends ForwardingLocalTier {
        private volatile @Nullable Runnable afterStore;

        EvictingTier(HeapLocalTier tier) {
            super(tier);
        }

        @Override
        public StoreOutcome store(Entry entry, WriteCondition condition) {
            StoreOutcome outcome = super.store(entry, condition);
            Runnable once = afterStore;
            if (once != null) {
                afterStore = null;
                drop(entry.key());
                once.run();
            }
            return outcome;
        }

        @Override
        public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
            return CompletableFuture.completedStage(store(entry, condition));
        }
    }
}
