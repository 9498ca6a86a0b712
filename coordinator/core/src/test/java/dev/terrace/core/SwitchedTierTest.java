package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is let through to L2 in each mode. */
class SwitchedTierTest {
    private static final CacheKey DATA = CacheKey.of("quotes", "ACME");
    private static final CacheKey MARKER = MarkerKeys.ofCache("quotes");

    private final RemoteUse use = new RemoteUse();
    private final SwitchedTier tier = new SwitchedTier(new HeapTier(TierLevel.L2, ManualClock.startingNow()), use);

    private boolean isRead(CacheKey... keys) {
        Collection<Lookup> found =
                tier.getAll(List.of(keys)).toCompletableFuture().join().values();
        boolean read = found.stream().noneMatch(lookup -> lookup instanceof Lookup.Unavailable);
        if (keys.length == 1) {
            assertThat(tier.get(keys[0]).toCompletableFuture().join() instanceof Lookup.Unavailable)
                    .as("alone as among others")
                    .isEqualTo(!read);
        }
        return read;
    }

    @Test
    void markersAreReadAgainBeforeAnythingElseIsForTheLastRungWaitsForThem() {
        use.set(RemoteUse.Mode.ALL);
        assertThat(isRead(DATA)).isTrue();
        assertThat(isRead(MARKER)).isTrue();
        use.set(RemoteUse.Mode.WRITES);
        assertThat(isRead(DATA)).isFalse();
        assertThat(isRead(MARKER)).isTrue();
        assertThat(isRead(DATA, MARKER)).isFalse();
        use.set(RemoteUse.Mode.NONE);
        assertThat(isRead(DATA)).isFalse();
        assertThat(isRead(MARKER)).isFalse();
    }
}
