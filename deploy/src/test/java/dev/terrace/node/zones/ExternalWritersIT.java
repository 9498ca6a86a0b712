package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Other programs change keys of ours by hand; this node's copies follow within a second, and rubbish is never a value. */
@Tag("F25")
class ExternalWritersIT {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    /** What is asked of a quiet machine is a second; this one may be building at the same time. */
    private static final Duration SOON = Duration.ofSeconds(3);

    @TempDir
    Path folder;

    private RedisProcess redis;
    private CacheCoordinator node;
    private Cache<String, String> cache;

    @BeforeEach
    void start() throws Exception {
        redis = RedisProcess.start();
        Path file = folder.resolve("settings.yaml");
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: true}
                  distributed_cache: {enabled: true, timeout: 1s, cluster_nodes: ["127.0.0.1:%d"]}
                  backplane: {enabled: false, external_writers: true}
                """.formatted(redis.port()));
        node = CacheCoordinator.open(file);
        cache = node.cache("quotes", Codecs.stringKey(), Codecs.string());
        await().atMost(PATIENCE)
                .untilAsserted(
                        () -> assertThat(count("external.gaps")).as("listens").isPositive());
        await().atMost(PATIENCE).until(() -> cache.put("warm", "up").stored().contains(TierLevel.L2));
    }

    @AfterEach
    void stop() {
        node.close();
        redis.close();
    }

    private long count(String counter) {
        return node.metrics().counter(counter).getCount();
    }

    /** Puts a value, and waits until it is answered from L1. */
    private void settled(String key, String value) {
        cache.put(key, value);
        await().atMost(PATIENCE).untilAsserted(() -> {
            ReadResult<String> found = cache.read(key);
            assertThat(found.value()).isEqualTo(value);
            assertThat(found.source()).hasToString("L1");
        });
    }

    @Test
    void aKeyThatWasRemovedByHandIsMissedSoon() {
        settled("k", "v");
        assertThat(redis.command("DEL", "terrace:quotes:k")).startsWith(":1");
        await().atMost(SOON).untilAsserted(() -> assertThat(cache.get("k")).isNull());
    }

    @Test
    void whatOthersWriteIsACountedMissAndNeverAValue() {
        settled("k", "v");
        long corrupt = count("l2.corrupt") + count("l2.unknown_format");
        assertThat(redis.command("SET", "terrace:quotes:k", "by hand")).startsWith("+OK");
        await().atMost(SOON).untilAsserted(() -> assertThat(cache.get("k")).isNull());
        assertThat(count("l2.corrupt") + count("l2.unknown_format")).isGreaterThan(corrupt);
        settled("k", "ours again");
    }

    @Test
    void anOthersTypeUnderOurKeyIsNoValueEither() {
        settled("k", "v");
        redis.commands(
                List.of(List.of("DEL", "terrace:quotes:k"), List.of("HSET", "terrace:quotes:k", "field", "value")));
        await().atMost(SOON).untilAsserted(() -> assertThat(cache.get("k")).isNull());
        assertThat(redis.command("HGET", "terrace:quotes:k", "field")).contains("value");
    }

    @Test
    @Tag("F06")
    void aFlushIsNoticed() {
        settled("k", "v");
        redis.command("FLUSHALL");
        await().atMost(SOON).untilAsserted(() -> assertThat(cache.get("k")).isNull());
    }

    @Test
    void whatTerraceWritesKeepsItsCopies() {
        for (int i = 0; i < 200; i++) {
            cache.put("mine" + i, "v" + i);
        }
        long changes = count("external.changes");
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(count("external.changes")).isGreaterThanOrEqualTo(200));
        settled("mine0", "again");
        for (int i = 1; i < 200; i++) {
            assertThat(cache.get("mine" + i)).isEqualTo("v" + i);
        }
        for (int i = 1; i < 200; i++) {
            assertThat(cache.read("mine" + i).source()).hasToString("L1");
        }
        assertThat(changes).isNotNegative();
    }

    @Test
    void whoCannotListenSaysSo() {
        assertThat(node.externalWriters()).singleElement().satisfies(watch -> {
            assertThat(watch.name()).isEqualTo("watch");
            assertThat(watch.trouble()).isEmpty();
        });
        redis.kill();
        await().atMost(PATIENCE)
                .untilAsserted(() ->
                        assertThat(node.externalWriters().get(0).trouble()).contains("127.0.0.1:" + redis.port()));
    }

    /** What happened while nobody listened is found out when somebody does again. */
    @Test
    @Tag("F34")
    void whatWasMissedWhileTheConnectionWasAwayIsDropped() {
        settled("k", "v");
        settled("kept", "v");
        long gaps = count("external.gaps");
        redis.commands(List.of(
                List.of("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"), List.of("DEL", "terrace:quotes:k")));
        await().atMost(PATIENCE).untilAsserted(() -> {
            assertThat(count("external.gaps")).isGreaterThan(gaps);
            assertThat(cache.get("k")).isNull();
            assertThat(cache.get("kept")).isEqualTo("v");
        });
    }
}
