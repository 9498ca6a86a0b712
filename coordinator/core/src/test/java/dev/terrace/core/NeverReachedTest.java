package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.config.Settings;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

/** What nobody has reached yet. */
class NeverReachedTest {
    private static final class Silent extends ForwardingTier implements Probed {
        Silent(Tier tier) {
            super(tier);
        }

        @Override
        public CompletionStage<String> probe() {
            return new CompletableFuture<>();
        }
    }

    @Test
    void anL2ThatWasNeverReachedIsNotSaidToBeUp() {
        Tier remote = new Silent(new HeapTier(TierLevel.L2, InstantSource.system()));
        try (CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(Settings.defaults())
                .tier(remote)
                .build()) {
            await().untilAsserted(
                            () -> assertThat(coordinator.ladder().signals()).containsKey("l2"));
            assertThat(coordinator.ladder().signals().get("l2")).startsWith("unknown");
        }
    }
}
