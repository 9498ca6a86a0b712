package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.TIMEOUT;
import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.awaitReady;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.open;
import static dev.terrace.tier.redis.RedisFixture.openReady;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The network and the server fail under the tier: nobody waits longer than the deadline, and it heals by itself. */
@Tag("alone")
class RedisFaultsIT {
    private static final Duration HEALED = Duration.ofSeconds(15);

    private RedisProcess redis;

    @BeforeEach
    void start() {
        redis = RedisProcess.start();
    }

    @AfterEach
    void stop() {
        redis.close();
    }

    @Test
    void aFrozenServerHoldsNobodyLongerThanTheDeadline() {
        try (RedisTier tier = openReady(redis.port())) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.freeze();
            try {
                burstEndsInTime(tier);
            } finally {
                redis.thaw();
            }
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class));
            assertThat(put(tier, entry("a", 2))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
        }
    }

    /** 32 gets and 32 puts at once; every one must say TIMEOUT (or DISCONNECTED) by the deadline and a little. */
    private static void burstEndsInTime(RedisTier tier) {
        List<CompletableFuture<Unavailability>> calls = new ArrayList<>();
        long latest = TIMEOUT.toMillis() + 150;
        Stalls stalls = new Stalls();
        long begin = System.nanoTime();
        for (int i = 0; i < 32; i++) {
            calls.add(tier.get(key("a" + i))
                    .thenApply(found -> ((Lookup.Unavailable) found).cause())
                    .toCompletableFuture());
            calls.add(tier.put(entry("b" + i), WriteCondition.IF_NEWER)
                    .thenApply(outcome -> ((StoreOutcome.Unavailable) outcome).cause())
                    .toCompletableFuture());
        }
        long sent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        answer(CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)));
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        assertThat(calls)
                .allSatisfy(call -> assertThat(call.join()).isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED));
        long stalled = stalls.end();
        assertThat(took)
                .as("from the first call, of which sending took %s ms; the machine stalled for %s ms", sent, stalled)
                .isLessThan(sent + latest + stalled);
    }

    @Test
    void aKilledServerIsReportedInTimeAndItsSuccessorOnTheSamePortIsUsed() {
        try (RedisTier tier = openReady(redis.port())) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.kill();
            burstEndsInTime(tier);
            redis.restart();
            // Its script cache is empty: the first write finds that out and loads the scripts.
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(tier, entry("b"))).isEqualTo(StoreOutcome.APPLIED));
            assertThat(get(tier, "b")).isInstanceOf(Lookup.Hit.class);
            assertThat(get(tier, "a")).isEqualTo(Lookup.MISS);
        }
    }

    @Test
    void aHalfOpenConnectionHoldsNobodyLongerThanTheDeadline() {
        try (TcpProxy proxy = TcpProxy.to(redis.port());
                RedisTier tier = openReady(proxy.port())) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            for (TcpProxy.Mode mode :
                    List.of(TcpProxy.Mode.LOSE_ALL, TcpProxy.Mode.LOSE_ANSWERS, TcpProxy.Mode.LOSE_REQUESTS)) {
                proxy.mode(mode);
                burstEndsInTime(tier);
                proxy.mode(TcpProxy.Mode.PASS);
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class));
            }
        }
    }

    @Test
    void cutConnectionsAreReplaced() {
        try (TcpProxy proxy = TcpProxy.to(redis.port());
                RedisTier tier = openReady(proxy.port())) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            for (int i = 0; i < 5; i++) {
                proxy.cut();
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class));
            }
        }
    }

    @Test
    void aSlowNetworkWithinTheDeadlineIsNoFault() {
        try (TcpProxy proxy = TcpProxy.to(redis.port());
                RedisTier tier = openReady(proxy.port())) {
            proxy.delay(TIMEOUT.dividedBy(8));
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
        }
    }

    @Test
    void aTierOpenedWithoutAServerSaysSoAtOnceAndJoinsLater() {
        redis.kill();
        try (RedisTier tier = open(redis.port())) {
            long begin = System.nanoTime();
            Lookup found = get(tier, "a");
            StoreOutcome outcome = put(tier, entry("a"));
            assertThat(System.nanoTime() - begin).isLessThan(TimeUnit.MILLISECONDS.toNanos(150));
            assertThat(((Lookup.Unavailable) found).cause()).isEqualTo(Unavailability.DISCONNECTED);
            assertThat(((StoreOutcome.Unavailable) outcome).cause()).isEqualTo(Unavailability.DISCONNECTED);
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.CONNECTING);
            redis.restart();
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F23")
    void aServerThatIsNoRedisIsNamedAndHoldsNobody() {
        try (TcpProxy proxy = TcpProxy.to(redis.port())) {
            proxy.mode(TcpProxy.Mode.ANSWER_RUBBISH);
            try (RedisTier tier = open(proxy.port())) {
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(tier.status().detail()).isNotEqualTo("connecting"));
                assertThat(tier.status().detail()).contains("not a Redis server");
                assertThat(((Lookup.Unavailable) get(tier, "a")).cause()).isEqualTo(Unavailability.DISCONNECTED);
                proxy.mode(TcpProxy.Mode.PASS);
                awaitReady(tier);
                proxy.mode(TcpProxy.Mode.ANSWER_RUBBISH);
                assertThat(get(tier, "a")).isInstanceOf(Lookup.Unavailable.class);
                assertThat(put(tier, entry("a"))).isInstanceOf(StoreOutcome.Unavailable.class);
                proxy.mode(TcpProxy.Mode.PASS);
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED));
            }
        }
    }

    @Test
    void failedAttemptsLeaveNoThreadsBehind() {
        redis.kill();
        int before = redissonThreads();
        try (RedisTier tier = open(redis.port())) {
            await().during(Duration.ofSeconds(3))
                    .atMost(Duration.ofSeconds(12))
                    .untilAsserted(() -> assertThat(redissonThreads()).isLessThan(before + 40));
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.CONNECTING);
        }
        await().atMost(HEALED).untilAsserted(() -> assertThat(redissonThreads()).isLessThanOrEqualTo(before));
    }

    private static int redissonThreads() {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("redisson"))
                .count();
    }

    @Test
    void closingWhileItConnectsLeavesNothingBehind() {
        int before = redissonThreads();
        for (int i = 0; i < 10; i++) {
            RedisTier tier = open(redis.port());
            await().pollDelay(Duration.ofMillis(i * 20L)).until(() -> true);
            tier.close();
            assertThat(((Lookup.Unavailable) get(tier, "a")).cause()).isEqualTo(Unavailability.CLOSED);
        }
        await().atMost(HEALED).untilAsserted(() -> assertThat(redissonThreads()).isLessThanOrEqualTo(before));
    }
}
