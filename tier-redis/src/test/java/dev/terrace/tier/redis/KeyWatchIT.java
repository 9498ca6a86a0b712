package dev.terrace.tier.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.KeyWatch;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What other programs do to our keys is heard within a second; what may not have been heard is a gap. */
class KeyWatchIT {
    private static final RedisKeys KEYS = new RedisKeys("test");
    private static final Duration SOON = Duration.ofSeconds(5);
    private static final Duration HEALED = Duration.ofSeconds(20);

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private static final class Heard implements KeyWatch.Listener {
        private final Set<CacheKey> keys = ConcurrentHashMap.newKeySet();
        private final AtomicInteger gaps = new AtomicInteger();

        @Override
        public void changed(CacheKey key) {
            keys.add(key);
        }

        @Override
        public void gap(String why) {
            gaps.incrementAndGet();
        }

        void awaitGaps(int most, Duration within) {
            await().atMost(within).untilAsserted(() -> assertThat(gaps.get()).isGreaterThanOrEqualTo(most));
        }

        void awaitHears(CacheKey key) {
            await().atMost(SOON).untilAsserted(() -> assertThat(keys).contains(key));
            keys.clear();
        }
    }

    private Heard watch(int... ports) {
        return watch(new RedisKeyWatch("", RedisFixture.settings(ports)));
    }

    private Heard watch(RedisKeyWatch watch) {
        Heard heard = new Heard();
        opened.add(watch);
        watch.start(heard);
        return heard;
    }

    private static CacheKey key(String text) {
        return RedisFixture.key(text);
    }

    private static String name(String text) {
        return KEYS.of(key(text));
    }

    private static void everyKindOfChangeIsHeard(RedisProcess redis, Heard heard) {
        heard.awaitGaps(1, HEALED);
        List<List<String>> changes = List.of(
                List.of("SET", name("odd {key} %:*"), "by hand"),
                List.of("DEL", name("odd {key} %:*")),
                List.of("APPEND", name("odd {key} %:*"), "more"),
                List.of("EVAL", "return redis.call('SET', KEYS[1], 'script')", "1", name("odd {key} %:*")),
                List.of("PEXPIRE", name("odd {key} %:*"), "60"),
                List.of("HSET", name("odd {key} %:*"), "another", "type"),
                List.of("RENAME", name("odd {key} %:*"), "elsewhere"),
                List.of("RENAME", "elsewhere", name("odd {key} %:*")),
                List.of("UNLINK", name("odd {key} %:*")));
        for (List<String> change : changes) {
            if (change.get(0).equals("HSET")) {
                // The one before runs out by itself, which is a change too.
                heard.awaitHears(key("odd {key} %:*"));
            }
            assertThat(redis.command(change.toArray(String[]::new))).doesNotStartWith("-");
            heard.awaitHears(key("odd {key} %:*"));
        }
        int gaps = heard.gaps.get();
        redis.command("SET", "other:key", "none of ours");
        redis.command("SET", "test:rubbish", "none of ours either");
        redis.command("SET", "test:%zz:x", "nor this");
        redis.command("SET", name("last"), "x");
        heard.awaitHears(key("last"));
        assertThat(heard.gaps.get()).isEqualTo(gaps);
        redis.command("FLUSHALL");
        heard.awaitGaps(gaps + 1, SOON);
    }

    @Test
    @Tag("F06")
    void everyKindOfChangeIsHeardOnTheOldestServer() {
        try (RedisProcess redis = RedisProcess.start()) {
            everyKindOfChangeIsHeard(redis, watch(redis.port()));
        }
    }

    @Test
    @Tag("F06")
    void everyKindOfChangeIsHeardOnTheServerThatIsInstalled() {
        Path installed = RedisProcess.installedBinary();
        if (installed == null) {
            System.out.println("KeyWatchIT skipped in part: no redis-server on the PATH");
            return;
        }
        try (RedisProcess redis = RedisProcess.start(installed, RedisProcess.freePort())) {
            everyKindOfChangeIsHeard(redis, watch(redis.port()));
        }
    }

