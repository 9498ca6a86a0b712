package dev.terrace.node.ladder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Rung;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A node with default settings, a real Redis and a real RocksDB, under load, while Redis freezes and thaws. Times are in {@link
 * FaultTableIT}.
 */
@Tag("alone")
class LadderIT {
    /** What is promised for a lost L2; the aims stand in docs/degradation.md. */
    private static final Duration DETECT = Duration.ofSeconds(10);

    private static final Duration RECOVER = Duration.ofSeconds(60);

    @TempDir
    Path folder;

    private Path settings(int port, boolean backup) throws IOException {
        Path file = folder.resolve("terrace.yaml");
        Files.writeString(file, """
                distributed_cache:
                  local_cache: {enabled: true, capacity: 10000, max_memory_mb: 16, ttl: "1h"}
                  distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:%d"], topology: standalone, ttl: "1h"}
                  backup_storage: {enabled: %s, path: "%s"}
                  backplane: {enabled: false}
                  caches:
                    quotes: {ttl: 1h, stale_ttl: 1h}
                    short: {ttl: 1s, stale_ttl: 1h}
                """.formatted(port, backup, folder.resolve("l3")));
        return file;
    }

    /** A node, its Redis behind a link, and a reader that never stops. */
    private final class Rig implements AutoCloseable {
        final RedisProcess redis = RedisProcess.start();
        final TcpProxy link = TcpProxy.to(redis.port());
        final CacheCoordinator node;
        final Cache<String, String> quotes;
        final AtomicLong reads = new AtomicLong();
        final AtomicReference<Throwable> failed = new AtomicReference<>();
        private final AtomicBoolean stop = new AtomicBoolean();
        private final Thread reader;

        Rig(boolean backup) throws IOException {
            node = CacheCoordinator.open(
                    SettingsLoader.read(settings(link.port(), backup), Map.of()).settings());
            quotes = node.cache("quotes", Codecs.stringKey(), Codecs.string());
            await().atMost(RECOVER)
                    .until(() -> quotes.put("first", "v").stored().contains(TierLevel.L2));
            awaitRung(Rung.NORMAL, RECOVER, "begin");
            reader = new Thread(this::readOn, "reader");
            reader.start();
        }

        private void readOn() {
            for (long i = 0; !stop.get(); i++) {
                try {
                    String key = "k" + i % 500;
                    String value = quotes.get(key, any -> "v");
                    assertThat(value).isNotNull();
                    reads.incrementAndGet();
                } catch (RuntimeException | Error e) {
                    failed.compareAndSet(null, e);
                }
            }
        }

        void awaitRung(Rung rung, Duration atMost, String what) {
            long begin = System.nanoTime();
            await(what)
                    .atMost(atMost)
                    .pollInterval(Duration.ofMillis(5))
                    .untilAsserted(() -> assertThat(node.ladder().rung())
                            .as(() -> node.ladder().toString())
                            .isEqualTo(rung));
            System.out.printf(
                    "LadderIT %s: %s after %d ms%n", what, rung.text(), (System.nanoTime() - begin) / 1_000_000);
        }

        @Override
        public void close() throws Exception {
            stop.set(true);
            reader.join(10_000);
            node.close();
            link.close();
            redis.close();
        }
    }

    @Test
    @Tag("F67")
    void a_redis_that_is_frozen_is_handed_what_it_missed_before_it_is_read_again() throws Exception {
        try (Rig rig = new Rig(true)) {
            rig.redis.freeze();
            rig.awaitRung(Rung.LOCAL_ONLY, DETECT, "frozen, noticed");
            assertThat(rig.quotes.put("kept", "meanwhile").missed()).containsExactly(TierLevel.L2);
            assertThat(rig.node.ladder().cause()).contains("l2");
            long asked = rig.node.metrics().counter("health.l2.asked").getCount();
            long handed =
                    rig.node.metrics().counter("missed_writes.l2.attempts").getCount();
            await().pollDelay(Duration.ofSeconds(4)).until(() -> true);
            assertThat(rig.node.metrics().counter("health.l2.asked").getCount() - asked)
                    .as("tries of a dead tier become rare")
                    .isLessThanOrEqualTo(8);
            assertThat(rig.node.metrics().counter("missed_writes.l2.attempts").getCount() - handed)
                    .as("nothing is handed to it, but for what was on its way")
                    .isLessThanOrEqualTo(2);
            rig.redis.thaw();
            rig.awaitRung(Rung.NORMAL, RECOVER, "frozen, over");
            assertThat(rig.redis.command("GET", "terrace:quotes:kept"))
                    .as("handed over before L2 is read again")
                    .contains("meanwhile");
            assertThat(rig.failed.get()).isNull();
            assertThat(rig.reads.get()).isPositive();
        }
    }

    @Test
    @Tag("F66")
    void a_redis_that_flaps_every_three_seconds_moves_the_node_less_often_than_it_flaps() throws Exception {
        try (Rig rig = new Rig(false)) {
            for (int flap = 0; flap < 2; flap++) {
                rig.redis.freeze();
                await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
                rig.redis.thaw();
                await().pollDelay(Duration.ofSeconds(3)).until(() -> true);
            }
            assertThat(rig.node.metrics().counter("ladder.moves").getCount()).isBetween(1L, 3L);
            assertThat(rig.failed.get()).isNull();
        }
    }
}
