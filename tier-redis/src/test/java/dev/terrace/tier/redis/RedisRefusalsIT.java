package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.awaitReady;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.open;
import static dev.terrace.tier.redis.RedisFixture.openReady;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The server answers, and says no: the tier passes on why, in words that help. */
class RedisRefusalsIT {
    private static RedisTier open(String username, String password, int port) {
        return RedisFixture.open(
                RedisFixture.settings(Topology.AUTO, username, password, port),
                InstantSource.system(),
                new MetricRegistry());
    }

    private static void awaitDetail(RedisTier tier, String part) {
        await().atMost(Duration.ofSeconds(15))
                .untilAsserted(() -> assertThat(tier.status().detail()).contains(part));
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.CONNECTING);
        Lookup found = get(tier, "a");
        assertThat(((Lookup.Unavailable) found).cause()).isEqualTo(Unavailability.DISCONNECTED);
        assertThat(((Lookup.Unavailable) found).detail()).contains(part);
    }

    @Test
    @Tag("F24")
    void aWrongPasswordIsNamedAndTheTierJoinsWhenTheServersIsCorrected() {
        try (RedisProcess redis = RedisProcess.start("--requirepass", "right");
                RedisTier tier = open(null, "wrong-secret", redis.port())) {
            awaitDetail(tier, "WRONGPASS");
            assertThat(tier.status().detail()).doesNotContain("wrong-secret");
            redis.commandWithPassword("right", "CONFIG", "SET", "requirepass", "wrong-secret");
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F24")
    void aMissingPasswordIsNamedAndTheTierJoinsWhenNoneIsAskedForAnyMore() {
        try (RedisProcess redis = RedisProcess.start("--requirepass", "right");
                RedisTier tier = RedisFixture.open(redis.port())) {
            awaitDetail(tier, "NOAUTH");
            redis.commandWithPassword("right", "CONFIG", "SET", "requirepass", "");
            awaitReady(tier);
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F24")
    void aMissingPermissionIsNamed() {
        try (RedisProcess redis = RedisProcess.start()) {
            redis.command("ACL", "SETUSER", "app", "on", ">app", "~*", "+@all", "-evalsha");
            try (RedisTier tier = open("app", "app", redis.port())) {
                awaitReady(tier);
                StoreOutcome outcome = put(tier, entry("a"));
                assertThat(((StoreOutcome.Unavailable) outcome).cause()).isEqualTo(Unavailability.ERROR);
                assertThat(((StoreOutcome.Unavailable) outcome).detail()).contains("NOPERM", "evalsha");
                assertThat(get(tier, "a")).isEqualTo(Lookup.MISS);

                redis.command("ACL", "SETUSER", "app", "+evalsha");
                assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);

                // Taken away at run time, and given back.
                redis.command("ACL", "SETUSER", "app", "-get");
                assertThat(((Lookup.Unavailable) get(tier, "a")).detail()).contains("NOPERM", "get");
                redis.command("ACL", "SETUSER", "app", "+get");
                assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
            }
            redis.command("ACL", "SETUSER", "app", "-script");
            try (RedisTier tier = open("app", "app", redis.port())) {
                awaitDetail(tier, "NOPERM");
            }
        }
    }

    @Test
    @Tag("F22")
    void aFullServerRefusesWritesAndAnswersReads() {
        try (RedisProcess redis = RedisProcess.start();
                RedisTier tier = openReady(redis.port())) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("CONFIG", "SET", "maxmemory", "1");
            redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
            StoreOutcome outcome = put(tier, entry("b"));
            assertThat(((StoreOutcome.Unavailable) outcome).cause()).isEqualTo(Unavailability.ERROR);
            assertThat(((StoreOutcome.Unavailable) outcome).detail()).contains("OOM");
            assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.READ_ONLY);
            assertThat(tier.status().detail()).contains("OOM");
            redis.command("CONFIG", "SET", "maxmemory", "0");
            assertThat(put(tier, entry("b"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
        }
    }

    @Test
    @Tag("F23")
    void aServerTurnedReplicaRefusesWritesUntilItIsPromoted() {
        try (RedisProcess primary = RedisProcess.start();
                RedisProcess redis = RedisProcess.start();
                RedisTier tier = openReady(redis.port())) {
            redis.command("REPLICAOF", "127.0.0.1", Integer.toString(primary.port()));
            StoreOutcome outcome = put(tier, entry("a"));
            assertThat(((StoreOutcome.Unavailable) outcome).cause()).isEqualTo(Unavailability.ERROR);
            assertThat(((StoreOutcome.Unavailable) outcome).detail()).contains("READONLY");
            redis.command("REPLICAOF", "NO", "ONE");
            await().atMost(Duration.ofSeconds(10))
                    .untilAsserted(() -> assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED));
        }
    }

    @Test
    void independentServersAreNotTakenForACluster() {
        try (RedisProcess one = RedisProcess.start();
                RedisProcess two = RedisProcess.start();
                RedisTier tier = RedisFixture.open(
                        RedisFixture.settings(one.port(), two.port()), InstantSource.system(), new MetricRegistry())) {
            awaitDetail(tier, "server of its own, not part of a Redis Cluster");
        }
    }
}
