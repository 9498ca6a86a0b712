package dev.terrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A healthy one is transparent (the contract), a faulty one does what was asked. */
class FaultyTierTest extends TierContract {
    private final CacheKey key = CacheKey.of("faults", "key");

    @Override
    protected Tier openTier() {
        return new FaultyTier(new HeapTier(TierLevel.L3, clock));
    }

    @Test
    void lostRepliesLeaveTheWriteBehind() {
        FaultyTier faulty = new FaultyTier(new HeapTier(TierLevel.L2, clock));
        faulty.loseReplies();
        StoreOutcome outcome = faulty.put(
                        Entries.value(
                                key, Entries.version(clock.millis(), 1), clock.millis(), Duration.ofMinutes(1), "v"),
                        WriteCondition.IF_NEWER)
                .toCompletableFuture()
                .join();
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        StoreOutcome.Unavailable.class,
                        no -> assertThat(no.cause()).isEqualTo(Unavailability.TIMEOUT));
        faulty.release();
        assertThat(faulty.get(key).toCompletableFuture().join()).isInstanceOf(Lookup.Hit.class);
    }

    @Test
    void heldCallsRunOnReleaseAndHungOnesNever() {
        FaultyTier faulty = new FaultyTier(new HeapTier(TierLevel.L2, clock));
        faulty.hold();
        CompletableFuture<Lookup> waits = faulty.get(key).toCompletableFuture();
        assertThat(faulty.waiting()).isEqualTo(1);
        faulty.hang();
        CompletableFuture<Lookup> hangs = faulty.get(key).toCompletableFuture();
        faulty.release();
        assertThat(waits).isCompletedWithValue(Lookup.MISS);
        assertThat(hangs).isNotDone();
        assertThat(faulty.calls()).isEqualTo(2);
    }
}