    @Test
    void thousandsOfChangesAtOnceAreHeardOrAreAGap() {
        try (RedisProcess redis = RedisProcess.start()) {
            Heard heard = watch(redis.port());
            heard.awaitGaps(1, HEALED);
            for (int many : new int[] {5_000, 40_000}) {
                List<String> words = new ArrayList<>(List.of("MSET"));
                for (int i = 0; i < many; i++) {
                    words.add(name("many" + i));
                    words.add("x");
                }
                int gaps = heard.gaps.get();
                redis.command(words.toArray(String[]::new));
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(heard.keys.size() >= many || heard.gaps.get() > gaps)
                                .as("%s of %s heard, %s gaps", heard.keys.size(), many, heard.gaps.get() - gaps)
                                .isTrue());
                heard.keys.clear();
            }
        }
    }

    @Test
    @Tag("F34")
    void aConnectionThatIsKilledOrHalfOpenOrFrozenIsAGap() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port())) {
            Heard heard = watch(proxy.port());
            heard.awaitGaps(1, HEALED);
            redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
            heard.awaitGaps(2, HEALED);
            for (TcpProxy.Mode mode : List.of(TcpProxy.Mode.LOSE_ANSWERS, TcpProxy.Mode.LOSE_ALL)) {
                int gaps = heard.gaps.get();
                proxy.mode(mode);
                redis.command("DEL", name("missed"));
                await().atMost(HEALED).until(() -> proxy.connections() == 0 || heard.gaps.get() > gaps);
                proxy.mode(TcpProxy.Mode.PASS);
                heard.awaitGaps(gaps + 1, HEALED);
                redis.command("SET", name("after"), "x");
                heard.awaitHears(key("after"));
            }
            int gaps = heard.gaps.get();
            redis.freeze();
            await().pollDelay(Duration.ofMillis(WatchedServer.SILENCE_MILLIS + 1_500))
                    .until(() -> true);
            redis.thaw();
            heard.awaitGaps(gaps + 1, HEALED);
        }
    }

    @Test
    @Tag("F24")
    void aServerThatIsAwayOrRefusesIsNamedAndJoinedLater() {
        int port = RedisProcess.freePort();
        RedisKeyWatch watch = new RedisKeyWatch("a", RedisFixture.settings(Topology.AUTO, null, "right", port));
        Heard heard = watch(watch);
        await().atMost(HEALED).untilAsserted(() -> assertThat(watch.trouble()).contains(":" + port));
        try (RedisProcess redis = RedisProcess.startOn(port, "--requirepass", "wrong")) {
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(watch.trouble()).contains("WRONGPASS"));
            redis.commandWithPassword("wrong", "CONFIG", "SET", "requirepass", "right");
            heard.awaitGaps(1, HEALED);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(watch.trouble()).isEmpty());
            redis.commandWithPassword("right", "SET", name("a"), "x");
            heard.awaitHears(key("a"));
        }
    }

    @Test
    @Tag("F08")
    void inAClusterEveryPrimaryIsHeardAndOneThatTakesOverIsAGap() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startWithReplicas(3)) {
            Heard heard = watch(cluster.nodes().get(0).port());
            heard.awaitGaps(3, HEALED);
            for (int i = 0; i < 12; i++) {
                String name = name("c" + i);
                assertThat(cluster.ownerOf(cluster.slotOf(name)).command("SET", name, "x"))
                        .startsWith("+OK");
                heard.awaitHears(key("c" + i));
            }
            RedisProcess replica = cluster.replicas().get(0);
            int gaps = heard.gaps.get();
            cluster.failover(replica);
            heard.awaitGaps(gaps + 1, HEALED);
            for (int i = 0; i < 12; i++) {
                String name = name("d" + i);
                int at = i;
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(
                                        cluster.ownerOf(cluster.slotOf(name)).command("SET", name, "x"))
                                .startsWith("+OK"));
                await().atMost(HEALED).untilAsserted(() -> {
                    cluster.ownerOf(cluster.slotOf(name)).command("SET", name, "y");
                    assertThat(heard.keys).contains(key("d" + at));
                });
            }
        }
    }
}
