package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.CoherenceStatus;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other programs go on removing keys while the server that has the log of notices, and a share of the keys, fails over. */
@Tag("F27")
@Tag("F34")
class ExternalWritersFailoverIT {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final int KEYS = 30;

    @TempDir
    Path folder;

    private static String redisKey(int key) {
        return "terrace:quotes:k" + key;
    }

    /** As another program would, at whoever has the key now. */
    private static void remove(RedisClusterProcesses cluster, int key) {
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(IllegalStateException.class) // nobody serves the slot for a moment
                .until(() -> cluster.ownerOf(cluster.slotOf(redisKey(key)))
                        .command("DEL", redisKey(key))
                        .startsWith(":"));
    }

    @Test
    void whatOthersRemoveIsHeardThoughTheLogsServerFailsOver() throws Exception {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startWithReplicas(3)) {
            Path file = Files.writeString(folder.resolve("settings.yaml"), """
                    distributed_cache:
                      distributed_cache: {enabled: true, timeout: 1s, topology: cluster, cluster_nodes: [%s]}
                      backplane: {external_writers: true}
                      caches:
                        quotes: {consistency: bounded, staleness_bound: 1s, near_cache: {entries: 100}}
                    """.formatted(cluster.nodes().stream()
                    .map(server -> "\"127.0.0.1:" + server.port() + "\"")
                    .collect(Collectors.joining(", "))));
            try (CacheCoordinator node = CacheCoordinator.open(file)) {
                Cache<String, String> cache = node.cache("quotes", Codecs.stringKey(), Codecs.string());
                awaitHeard(node);
                for (int i = 0; i < KEYS; i++) {
                    String key = "k" + i;
                    await().atMost(PATIENCE)
                            .until(() -> cache.put(key, "v").missed().isEmpty());
                }
                for (int i = 0; i < KEYS; i++) {
                    String key = "k" + i;
                    assertThat(cache.get(key)).as("%s", cache.explain(key)).isEqualTo("v");
                }

                RedisProcess withLog = cluster.ownerOf(cluster.slotOf("{terrace~log}"));
                for (int i = 0; i < 10; i++) {
                    remove(cluster, i);
                }
                cluster.failover(cluster.replicasOf(withLog).get(0));
                for (int i = 10; i < 20; i++) {
                    remove(cluster, i);
                }

                await().atMost(PATIENCE).untilAsserted(() -> {
                    for (int i = 0; i < 20; i++) {
                        assertThat(cache.get("k" + i))
                                .as("k%s, which is gone", i)
                                .isNull();
                    }
                });
                awaitHeard(node);
                await().atMost(PATIENCE).untilAsserted(() -> {
                    for (int i = 20; i < KEYS; i++) {
                        assertThat(cache.get("k" + i)).as("k%s", i).isEqualTo("v");
                    }
                });
            }
        }
    }

    private static void awaitHeard(CacheCoordinator node) {
        await().atMost(PATIENCE).untilAsserted(() -> {
            CoherenceStatus status = node.coherence();
            assertThat(status).isNotNull();
            assertThat(status.trusted()).as(status.line()).isTrue();
            assertThat(node.externalWriters()).allMatch(watch -> watch.trouble().isEmpty());
        });
    }
}
