package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.Gauge;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node whose L1 lies in a folder is killed, others go on writing, and it comes back: warm, and with nothing that was invalidated. */
@Tag("F35")
class WarmRestartIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int KEYS = 200;

    @TempDir
    Path folder;

    /** Fills its L1 and waits to be killed. */
    static final class Node {
        private Node() {}

        public static void main(String[] arguments) throws Exception {
            CacheCoordinator node = CacheCoordinator.open(Path.of(arguments[0]));
            Cache<String, String> quotes = cache(node, "quotes");
            await().atMost(PATIENCE).until(() -> quotes.put("k0", "v0").stored().contains(TierLevel.L2));
            for (int i = 0; i < KEYS; i++) {
                quotes.put("k" + i, "v" + i);
            }
            cache(node, "cleared").put("k", "v");
            cache(node, "tagged").put("red", "v", WriteOptions.DEFAULTS.withTags("red"));
            cache(node, "tagged").put("blue", "v", WriteOptions.DEFAULTS.withTags("blue"));
            // Where it heard the log last, with one of its beats.
            await().atMost(PATIENCE).until(() -> gauge(node, "l1.resumable") == 1);
            System.out.println("filled");
            System.in.read();
        }
    }

    private static Cache<String, String> cache(CacheCoordinator node, String name) {
        return node.cache(name, Codecs.stringKey(), Codecs.string());
    }

    private Path settings(String name, int port, String local) throws IOException {
        return Files.writeString(folder.resolve(name), """
                distributed_cache:
                  local_cache: %s
                  distributed_cache: {enabled: true, timeout: 2s, ttl: 1h, cluster_nodes: ["127.0.0.1:%d"]}
                  backup_storage: {enabled: false}
                """.formatted(local, port));
    }

    private static long gauge(CacheCoordinator node, String name) {
        Gauge<?> gauge = node.metrics().getGauges().get(name);
        return gauge != null && gauge.getValue() instanceof Long value ? value : -1;
    }

    @Test
    void aKilledNodeComesBackWarmAndObeysWhatItMissed() throws Exception {
        try (RedisProcess redis = RedisProcess.start()) {
            String local = "{max_memory_mb: 16, ttl: 1h, persist: \"" + folder.resolve("l1") + "\"}";
            Path persisted = settings("persisted.yaml", redis.port(), local);
            runAndKill(persisted);
            try (CacheCoordinator other =
                    CacheCoordinator.open(settings("other.yaml", redis.port(), "{enabled: false}"))) {
                await().atMost(PATIENCE)
                        .until(() -> "v0".equals(cache(other, "quotes").get("k0")));
                // What it says before it has reached the log it could take with it when it closes.
                await().atMost(PATIENCE).until(() -> gauge(other, "coherence.staleness.bound") < Long.MAX_VALUE);
                cache(other, "quotes").invalidate("k0");
                cache(other, "quotes").put("k1", "newer");
                cache(other, "cleared").clear();
                cache(other, "tagged").invalidateTags(List.of("red"));
            }
            try (CacheCoordinator again = CacheCoordinator.open(persisted)) {
                assertThat(gauge(again, "l1.attached")).isGreaterThan(KEYS);
                Cache<String, String> quotes = cache(again, "quotes");
                assertThat(quotes.get("k0")).as("before anything is confirmed").isNull();
                assertThat(quotes.get("k1")).isNotEqualTo("v1");
                await().atMost(PATIENCE).until(() -> gauge(again, "l1.unconfirmed") == 0);
                for (int i = 2; i < KEYS; i++) {
                    ReadResult<String> result = quotes.read("k" + i);
                    assertThat(result.value()).isEqualTo("v" + i);
                    assertThat(result.source()).isEqualTo(Source.L1);
                    assertThat(result.freshness()).isEqualTo(Freshness.FRESH);
                }
                assertThat(quotes.get("k0")).isNull();
                await().atMost(PATIENCE).until(() -> "newer".equals(quotes.get("k1")));
                assertThat(cache(again, "cleared").get("k")).isNull();
                assertThat(cache(again, "tagged").get("red")).isNull();
                await().atMost(PATIENCE)
                        .until(() -> "v".equals(cache(again, "tagged").get("blue")));
            }
        }
    }

    private void runAndKill(Path persisted) throws Exception {
        Process node = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Node.class.getName(),
                        persisted.toString()))
                .redirectError(folder.resolve("node.log").toFile())
                .start();
        try {
            String said = new String(node.getInputStream().readNBytes("filled".length()), StandardCharsets.US_ASCII);
            assertThat(said).as(Files.readString(folder.resolve("node.log"))).isEqualTo("filled");
        } finally {
            node.destroyForcibly().waitFor();
        }
    }
}
