package dev.terrace.node.zones;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.Gauge;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.UnavailableException;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.ConflictResolver;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole coordinators over real servers: what a zone lost is put back, zones join, values are merged. */
class ZonesHealIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path folder;

    private final List<RedisProcess> servers = new ArrayList<>();
    private final List<CacheCoordinator> nodes = new ArrayList<>();
    private int files;

    @AfterEach
    void stop() {
        nodes.forEach(CacheCoordinator::close);
        servers.forEach(RedisProcess::close);
    }

    private Settings settings(int zones, String stateOfLast) throws Exception {
        StringBuilder list = new StringBuilder();
        while (servers.size() < zones) {
            servers.add(RedisProcess.start());
        }
        for (int i = 0; i < zones; i++) {
            list.append("      - {name: zone-%d, nodes: [\"127.0.0.1:%d\"]%s}%n"
                    .formatted(i, servers.get(i).port(), i == zones - 1 ? stateOfLast : ""));
        }
        Path file = folder.resolve("settings-" + files++ + ".yaml");
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: false}
                  backplane: {enabled: false}
                  distributed_cache:
                    enabled: true
                    timeout: 500ms
                    replication_factor: 3
                    compare: {interval: 300ms, entries_per_second: 20000}
                    zones:
                %s
                  caches:
                    accounts: {replication: quorum, ttl: 1h}
                    words: {replication: async, ttl: 1h}
                """.formatted(list.toString().stripTrailing()));
        return SettingsLoader.load(file);
    }

    private CacheCoordinator open(Settings settings) {
        CacheCoordinator node = CacheCoordinator.open(settings);
        nodes.add(node);
        return node;
    }

    private static Cache<String, String> cache(CacheCoordinator node, String name) {
        return node.cache(name, Codecs.stringKey(), Codecs.string());
    }

    private static Cache<String, String> filled(CacheCoordinator node, int keys) {
        Cache<String, String> cache = cache(node, "accounts");
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(ReplicationException.class)
                .until(() -> cache.put("k0", "v0").acknowledgements() != null);
        for (int i = 0; i < keys; i++) {
            cache.put("k" + i, "v" + i);
        }
        return cache;
    }

    private static int keysIn(RedisProcess redis) {
        return (int) redis.command("KEYS", "terrace:accounts:*")
                .lines()
                .filter(line -> line.contains(":accounts:"))
                .count();
    }

    private static Object gauge(CacheCoordinator node, String name) {
        Gauge<?> gauge = node.metrics().getGauges().get("replication." + name);
        return gauge == null ? "" : gauge.getValue();
    }

    @Test
    @Tag("F06")
    @Tag("F22")
    void keysThatAServerDroppedAreCopiedBack() throws Exception {
        CacheCoordinator node = open(settings(3, ""));
        filled(node, 40);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(keysIn(servers.get(1))).isEqualTo(40));
        for (int i = 0; i < 15; i++) {
            servers.get(1).command("DEL", "terrace:accounts:k" + i);
        }
        assertThat(keysIn(servers.get(1))).isEqualTo(25);
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(keysIn(servers.get(1))).isEqualTo(40));
        assertThat(node.metrics().counter("replication.zone.zone-1.repairs").getCount())
                .isGreaterThanOrEqualTo(15);
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(gauge(node, "zone.zone-1.drift")).isEqualTo(0L));
    }

    @Test
    void aZoneJoinsARunningDeployment() throws Exception {
        CacheCoordinator old = open(settings(3, ""));
        filled(old, 100);
        CacheCoordinator joint = open(settings(4, ", state: joining"));
        Cache<String, String> during = cache(joint, "accounts");
        await().atMost(PATIENCE)
                .until(() -> gauge(joint, "moving").equals(2)
                        || gauge(joint, "moving").equals(3));
        for (int i = 0; i < 100; i++) {
            assertThat(during.get("k" + i)).isEqualTo("v" + i);
        }
        during.put("k7", "newer");
        await().atMost(PATIENCE).until(() -> gauge(joint, "moving").equals(3));
        // Three quarters of the keys, more or less.
        assertThat(keysIn(servers.get(3))).isBetween(55, 95);
        old.close();
        CacheCoordinator next = open(settings(4, ""));
        Cache<String, String> after = cache(next, "accounts");
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(UnavailableException.class) // no majority is connected yet
                .untilAsserted(() -> assertThat(
                                after.read("k7", ReplicationMode.QUORUM).value())
                        .isEqualTo("newer"));
        for (int i = 0; i < 100; i++) {
            assertThat(after.get("k" + i)).isEqualTo(i == 7 ? "newer" : "v" + i);
        }
    }

    @Test
    void valuesWrittenWithoutKnowingOfEachOtherAreMerged() throws Exception {
        ConflictResolver union = (key, held, offered) -> Stream.of(held, offered)
                .flatMap(value -> new String(value, StandardCharsets.UTF_8).lines())
                .distinct()
                .sorted()
                .collect(joining("\n"))
                .getBytes(StandardCharsets.UTF_8);
        Settings settings = settings(3, "");
        for (int i = 0; i < 2; i++) {
            nodes.add(CacheCoordinator.builder()
                    .settings(settings)
                    .conflictResolver("words", union)
                    .build());
        }
        filled(nodes.get(0), 1);
        filled(nodes.get(1), 1);
        cache(nodes.get(0), "words").put("fruit", "apple");
        cache(nodes.get(1), "words").put("fruit", "pear");
        for (CacheCoordinator node : nodes) {
            assertThat(cache(node, "words")
                            .read("fruit", ReplicationMode.QUORUM)
                            .value())
                    .isEqualTo("apple\npear");
        }
    }
}
