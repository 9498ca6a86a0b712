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
import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** One deployment with two replicas: a write is acknowledged when as many servers have it as its level asks for. */
class ReplicaAcksIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static RedisProcess primary;
    private static List<RedisProcess> replicas;

    @BeforeAll
    static void start() {
        primary = RedisProcess.start("--repl-diskless-sync", "no");
        replicas = List.of(replica(), replica());
        awaitBothOnline();
    }

    /** As they were, and empty. */
    @AfterEach
    void mend() {
        List<RedisProcess> all = List.of(primary, replicas.get(0), replicas.get(1));
        for (RedisProcess server : all) {
            if (server.isAlive()) {
                server.thaw();
            } else {
                server.restart();
            }
        }
        replicas.forEach(replica -> replica.command("REPLICAOF", "127.0.0.1", Integer.toString(primary.port())));
        primary.command("FLUSHALL");
        awaitBothOnline();
    }

    private static void awaitBothOnline() {
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(primary.command("INFO", "replication"))
                        .containsPattern("(?s)slave0:[^\\n]*state=online.*slave1:[^\\n]*state=online"));
    }

    private static RedisProcess replica() {
        return RedisProcess.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()));
    }

    @AfterAll
    static void stop() {
        replicas.forEach(RedisProcess::close);
        primary.close();
    }

    private RedisTier open(ConsistencyLevel level) {
        return open(level, primary.port());
    }

    private static RedisTier open(ConsistencyLevel level, int... ports) {
        DistributedCacheSettings settings = RedisFixture.settings(ports)
                .withCopies(3, level)
                // Leaves 400 ms between the servers' count and the deadline, for busy machines.
                .withTimeout(Duration.ofMillis(1_600));
        return RedisFixture.openReady(settings, InstantSource.system(), new MetricRegistry());
    }

    private static StoreOutcome acked(int acked, int required) {
        return new StoreOutcome.Underacknowledged(TierLevel.L2, acked, required);
    }

    @Test
    @Tag("F12")
    void syncAsksForAllAndSaysHowManyThereWere() {
        try (RedisTier tier = open(ConsistencyLevel.SYNC)) {
            Entry first = entry("a", 1);
            assertThat(put(tier, first)).isInstanceOf(StoreOutcome.Applied.class);
            replicas.get(0).freeze();
            Entry second = entry("a", 2);
            assertThat(put(tier, second)).isEqualTo(acked(2, 3));
            assertThat(get(tier, "a")).as("taken all the same").isEqualTo(new Lookup.Hit(second));
            assertThat(put(tier, second)).as("again, in vain").isEqualTo(acked(2, 3));
            assertThat(put(tier, first)).as("what it lost to is no safer").isEqualTo(acked(2, 3));
            assertThat(answer(tier.putAll(List.of(entry("b"), entry("c"))))).containsOnly(acked(2, 3));
            replicas.get(0).thaw();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(put(tier, second)).isInstanceOf(StoreOutcome.Applied.class));
            assertThat(answer(tier.putAll(List.of(entry("b"), entry("c", 2)))))
                    .hasOnlyElementsOfType(StoreOutcome.Applied.class);
        }
    }

    @Test
    @Tag("F12")
    void quorumAsksForAMajorityThePrimaryIncluded() {
        try (RedisTier tier = open(ConsistencyLevel.QUORUM)) {
            replicas.get(0).freeze();
            assertThat(put(tier, entry("a", 1))).isInstanceOf(StoreOutcome.Applied.class);
            replicas.get(1).freeze();
            Entry second = entry("a", 2);
            assertThat(put(tier, second)).isEqualTo(acked(1, 2));
            Entry conditional = entry("b");
            assertThat(answer(tier.put(conditional, WriteCondition.IF_ABSENT))).isEqualTo(acked(1, 2));
            replicas.get(0).thaw();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(put(tier, second)).isInstanceOf(StoreOutcome.Applied.class));
            replicas.get(1).thaw();
        }
    }

    @Test
    @Tag("F12")
    void aReplicaThatDiedIsStillAskedFor() {
        try (RedisTier tier = open(ConsistencyLevel.SYNC)) {
            assertThat(put(tier, entry("a", 1))).isInstanceOf(StoreOutcome.Applied.class);
            replicas.get(0).kill();
            await().atMost(PATIENCE)
                    .untilAsserted(() ->
                            assertThat(primary.command("INFO", "replication")).contains("connected_slaves:1"));
            await().during(Duration.ofMillis(1_500))
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(put(tier, entry("a", 2))).isEqualTo(acked(2, 3)));
            replicas.get(0).restart();
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(put(tier, entry("a", 3))).isInstanceOf(StoreOutcome.Applied.class));
        }
    }

    /** What a WAIT on another connection would have said, and that ours never is on another one. */
    @Test
    @Tag("F11")
    void theCountComesFromTheConnectionOfTheWrite() throws IOException {
        try (RedisTier tier = open(ConsistencyLevel.SYNC);
                Socket monitor = new Socket(InetAddress.getLoopbackAddress(), primary.port())) {
            assertThat(put(tier, entry("warm"))).isInstanceOf(StoreOutcome.Applied.class);
            monitor.setSoTimeout(10_000);
            monitor.getOutputStream().write("MONITOR\r\n".getBytes(StandardCharsets.US_ASCII));
            BufferedReader seen =
                    new BufferedReader(new InputStreamReader(monitor.getInputStream(), StandardCharsets.ISO_8859_1));
            assertThat(seen.readLine()).isEqualTo("+OK");
            int writes = 64;
            List<CompletableFuture<StoreOutcome>> outcomes = new ArrayList<>();
            for (int i = 0; i < writes; i++) {
                outcomes.add(
                        tier.put(entry("same" + i), WriteCondition.IF_NEWER).toCompletableFuture());
            }
            outcomes.forEach(outcome -> assertThat(answer(outcome)).isInstanceOf(StoreOutcome.Applied.class));
            Map<String, String> lastOn = new HashMap<>();
            Pattern command = Pattern.compile("\\[0 (127[^\\]]*)\\] \"(\\w+)\"");
            for (int waits = 0; waits < writes; ) {
                Matcher line = command.matcher(seen.readLine());
                if (!line.find()) {
                    continue;
                }
                if (line.group(2).equals("WAIT")) {
                    assertThat(lastOn.get(line.group(1))).isEqualTo("EVALSHA");
                    waits++;
                }
                lastOn.put(line.group(1), line.group(2));
            }

            replicas.forEach(RedisProcess::freeze);
            assertThat(put(tier, entry("same0", 2))).isEqualTo(acked(1, 3));
            assertThat(primary.command("WAIT", "2", "100"))
                    .as("on a connection of its own WAIT counts replicas that have nothing")
                    .startsWith(":2");
            replicas.forEach(RedisProcess::thaw);
        }
    }

    /** Documented hole of one deployment: the server that is promoted need not be one of those that acknowledged. */
    @Test
    @Tag("F10")
    void whatAMajorityAcknowledgedIsLostWhenTheOneThatLackedItIsPromoted() {
        RedisProcess without = replicas.get(1);
        try (TcpProxy link = TcpProxy.to(primary.port())) {
            without.command("REPLICAOF", "127.0.0.1", Integer.toString(link.port()));
            awaitBothOnline();
            try (RedisTier tier = open(ConsistencyLevel.QUORUM)) {
                assertThat(put(tier, entry("a", 1))).isInstanceOf(StoreOutcome.Applied.class);
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(without.command("EXISTS", new RedisKeys("test").of(key("a"))))
                                .startsWith(":1"));
                link.mode(TcpProxy.Mode.LOSE_ALL);
                assertThat(put(tier, entry("a", 2)))
                        .as("two of three have it")
                        .isInstanceOf(StoreOutcome.Applied.class);
            }
            primary.kill();
            replicas.get(0).kill();
            without.command("REPLICAOF", "NO", "ONE");
            try (RedisTier after = open(ConsistencyLevel.ASYNC, without.port())) {
                Entry held = ((Lookup.Hit) get(after, "a")).entry();
                assertThat(held.version().counter()).isEqualTo(1);
            }
        }
    }

    @Test
    void aClustersShardsAreCountedEachForItself() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startWithReplicas(2);
                RedisTier tier = open(
                        ConsistencyLevel.SYNC,
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray())) {
            await().atMost(PATIENCE).untilAsserted(() -> {
                for (int i = 0; i < 8; i++) {
                    assertThat(put(tier, entry("shard" + i))).isInstanceOf(StoreOutcome.Applied.class);
                }
            });
            cluster.replicas().get(0).freeze();
            int applied = 0;
            for (int i = 0; i < 8; i++) {
                StoreOutcome outcome = put(tier, entry("shard" + i, 2));
                assertThat(outcome instanceof StoreOutcome.Applied || outcome.equals(acked(1, 2)))
                        .as("%s", outcome)
                        .isTrue();
                applied += outcome instanceof StoreOutcome.Applied ? 1 : 0;
            }
            cluster.replicas().get(0).thaw();
            assertThat(applied).isBetween(1, 7);
        }
    }

    @Test
    void aServerWithoutReplicasIsAllThereIs() {
        try (RedisProcess alone = RedisProcess.start();
                RedisTier tier = open(ConsistencyLevel.SYNC, alone.port())) {
            assertThat(put(tier, entry("a"))).isInstanceOf(StoreOutcome.Applied.class);
            assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
            alone.command("SCRIPT", "FLUSH");
            assertThat(put(tier, entry("a", 2))).as("scripts loaded again").isInstanceOf(StoreOutcome.Applied.class);
            assertThat(answer(tier.putAll(List.of(entry("b"), entry("c")))))
                    .hasOnlyElementsOfType(StoreOutcome.Applied.class);
            assertThat(answer(tier.get(key("d")))).isEqualTo(Lookup.MISS);
        }
    }
}
