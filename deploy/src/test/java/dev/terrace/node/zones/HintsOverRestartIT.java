package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.Gauge;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that is killed with hints on its disk hands them over after its restart; nothing else could have told the zone. */
@Tag("F01")
@Tag("F13")
class HintsOverRestartIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final int KEYS = 300;

    @TempDir
    Path folder;

    /** A node that is cut off from one zone, in a process of its own so that it can be killed. */
    static final class CutOffNode {
        private CutOffNode() {}

        public static void main(String[] arguments) throws Exception {
            BufferedReader orders = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            CacheCoordinator node = CacheCoordinator.open(Path.of(arguments[0]));
            await().atMost(PATIENCE).until(() -> allVote(node));
            System.out.println("ready");
            orders.readLine();
            Cache<String, String> cache = cache(node);
            for (int i = 0; i < KEYS; i++) {
                cache.put("k" + i, "v" + i);
            }
            await().atMost(PATIENCE).until(() -> pending(node) == KEYS);
            // L3's own write comes after what was asked of its disk before; a hint is there within this.
            await().pollDelay(Duration.ofMillis(300)).atMost(PATIENCE).until(() -> pending(node) == KEYS);
            System.out.println("hinted " + pending(node));
            orders.readLine();
        }
    }

    private static Cache<String, String> cache(CacheCoordinator node) {
        return node.cache("accounts", Codecs.stringKey(), Codecs.string());
    }

    private static Object gauge(CacheCoordinator node, String name) {
        Gauge<?> gauge = node.metrics().getGauges().get("replication.zone." + name);
        return gauge == null ? "" : gauge.getValue();
    }

    private static int pending(CacheCoordinator node) {
        return gauge(node, "zone-3.hints.pending") instanceof Integer pending ? pending : 0;
    }

    private static boolean allVote(CacheCoordinator node) {
        return List.of(1, 2, 3).stream().allMatch(zone -> "MEMBER".equals(gauge(node, "zone-" + zone + ".standing")));
    }

    private Path settings(String name, int... ports) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: false}
                  distributed_cache:
                    enabled: true
                    timeout: 300ms
                    replication_factor: 3
                    zones:
                      - {name: zone-1, nodes: ["127.0.0.1:%d"]}
                      - {name: zone-2, nodes: ["127.0.0.1:%d"]}
                      - {name: zone-3, nodes: ["127.0.0.1:%d"]}
                    compare: {interval: 1h}
                  backup_storage: {enabled: true, path: "%s", encryption: true, passphrase: "correct horse battery"}
                  backplane: {enabled: false}
                  caches:
                    accounts: {replication: quorum, ttl: 1h}
                """.formatted(ports[0], ports[1], ports[2], folder.resolve("l3")));
        return file;
    }

    @Test
    void aKilledNodeHandsOverItsHintsWhenItIsBack() throws Exception {
        try (RedisProcess first = RedisProcess.start();
                RedisProcess second = RedisProcess.start();
                RedisProcess third = RedisProcess.start();
                TcpProxy toThird = TcpProxy.to(third.port())) {
            Process node = new ProcessBuilder(List.of(
                            Path.of(System.getProperty("java.home"), "bin", "java")
                                    .toString(),
                            "-Xmx256m",
                            "-cp",
                            System.getProperty("java.class.path"),
                            CutOffNode.class.getName(),
                            settings("cut.yaml", first.port(), second.port(), toThird.port())
                                    .toString()))
                    .redirectError(folder.resolve("node.log").toFile())
                    .start();
            try (BufferedReader said =
                    new BufferedReader(new InputStreamReader(node.getInputStream(), StandardCharsets.UTF_8))) {
                awaitLine(said, "ready");
                toThird.mode(TcpProxy.Mode.LOSE_REQUESTS);
                node.getOutputStream().write('\n');
                node.getOutputStream().flush();
                awaitLine(said, "hinted " + KEYS);
            } finally {
                node.destroyForcibly();
                assertThat(node.waitFor(20, TimeUnit.SECONDS)).isTrue();
            }
            assertThat(keysIn(third)).isZero();

            try (CacheCoordinator again =
                    CacheCoordinator.open(settings("again.yaml", first.port(), second.port(), third.port()))) {
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(keysIn(third)).isEqualTo(KEYS));
                await().atMost(PATIENCE)
                        .untilAsserted(() -> assertThat(pending(again)).isZero());
                assertThat(again.metrics()
                                .counter("replication.zone.zone-3.hints.replayed")
                                .getCount())
                        .isEqualTo(KEYS);
                assertThat(again.metrics()
                                .counter("replication.zone.zone-3.resyncs")
                                .getCount())
                        .isZero();
                assertThat(cache(again).get("k7")).isEqualTo("v7");
            }
        }
    }

    private static int keysIn(RedisProcess redis) {
        String keys = redis.command("KEYS", "terrace:accounts:*");
        return keys.isBlank()
                ? 0
                : (int) keys.lines().filter(line -> line.contains(":accounts:")).count();
    }

    private static void awaitLine(BufferedReader said, String wanted) throws IOException {
        for (String line = said.readLine(); line != null; line = said.readLine()) {
            if (line.equals(wanted)) {
                return;
            }
        }
        throw new AssertionError("the node ended without saying '" + wanted + "'");
    }
}
