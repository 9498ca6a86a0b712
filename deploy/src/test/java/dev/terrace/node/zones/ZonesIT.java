package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Acknowledgements;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole coordinators over several Redis servers, from settings files. */
class ZonesIT {
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

    private void startServers(int count) {
        for (int i = 0; i < count; i++) {
            servers.add(RedisProcess.start());
        }
    }

    private CacheCoordinator open(String l2, String caches) throws Exception {
        Path file = folder.resolve("settings-" + files++ + ".yaml");
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: false}
                  distributed_cache:
                    enabled: true
                    timeout: 1s
                %s
                  caches:
                %s
                """.formatted(
                        l2.indent(4).stripTrailing(), caches.indent(4).stripTrailing()));
        CacheCoordinator node = CacheCoordinator.open(file);
        nodes.add(node);
        return node;
    }

    private String zones() {
        StringBuilder zones = new StringBuilder("replication_factor: 3\nzones:\n");
        for (int i = 0; i < servers.size(); i++) {
            zones.append("  - {name: zone-%d, nodes: [\"127.0.0.1:%d\"]}%n"
                    .formatted(i + 1, servers.get(i).port()));
        }
        return zones.toString();
    }

    private String plainNodes() {
        return "replication_factor: 3%ncluster_nodes: [%s]%n"
                .formatted(servers.stream()
                        .map(server -> "\"127.0.0.1:" + server.port() + "\"")
                        .collect(Collectors.joining(", ")));
    }

    private static Cache<String, String> cache(CacheCoordinator node, String name) {
        return node.cache(name, Codecs.stringKey(), Codecs.string());
    }

    /** Until the zones are formed, nothing is acknowledged. */
    private static WriteReceipt firstWrite(Cache<String, String> cache, String key, String value) {
        AtomicReference<WriteReceipt> receipt = new AtomicReference<>();
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(ReplicationException.class)
                .until(() -> {
                    receipt.set(cache.put(key, value));
                    return receipt.get().missed().isEmpty();
                });
        return receipt.get();
    }

    @Test
    void aQuorumWriteIsAcknowledgedByAMajorityAndReadByAnother() throws Exception {
        startServers(3);
        String caches = "accounts: {replication: quorum}";
        Cache<String, String> here = cache(open(zones(), caches), "accounts");
        Cache<String, String> there = cache(open(zones(), caches), "accounts");

        WriteReceipt receipt = firstWrite(here, "k", "one");
        assertThat(receipt.stored()).contains(TierLevel.L2);
        Acknowledgements acks = receipt.acknowledgements();
        assertThat(acks).isNotNull();
        assertThat(acks.mode()).isEqualTo(ReplicationMode.QUORUM);
        assertThat(acks.required()).isEqualTo(2);
        assertThat(acks.zones()).hasSizeGreaterThanOrEqualTo(2).allMatch(zone -> zone.startsWith("zone-"));

        servers.get(0).kill();
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(there.get("k")).isEqualTo("one"));
        assertThat(there.put("k", "two").acknowledgements().acked()).isEqualTo(2);
        assertThat(here.read("k", ReplicationMode.QUORUM).value()).isEqualTo("two");
    }

    @Test
    @Tag("F20")
    void withoutAMajorityAQuorumWriteFailsWithItsReceiptAndAnAsyncOneGoesOn() throws Exception {
        startServers(3);
        CacheCoordinator node = open(zones(), "accounts: {replication: quorum}\nquotes: {replication: async}");
        Cache<String, String> accounts = cache(node, "accounts");
        Cache<String, String> quotes = cache(node, "quotes");
        firstWrite(accounts, "k", "one");
        servers.get(0).kill();
        servers.get(1).kill();

        assertThatThrownBy(() -> accounts.put("k", "two"))
                .isInstanceOfSatisfying(ReplicationException.class, e -> {
                    assertThat(e.receipt().applied()).isFalse();
                    assertThat(e.receipt().acknowledgements().required()).isEqualTo(2);
                    assertThat(e.receipt().acknowledgements().acked()).isLessThan(2);
                })
                .hasMessageContaining("accounts");
        assertThatThrownBy(() -> accounts.read("k", ReplicationMode.QUORUM)).hasMessageContaining("enough copies");
        WriteReceipt receipt = quotes.put("q", "1.25");
        assertThat(receipt.missed()).isEmpty();
        assertThat(receipt.acknowledgements().required()).isEqualTo(1);
        assertThat(quotes.get("q")).isEqualTo("1.25");
        assertThatThrownBy(() -> quotes.put("q", "1.30", WriteOptions.DEFAULTS.withReplication(ReplicationMode.SYNC)))
                .isInstanceOf(ReplicationException.class);
    }

    @Test
    void conditionalWritesAreOneStepForAllNodes() throws Exception {
        startServers(3);
        String caches = "accounts: {replication: quorum}";
        Cache<String, String> here = cache(open(zones(), caches), "accounts");
        Cache<String, String> there = cache(open(zones(), caches), "accounts");
        firstWrite(here, "other", "warm");

        assertThat(here.putIfAbsent("k", "mine").applied()).isTrue();
        assertThat(there.putIfAbsent("k", "yours").applied()).isFalse();
        ReadResult<String> seen = there.read("k", ReplicationMode.QUORUM);
        assertThat(seen.value()).isEqualTo("mine");
        assertThat(there.replace("k", seen.version(), "theirs").applied()).isTrue();
        assertThat(here.replace("k", seen.version(), "late").applied()).isFalse();
        for (int i = 0; i < 5; i++) {
            here.increment("n", 1);
            there.increment("n", 1);
        }
        assertThat(here.increment("n", 0)).isEqualTo(10);
        here.invalidate("k");
        assertThat(there.get("k")).isNull();
        assertThat(there.putIfAbsent("k", "again").applied()).isTrue();
    }

    @Test
    void manyKeysAtOnceKeepTheModeOfTheirClass() throws Exception {
        startServers(3);
        Cache<String, String> cache = cache(open(zones(), "accounts: {replication: sync}"), "accounts");
        firstWrite(cache, "warm", "up");
        Map<String, String> values = Map.of("a", "1", "b", "2", "c", "3");
        cache.putAll(values)
                .values()
                .forEach(receipt ->
                        assertThat(receipt.acknowledgements().required()).isEqualTo(3));
        assertThat(cache.getAll(List.of("a", "b", "c"))).isEqualTo(values);
    }

    @Test
    void independentServersThatAreOnlyListedAreZones() throws Exception {
        startServers(3);
        CacheCoordinator node = open(plainNodes(), "accounts: {replication: quorum, consistency: strict}");
        Cache<String, String> accounts = cache(node, "accounts");
        WriteReceipt receipt = firstStrictWrite(accounts);
        assertThat(receipt.acknowledgements().zones())
                .allMatch(zone -> zone.startsWith("127.0.0.1:"))
                .hasSizeGreaterThanOrEqualTo(2);
        assertThat(receipt.announced()).isTrue();
    }

    @Test
    void nodesOfAClusterThatAreOnlyListedAreOneDeployment() throws Exception {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(3)) {
            servers.addAll(cluster.nodes());
            CacheCoordinator node = open(plainNodes(), "accounts: {replication: quorum, consistency: strict}");
            Cache<String, String> accounts = cache(node, "accounts");
            WriteReceipt receipt = firstStrictWrite(accounts);
            assertThat(receipt.acknowledgements().zones()).isEmpty();
            assertThat(receipt.announced()).isTrue();
            assertThat(accounts.get("k")).isEqualTo("v");
            servers.clear();
            node.close();
        }
    }

    private static WriteReceipt firstStrictWrite(Cache<String, String> cache) {
        AtomicReference<WriteReceipt> receipt = new AtomicReference<>();
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(dev.terrace.api.UnavailableException.class)
                .until(() -> {
                    receipt.set(cache.put("k", "v"));
                    return receipt.get().announced();
                });
        return receipt.get();
    }

    @Test
    void theOnlyZoneThatIsNamedIsOneDeployment() throws Exception {
        startServers(1);
        String l2 = "zones: [{name: home, nodes: [\"127.0.0.1:%d\"]}]"
                .formatted(servers.get(0).port());
        Cache<String, String> accounts =
                cache(open(l2, "accounts: {replication: quorum, consistency: strict}"), "accounts");
        WriteReceipt receipt = firstStrictWrite(accounts);
        assertThat(receipt.acknowledgements().zones()).isEmpty();
        assertThat(receipt.announced()).isTrue();
        assertThat(servers.get(0).command("KEYS", "*")).contains("accounts:k");
    }

    @Test
    void serversThatAreAwayAtFirstJoinLater() throws Exception {
        int[] ports = {RedisProcess.freePort(), RedisProcess.freePort(), RedisProcess.freePort()};
        String l2 = "replication_factor: 3%ncluster_nodes: [\"127.0.0.1:%d\", \"127.0.0.1:%d\", \"127.0.0.1:%d\"]%n"
                .formatted(ports[0], ports[1], ports[2]);
        CacheCoordinator node = open(l2, "quotes: {replication: async}\naccounts: {replication: quorum}");
        Cache<String, String> quotes = cache(node, "quotes");
        Cache<String, String> accounts = cache(node, "accounts");
        assertThat(quotes.put("q", "early").missed()).containsExactly(TierLevel.L2);
        assertThatThrownBy(() -> accounts.put("k", "early"))
                .isInstanceOfSatisfying(
                        ReplicationException.class,
                        e -> assertThat(e.isUnknown()).isFalse());
        for (int port : ports) {
            servers.add(RedisProcess.startOn(port));
        }
        firstWrite(accounts, "k", "late");
        assertThat(accounts.read("k", ReplicationMode.QUORUM).value()).isEqualTo("late");
        // What the absent zones missed reaches them.
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(
                                quotes.read("q", ReplicationMode.QUORUM).value())
                        .isEqualTo("early"));
    }
}
