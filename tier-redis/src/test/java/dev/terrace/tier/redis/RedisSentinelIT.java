package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A primary, its replica, and a sentinel that has the replica take over. */
class RedisSentinelIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private RedisProcess primary;
    private RedisProcess replica;
    private RedisProcess sentinel;

    @BeforeEach
    void start() {
        primary = RedisProcess.start("--repl-diskless-sync", "no");
        replica = RedisProcess.start(
                "--replicaof", "127.0.0.1", Integer.toString(primary.port()), "--repl-diskless-sync", "no");
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(replica.command("INFO", "replication")).contains("master_link_status:up"));
        sentinel = RedisProcess.startSentinel("mymaster", primary.port());
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(sentinel.command("SENTINEL", "REPLICAS", "mymaster"))
                        .contains(Integer.toString(replica.port())));
    }

    @AfterEach
    void stop() {
        sentinel.close();
        replica.close();
        primary.close();
    }

    private DistributedCacheSettings settings(Topology topology) {
        return RedisFixture.settings(topology, null, null, sentinel.port()).withSentinelMaster("mymaster");
    }

    private void awaitReplicaHas(String key) {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(replica.command("EXISTS", new RedisKeys("test").of(key(key))))
                        .startsWith(":1"));
    }

    @ParameterizedTest
    @EnumSource(names = {"SENTINEL", "AUTO"})
    @Tag("F07")
    void theTierFollowsTheFailover(Topology topology) {
        try (RedisTier tier =
                RedisFixture.openReady(settings(topology), InstantSource.system(), new MetricRegistry())) {
            Entry before = entry("a");
            assertThat(put(tier, before)).isEqualTo(StoreOutcome.APPLIED);
            awaitReplicaHas("a");
            primary.kill();
            StoreOutcome meanwhile = put(tier, entry("meanwhile"));
            assertThat(meanwhile)
                    .isInstanceOfSatisfying(
                            StoreOutcome.Unavailable.class,
                            no -> assertThat(no.cause())
                                    .isIn(Unavailability.TIMEOUT, Unavailability.DISCONNECTED, Unavailability.ERROR));
            long begin = System.nanoTime();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(put(tier, entry("after"))).isEqualTo(StoreOutcome.APPLIED));
            System.out.println("RedisSentinelIT writes again after "
                    + Duration.ofNanos(System.nanoTime() - begin).toMillis() + " ms");
            assertThat(get(tier, "a")).isEqualTo(new Lookup.Hit(before));
            assertThat(replica.command("INFO", "replication")).contains("role:master");
            primary.restart();
            // A sentinel that makes it a replica ends its connections.
            await().atMost(PATIENCE)
                    .ignoreExceptionsInstanceOf(UncheckedIOException.class)
                    .untilAsserted(() ->
                            assertThat(primary.command("INFO", "replication")).contains("role:slave"));
            assertThat(put(tier, entry("a", 9))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F08")
    void aZoneBehindASentinelDoesNotVoteAfterAFailoverUntilItIsAdmitted() {
        try (RedisZone zone = ZoneFixture.admitted(ZoneFixture.open("s", settings(Topology.SENTINEL)))) {
            Entry before = entry("a");
            assertThat(ZoneFixture.put(zone, before)).isEqualTo(StoreOutcome.APPLIED);
            awaitReplicaHas("a");
            primary.kill();
            ZoneFixture.awaitStanding(zone, Standing.FORGETFUL);
            ZoneFixture.assertTakesNoPart(zone, Unavailability.FORGETFUL);
            assertThat(answer(zone.get(before.key()))).isEqualTo(new Lookup.Hit(before));
            ZoneFixture.admit(zone);
            assertThat(ZoneFixture.vote(zone, before.key())).isEqualTo(new Lookup.Hit(before));
            assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
        }
    }
}
