package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.SetupException;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.InstantSource;
import java.util.List;
import java.util.ServiceLoader;
import org.junit.jupiter.api.Test;

/** Zones are found by the name of their backend and opened by their own name in the settings. */
class RedisReplicaProviderIT {
    private static ReplicaProvider provider() {
        return ServiceLoader.load(ReplicaProvider.class).stream()
                .map(ServiceLoader.Provider::get)
                .filter(one -> one.name().equals("redis"))
                .findFirst()
                .orElseThrow();
    }

    private static TestContext context(DistributedCacheSettings settings) {
        return new TestContext(InstantSource.system(), settings);
    }

    private static ZoneSettings zone(String name, RedisProcess redis) {
        return ZoneSettings.of(name, Topology.STANDALONE, new HostAndPort("127.0.0.1", redis.port()));
    }

    private static void assertServes(Replica zone) {
        await().atMost(ZoneFixture.HEALED)
                .untilAsserted(() ->
                        assertThat(ZoneFixture.beginAndAdmit((RedisZone) zone)).isTrue());
        assertThat(answer(zone.put(entry("of " + zone.zone()), WriteCondition.IF_NEWER)))
                .isEqualTo(StoreOutcome.APPLIED);
        assertThat(answer(zone.vote(entry("of " + zone.zone()).key()))).isInstanceOf(Lookup.Hit.class);
    }

    @Test
    void aZoneIsOpenedByItsName() {
        try (RedisProcess first = RedisProcess.start();
                RedisProcess second = RedisProcess.start()) {
            DistributedCacheSettings d = RedisFixture.settings(first.port());
            DistributedCacheSettings settings =
                    d.withReplication(d.replication().withZones(List.of(zone("north", first), zone("south", second))));
            try (Replica north = provider().open("north", context(settings));
                    Replica south = provider().open("south", context(settings))) {
                assertServes(north);
                assertServes(south);
                assertThat(answer(south.vote(entry("of north").key()))).isEqualTo(Lookup.MISS);
                assertThat(second.command("GET", new RedisKeys("test").zoneRecord()))
                        .contains("south");
            }
            assertThatThrownBy(() -> provider().open("west", context(settings)))
                    .isInstanceOf(SetupException.class)
                    .hasMessageContaining("west")
                    .hasMessageContaining("north");
        }
    }

    @Test
    void serversWithoutNamesAreZonesByTheirAddresses() {
        try (RedisProcess first = RedisProcess.start();
                RedisProcess second = RedisProcess.start()) {
            DistributedCacheSettings settings = RedisFixture.settings(first.port(), second.port());
            for (ZoneSettings one : settings.zones()) {
                try (Replica zone = provider().open(one.name(), context(settings))) {
                    assertServes(zone);
                }
            }
        }
    }
}
