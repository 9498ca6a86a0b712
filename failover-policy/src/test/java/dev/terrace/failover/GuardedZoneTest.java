package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.CircuitBreakerSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replica.Standing;
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
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A guarded zone is the zone itself while that works; one that fails is left alone, but for those who fill it, and tried again. */
class GuardedZoneTest extends TierContract {
    private static final int THRESHOLD = 5;
    private static final Duration DEADLINE = Duration.ofMillis(500);
    private static final Duration NEVER = Duration.ofMinutes(10);
    private static final Duration SOON = Duration.ofMillis(20);

    private final MetricRegistry metrics = new MetricRegistry();
    private final FaultyTier tier = new FaultyTier(new HeapTier(TierLevel.L2, clock));
    private final ScriptedZone zone = new ScriptedZone(tier);
    private int keys;

    private GuardedZone guarded(Duration reset) {
        return guarded(new CircuitBreakerSettings(true, THRESHOLD, Duration.ofSeconds(30), reset, 50));
    }

    private GuardedZone guarded(CircuitBreakerSettings settings) {
        return new GuardedZone(zone, settings, DEADLINE, metrics);
    }

    @Override
    protected Tier openTier() {
        return guarded(NEVER);
    }

    private CacheKey key() {
        return CacheKey.of("guarded", "key-" + keys++);
    }

    private Entry entry() {
        return Entries.value(key(), Entries.version(clock.millis(), 1), clock.millis(), Duration.ofMinutes(1), "v");
    }

    private static <T> T answer(CompletionStage<T> stage) {
        return stage.toCompletableFuture().join();
    }

    private Object state() {
        return metrics.getGauges().get("guard.zone.a.state").getValue();
    }

