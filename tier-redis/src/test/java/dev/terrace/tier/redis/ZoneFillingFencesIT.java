package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.ZoneFixture.HEALED;
import static dev.terrace.tier.redis.ZoneFixture.admit;
import static dev.terrace.tier.redis.ZoneFixture.admitted;
import static dev.terrace.tier.redis.ZoneFixture.assertTakesNoPart;
import static dev.terrace.tier.redis.ZoneFixture.awaitForgetful;
import static dev.terrace.tier.redis.ZoneFixture.awaitHas;
import static dev.terrace.tier.redis.ZoneFixture.awaitStanding;
import static dev.terrace.tier.redis.ZoneFixture.awaitSynced;
import static dev.terrace.tier.redis.ZoneFixture.open;
import static dev.terrace.tier.redis.ZoneFixture.put;
import static dev.terrace.tier.redis.ZoneFixture.reached;
import static dev.terrace.tier.redis.ZoneFixture.vote;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.util.UUID;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a zone forgets while it is filled keeps that filling from ending in an admission, on old servers and new ones. */
class ZoneFillingFencesIT {
    /** What can happen to a server between the beginning of its filling and its admission. */
    @ParameterizedTest
    @EnumSource
    @Tag("F05")
    void aZoneThatForgetsWhileItIsFilledIsNotAdmittedByThatFilling(AnyServer server) {
        try (RedisProcess redis = server.start("--appendonly", "yes", "--appendfsync", "always");
                RedisZone zone = admitted(open("a", redis.port()))) {
            String restarted = begun(zone);
            assertThat(answer(zone.restore(entry("filled")))).isEqualTo(StoreOutcome.APPLIED);
            redis.kill();
            redis.restart();
            awaitForgetful(zone);
            assertThat(answer(zone.admit(restarted))).isFalse();
            awaitForgetful(zone);

            String flushed = begun(zone);
            redis.command("FLUSHALL");
            assertThat(answer(zone.admit(flushed))).isFalse();
            awaitForgetful(zone);

            String demoted = begun(zone);
            try (RedisProcess other = server.start()) {
                redis.command("REPLICAOF", "127.0.0.1", Integer.toString(other.port()));
                awaitSynced(redis);
                redis.command("REPLICAOF", "NO", "ONE");
            }
            assertThat(answer(zone.admit(demoted))).isFalse();
            awaitForgetful(zone);

            String quiet = begun(zone);
            assertThat(answer(zone.restore(entry("filled")))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(zone.admit(quiet))).isTrue();
            assertThat(answer(zone.admit(quiet))).as("that filling is over").isFalse();
            assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
            assertThat(vote(zone, key("filled"))).isInstanceOf(Lookup.Hit.class);
            assertThat(vote(zone, key("a"))).isEqualTo(Lookup.MISS);
        }
    }

    private static String begun(RedisZone zone) {
        String token = UUID.randomUUID().toString();
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(answer(zone.begin(token))).isTrue());
        return token;
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F05")
    void aReplicaThatTakesOverWhileTheZoneIsFilledIsNotAdmitted(AnyServer server) {
        try (RedisProcess primary = server.start();
                RedisProcess replica = server.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()));
                TcpProxy address = TcpProxy.to(primary.port());
                RedisZone zone = reached(open("a", address.port()))) {
            awaitSynced(replica);
            String token = begun(zone);
            assertThat(answer(zone.restore(entry("a")))).isEqualTo(StoreOutcome.APPLIED);
            awaitHas(replica, "a");
            replica.command("REPLICAOF", "NO", "ONE");
            address.retarget(replica.port());
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(answer(zone.examine())).isEqualTo(Standing.FORGETFUL));
            assertThat(answer(zone.admit(token))).isFalse();
            awaitStanding(zone, Standing.FORGETFUL);
            admit(zone);
            assertThat(vote(zone, key("a"))).isInstanceOf(Lookup.Hit.class);
        }
    }

    /** The record lies in one shard; what happens to any other counts all the same. */
    @Test
    @Tag("F05")
    void oneShardThatForgetsWhileAClusterIsFilledIsEnough() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(3);
                RedisZone zone = reached(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            for (RedisProcess node : cluster.nodes()) {
                String token = begun(zone);
                node.command("FLUSHALL");
                assertThat(answer(zone.admit(token))).as("flushed").isFalse();
                token = begun(zone);
                node.command("SCRIPT", "FLUSH");
                assertThat(answer(zone.admit(token))).as("without scripts").isFalse();
                assertTakesNoPart(zone, Unavailability.FORGETFUL);
            }
            admit(zone);
            for (int i = 0; i < 20; i++) {
                assertThat(put(zone, entry("after" + i))).isEqualTo(StoreOutcome.APPLIED);
            }
        }
    }

    /** Fillings that come to nothing, again and again, must not fill the server's memory for scripts. */
    @Test
    void fillingsLeaveNoScriptsBehind() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = reached(open("a", redis.port()))) {
            begun(zone);
            String before = scripts(redis);
            for (int i = 0; i < 40; i++) {
                begun(zone);
            }
            assertThat(scripts(redis)).isEqualTo(before);
            await().atMost(HEALED)
                    .untilAsserted(() ->
                            assertThat(redis.command("DBSIZE")).as("marks").startsWith(":16\r"));
            admit(zone);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(redis.command("DBSIZE"))
                            .as("marks and the record")
                            .startsWith(":16\r"));
        }
    }

    private static String scripts(RedisProcess redis) {
        return redis.command("INFO", "memory")
                .lines()
                .filter(line -> line.startsWith("number_of_cached_scripts:"))
                .findFirst()
                .orElseThrow();
    }
}
