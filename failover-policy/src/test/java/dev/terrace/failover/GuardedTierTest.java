package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.TierContract;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A healthy guarded tier is the tier itself (the contract); a failing one is left alone, and tried again. */
class GuardedTierTest extends TierContract {
    private static final Duration DEADLINE = Duration.ofMillis(200);
    private static final int THRESHOLD = 5;

    private final MetricRegistry metrics = new MetricRegistry();
    private final FaultyTier faulty = new FaultyTier(new HeapTier(TierLevel.L2, clock));
    private final CacheKey key = CacheKey.of("guarded", "key");

    private static CircuitBreakerSettings settings(boolean enabled) {
        return new CircuitBreakerSettings(enabled, THRESHOLD, Duration.ofSeconds(30), Duration.ofMillis(300), 50);
    }

    @Override
    protected Tier openTier() {
        return guard(new HeapTier(TierLevel.L2, clock), true);
    }

    private GuardedTier guard(Tier tier, boolean enabled) {
        return new GuardedTier(tier, settings(enabled), DEADLINE, metrics);
    }

    private Entry entry() {
        return Entries.value(key, Entries.version(clock.millis(), 1), clock.millis(), Duration.ofMinutes(1), "v");
    }

    private static Lookup get(Tier tier, CacheKey key) {
        return tier.get(key).toCompletableFuture().join();
    }

    private Object state() {
        return metrics.getGauges().get("guard.l2.state").getValue();
    }

    private void open(GuardedTier guarded) {
        for (int i = 0; i < 2 * THRESHOLD; i++) {
            get(guarded, key);
        }
        assertThat(state()).isEqualTo("OPEN");
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMEOUT", "ERROR", "STORAGE"})
    void failuresOpenItAndThenTheTierIsLeftAlone(Unavailability cause) {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(cause);
        open(guarded);
        int calls = faulty.calls();
        assertThat(get(guarded, key))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.BREAKER_OPEN));
        assertThat(guarded.put(entry(), WriteCondition.IF_NEWER)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(StoreOutcome.Unavailable.class);
        assertThat(guarded.putAll(List.of(entry(), entry()))
                        .toCompletableFuture()
                        .join())
                .hasSize(2)
                .allMatch(StoreOutcome.Unavailable.class::isInstance);
        Map<CacheKey, Lookup> found =
                guarded.getAll(List.of(key)).toCompletableFuture().join();
        assertThat(found.get(key)).isInstanceOf(Lookup.Unavailable.class);
        assertThat(faulty.calls()).isEqualTo(calls);
        assertThat(metrics.counter("guard.l2.rejected").getCount()).isGreaterThanOrEqualTo(4);
        assertThat(guarded.status().detail()).contains("circuit breaker open");
    }

    @ParameterizedTest
    @EnumSource(names = {"DISCONNECTED", "OVERLOADED", "CLOSED"})
    void answersThatCostNothingDoNotOpenIt(Unavailability cause) {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(cause);
        for (int i = 0; i < 10 * THRESHOLD; i++) {
            get(guarded, key);
        }
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    void aProbeThatFailsOpensItAgainAndOneThatWorksClosesIt() {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(Unavailability.ERROR);
        open(guarded);
        int calls = faulty.calls();
        await().pollInterval(Duration.ofMillis(10)).untilAsserted(() -> {
            get(guarded, key);
            assertThat(faulty.calls()).isEqualTo(calls + 1);
        });
        assertThat(state()).isEqualTo("OPEN");
        faulty.release();
        await().pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(get(guarded, key)).isInstanceOf(Lookup.Miss.class));
        assertThat(state()).isEqualTo("CLOSED");
        assertThat(guarded.status().detail()).isEmpty();
    }

    @Test
    void aProbeThatFindsNoConnectionDoesNotUseUpTheOnlyPermit() {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(Unavailability.TIMEOUT);
        open(guarded);
        faulty.failWith(Unavailability.DISCONNECTED);
        await().pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(get(guarded, key))
                        .isInstanceOfSatisfying(
                                Lookup.Unavailable.class,
                                no -> assertThat(no.cause()).isEqualTo(Unavailability.DISCONNECTED)));
        faulty.release();
        assertThat(get(guarded, key)).isInstanceOf(Lookup.Miss.class);
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    void aTierThatNeverAnswersIsGivenUpAtTheDeadlineAlsoWithoutABreaker() {
        GuardedTier guarded = guard(faulty, false);
        faulty.hang();
        for (int i = 0; i < 3; i++) {
            long started = System.nanoTime();
            assertThat(get(guarded, key))
                    .isInstanceOfSatisfying(
                            Lookup.Unavailable.class,
                            no -> assertThat(no.cause()).isEqualTo(Unavailability.TIMEOUT));
            assertThat(Duration.ofNanos(System.nanoTime() - started)).isBetween(DEADLINE, Duration.ofSeconds(5));
        }
        assertThat(guarded.put(entry(), WriteCondition.IF_NEWER)
                        .toCompletableFuture()
                        .join())
                .isInstanceOf(StoreOutcome.Unavailable.class);
        assertThat(state()).isEqualTo("DISABLED");
        assertThat(metrics.counter("guard.l2.broken").getCount()).isEqualTo(4);
    }

    @Test
    void aHangingProbeIsCountedAsAFailure() {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(Unavailability.ERROR);
        open(guarded);
        faulty.hang();
        await().pollInterval(Duration.ofMillis(10))
                .untilAsserted(() -> assertThat(get(guarded, key))
                        .isInstanceOfSatisfying(
                                Lookup.Unavailable.class,
                                no -> assertThat(no.cause()).isEqualTo(Unavailability.TIMEOUT)));
        assertThat(state()).isEqualTo("OPEN");
    }

    @Test
    void whatATierThrowsBecomesAnAnswer() {
        GuardedTier guarded = guard(new Throwing(new HeapTier(TierLevel.L2, clock)), true);
        assertThat(get(guarded, key))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.ERROR));
        assertThat(guarded.getAll(List.of(key)).toCompletableFuture().join().get(key))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.ERROR));
    }

    @Test
    @Tag("F76")
    void anErrorWhileItIsTriedDoesNotKeepTheBreakerHalfOpen() {
        Throwing tier = new Throwing(new HeapTier(TierLevel.L2, clock));
        GuardedTier guarded = guard(tier, true);
        open(guarded);
        // Every try that is let through throws; each must give its place back.
        await().untilAsserted(() -> assertThat(get(guarded, key))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.ERROR)));
        tier.mend();
        await().untilAsserted(() -> assertThat(get(guarded, key)).isInstanceOf(Lookup.Miss.class));
        await().untilAsserted(() -> {
            get(guarded, key);
            assertThat(state()).isEqualTo("CLOSED");
        });
    }

    @Test
    void aBulkCallCountsAsFailedWhenMostOfItDid() {
        GuardedTier guarded = guard(faulty, true);
        faulty.failWith(Unavailability.TIMEOUT);
        for (int i = 0; i < THRESHOLD; i++) {
            guarded.getAll(List.of(key, CacheKey.of("guarded", "other")))
                    .toCompletableFuture()
                    .join();
        }
        assertThat(state()).isEqualTo("OPEN");
    }
}