    private void fail(GuardedZone guard, Unavailability cause) {
        tier.failWith(cause);
        for (int i = 0; i < 2 * THRESHOLD; i++) {
            answer(guard.get(key()));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMEOUT", "ERROR", "STORAGE"})
    void aZoneThatFailsIsNotAskedAndLooksLikeOneThatDoesNotAnswer(Unavailability cause) {
        GuardedZone guard = guarded(NEVER);
        fail(guard, cause);
        assertThat(state()).isEqualTo("OPEN");
        assertThat(guard.signal(0).state()).isEqualTo(Signal.State.DOWN);
        assertThat(guard.status().detail()).contains("circuit breaker open");
        int calls = tier.calls();

        assertThat(answer(guard.get(key())))
                .isEqualTo(answer(guard.vote(key())))
                .isInstanceOf(Lookup.Unavailable.class);
        assertThat(answer(guard.query(key())))
                .isInstanceOfSatisfying(
                        Ballot.Unknown.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.BREAKER_OPEN));
        assertThat(answer(guard.promise(key(), entry().version(), Duration.ofSeconds(1))))
                .isInstanceOf(Promise.Unknown.class);
        assertThat(List.of(answer(guard.accept(entry())), answer(guard.put(entry(), WriteCondition.IF_NEWER))))
                .allMatch(StoreOutcome.Unavailable.class::isInstance);
        assertThat(answer(guard.putAll(List.of(entry(), entry()))))
                .hasSize(2)
                .allMatch(StoreOutcome.Unavailable.class::isInstance);
        CacheKey one = key();
        assertThat(answer(guard.getAll(List.of(one))).get(one)).isInstanceOf(Lookup.Unavailable.class);
        assertThat(tier.calls()).isEqualTo(calls);
        assertThat(metrics.counter("guard.zone.a.rejected").getCount()).isGreaterThanOrEqualTo(8);

        assertThat(answer(guard.examine())).as("who fills it is let through").isEqualTo(Standing.MEMBER);
        assertThat(answer(guard.restore(entry()))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(answer(guard.admit("token"))).isTrue();
    }

    @ParameterizedTest
    @EnumSource(names = {"DISCONNECTED", "OVERLOADED", "FORGETFUL"})
    void whatCostsNothingDoesNotOpenIt(Unavailability cause) {
        fail(guarded(NEVER), cause);
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    @Tag("F64")
    void oneBadKeyDoesNotOpenIt() {
        GuardedZone guard = guarded(NEVER);
        tier.failWith(Unavailability.ERROR);
        CacheKey bad = key();
        for (int i = 0; i < 10 * THRESHOLD; i++) {
            answer(guard.vote(bad));
        }
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    @Tag("F67")
    void aTryThatWorksAllTheTimeDoesNotCloseItButCallsDo() {
        GuardedZone guard = guarded(SOON);
        fail(guard, Unavailability.TIMEOUT);
        assertThat(answer(guard.probe(zone))).isEmpty();
        await().until(() -> state().equals("HALF_OPEN"));
        answer(guard.get(key()));
        assertThat(answer(guard.probe(zone))).isEmpty();
        assertThat(state()).as("calls still fail, and it is they who decide").isEqualTo("HALF_OPEN");
        answer(guard.get(key()));
        answer(guard.get(key()));
        assertThat(state()).isEqualTo("OPEN");

        tier.release();
        await().until(() -> state().equals("HALF_OPEN"));
        for (int i = 0; i < 3; i++) {
            answer(guard.get(key()));
        }
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    void aZoneThatHasForgottenAnswersAllTheSame() {
        GuardedZone guard = guarded(SOON);
        fail(guard, Unavailability.TIMEOUT);
        await().until(() -> state().equals("HALF_OPEN"));
        tier.failWith(Unavailability.FORGETFUL);
        for (int i = 0; i < 3; i++) {
            answer(guard.vote(key()));
        }
        assertThat(state()).isEqualTo("CLOSED");
    }

    @Test
    void aTryThatWorksAfterOthersHadFailedHasCallsTryItAtOnce() {
        GuardedZone guard = guarded(NEVER);
        fail(guard, Unavailability.TIMEOUT);
        answer(guard.probe(zone));
        assertThat(state()).as("nothing has changed").isEqualTo("OPEN");
        zone.trouble = "no answer";
        answer(guard.probe(zone));
        assertThat(state()).isEqualTo("OPEN");
        zone.trouble = "";
        answer(guard.probe(zone));
        assertThat(state()).isEqualTo("HALF_OPEN");
        assertThat(guard.signal(0).state()).isEqualTo(Signal.State.UNKNOWN);
    }

    @Test
    void whereNoCallComesATryDecides() {
        GuardedZone guard = guarded(SOON);
        fail(guard, Unavailability.TIMEOUT);
        await().until(() -> state().equals("HALF_OPEN"));
        zone.trouble = "no answer";
        await().until(() -> {
            answer(guard.probe(zone));
            return state().equals("OPEN");
        });
        zone.trouble = "";
        await().until(() -> {
            answer(guard.probe(zone));
            return state().equals("CLOSED");
        });
    }

    @Test
    @Tag("F16")
    void slowAnswersOpenItThoughTheyAreRight() {
        GuardedZone guard = guarded(new CircuitBreakerSettings(true, THRESHOLD, Duration.ofNanos(1), NEVER, 50));
        for (int i = 0; i < THRESHOLD; i++) {
            assertThat(answer(guard.get(key()))).isEqualTo(Lookup.MISS);
        }
        assertThat(state()).isEqualTo("OPEN");
    }

    @Test
    void disabledItNeverOpens() {
        fail(guarded(new CircuitBreakerSettings(false, THRESHOLD, DEADLINE, NEVER, 50)), Unavailability.TIMEOUT);
        assertThat(state()).isEqualTo("DISABLED");
    }

    @Test
    void onlyWhatIsStoredShowsThatStoringWorks() {
        GuardedZone guard = guarded(NEVER);
        answer(guard.get(key()));
        assertThat(guard.hasStoredWithin(DEADLINE.toNanos())).isFalse();
        answer(guard.put(entry(), WriteCondition.IF_NEWER));
        assertThat(guard.hasStoredWithin(DEADLINE.toNanos())).isTrue();
    }
}
