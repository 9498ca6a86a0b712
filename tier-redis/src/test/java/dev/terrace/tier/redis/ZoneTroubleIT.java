package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.TIMEOUT;
import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.ZoneFixture.HEALED;
import static dev.terrace.tier.redis.ZoneFixture.admitted;
import static dev.terrace.tier.redis.ZoneFixture.assertTakesNoPart;
import static dev.terrace.tier.redis.ZoneFixture.awaitStanding;
import static dev.terrace.tier.redis.ZoneFixture.open;
import static dev.terrace.tier.redis.ZoneFixture.put;
import static dev.terrace.tier.redis.ZoneFixture.vote;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import com.sun.net.httpserver.HttpServer;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Zones that were set up wrongly, are somebody else's in part, or are moved about. */
class ZoneTroubleIT {
    private static final RedisKeys KEYS = new RedisKeys("test");

    private static void awaitDetail(RedisZone zone, String part) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(zone.status().detail()).contains(part));
    }

    @Test
    @Tag("F01")
    void aZoneThatIsAwayAtTheStartHoldsNobodyAndJoinsLater() {
        int port = RedisProcess.freePort();
        try (RedisZone zone = open("a", port)) {
            long begin = System.nanoTime();
            assertTakesNoPart(zone, Unavailability.DISCONNECTED);
            assertThat(answer(zone.examine())).isEqualTo(Standing.UNREACHABLE);
            assertThat(answer(zone.begin("token"))).isFalse();
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin))
                    .as("nothing waits for what is not there")
                    .isLessThan(TIMEOUT.toMillis() * 5);
            try (RedisProcess redis = RedisProcess.startOn(port)) {
                awaitStanding(zone, Standing.NEW);
                admitted(zone);
                assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
                assertThat(redis.isAlive()).isTrue();
            }
        }
    }

    @Test
    @Tag("F24")
    void aWrongPasswordInOneZoneIsNamedAndHurtsNoOther() {
        try (RedisProcess first = RedisProcess.start("--requirepass", "right");
                RedisProcess second = RedisProcess.start("--requirepass", "right");
                RedisZone wrong =
                        open("a", RedisFixture.settings(Topology.STANDALONE, null, "wrong-secret", first.port()));
                RedisZone right =
                        admitted(open("b", RedisFixture.settings(Topology.STANDALONE, null, "right", second.port())))) {
            awaitDetail(wrong, "WRONGPASS");
            assertThat(wrong.status().detail()).doesNotContain("wrong-secret");
            assertTakesNoPart(wrong, Unavailability.DISCONNECTED);
            assertThat(put(right, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            first.commandWithPassword("right", "CONFIG", "SET", "requirepass", "wrong-secret");
            admitted(wrong);
            assertThat(put(wrong, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F23")
    void aWebServerIsNoZone() throws IOException {
        HttpServer web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        web.createContext("/", exchange -> {
            exchange.sendResponseHeaders(404, -1);
            exchange.close();
        });
        web.start();
        try (RedisZone zone = open("a", web.getAddress().getPort())) {
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(zone.status().detail()).isNotEqualTo("connecting"));
            assertTakesNoPart(zone, Unavailability.DISCONNECTED);
            assertThat(answer(zone.examine())).isEqualTo(Standing.UNREACHABLE);
        } finally {
            web.stop(0);
        }
    }

    @Test
    @Tag("F15")
    void aSocketThatSaysNothingIsNoZone() throws IOException {
        try (ServerSocket silent = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
                RedisZone zone = open("a", silent.getLocalPort())) {
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(zone.status().detail()).isNotEqualTo("connecting"));
            long begin = System.nanoTime();
            assertTakesNoPart(zone, Unavailability.DISCONNECTED);
            assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)).isLessThan(TIMEOUT.toMillis() * 5);
        }
    }

    @Test
    @Tag("F08")
    void lostScriptsAreLoadedAgainForPlainCallsAndNeverForVotes() {
        try (RedisProcess redis = RedisProcess.start();
                RedisTier tier = RedisFixture.openReady(redis.port());
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(RedisFixture.put(tier, entry("tier"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(put(zone, entry("zone"))).isEqualTo(StoreOutcome.APPLIED);
            for (int round = 0; round < 3; round++) {
                redis.command("SCRIPT", "FLUSH");
                assertThat(RedisFixture.put(tier, entry("tier", round + 2))).isEqualTo(StoreOutcome.APPLIED);
                assertThat(answer(zone.restore(entry("restored", round + 2)))).isEqualTo(StoreOutcome.APPLIED);
                assertTakesNoPart(zone, Unavailability.FORGETFUL);
            }
        }
    }

    /** Lists, hashes and the like under names that we would use: each call says so, and nothing of theirs is touched. */
    @Test
    @Tag("F25")
    void whatIsSomebodyElsesIsNamedCountedAndLeftAlone() {
        MetricRegistry metrics = new MetricRegistry();
        try (RedisProcess redis = RedisProcess.start();
                RedisTier tier = RedisFixture.openReady(redis.port());
                RedisZone zone =
                        admitted(open("a", RedisFixture.settings(redis.port()), InstantSource.system(), metrics))) {
            Map<String, List<String>> theirs = Map.of(
                    "hash", List.of("HSET", KEYS.of(key("hash")), "field", "value"),
                    "list", List.of("RPUSH", KEYS.of(key("list")), "value"),
                    "set", List.of("SADD", KEYS.of(key("set")), "value"),
                    "zset", List.of("ZADD", KEYS.of(key("zset")), "1", "value"),
                    "stream", List.of("XADD", KEYS.of(key("stream")), "*", "field", "value"));
            theirs.forEach((name, command) -> {
                assertThat(redis.command(command.toArray(String[]::new))).doesNotStartWith("-");
                String dump = redis.command("DUMP", KEYS.of(key(name)));
                long counted = metrics.counter("zone.a.errors").getCount();
                Entry entry = entry(name, 99);
                assertWrongType(put(zone, entry));
                assertWrongType(answer(zone.restore(entry)));
                assertWrongType(answer(zone.accept(entry)));
                assertWrongType(RedisFixture.put(tier, entry));
                for (WriteCondition condition :
                        List.of(WriteCondition.IF_ABSENT, new WriteCondition.IfVersion(entry.version()))) {
                    assertWrongType(answer(zone.put(entry, condition)));
                    assertWrongType(answer(tier.put(entry, condition)));
                }
                assertThat(((Lookup.Unavailable) vote(zone, entry.key())).detail())
                        .contains("WRONGTYPE");
                assertThat(metrics.counter("zone.a.errors").getCount()).isGreaterThanOrEqualTo(counted + 6);
                assertThat(redis.command("DUMP", KEYS.of(key(name)))).isEqualTo(dump);
            });
            // Under the name of a promise, too.
            String promise = RedisKeys.promiseOf(KEYS.of(key("promised")));
            redis.command("RPUSH", promise, "value");
            assertWrongType(put(zone, entry("promised")));
            assertThat(answer(zone.promise(key("promised"), entry("promised").version(), Duration.ofSeconds(1))))
                    .isInstanceOfSatisfying(
                            dev.terrace.spi.Replica.Promise.Unknown.class,
                            no -> assertThat(no.detail()).contains("WRONGTYPE"));
            assertThat(redis.command("LLEN", promise)).startsWith(":1");
            assertThat(redis.command("EXISTS", KEYS.of(key("promised")))).startsWith(":0");
            assertThat(put(zone, entry("ours"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    private static void assertWrongType(StoreOutcome outcome) {
        assertThat(outcome).isInstanceOfSatisfying(StoreOutcome.Unavailable.class, no -> {
            assertThat(no.cause()).isEqualTo(Unavailability.ERROR);
            assertThat(no.detail()).contains("WRONGTYPE");
        });
    }

    /** What was asked before a server froze may be executed when it thaws; versions make that harmless. */
    @Test
    @Tag("F02")
    void lateCommandsOfAFrozenZoneDoNotBringOldValuesBack() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()));
                RedisZone other = ZoneFixture.reached(open("a", redis.port()))) {
            assertThat(put(zone, entry("a", 1))).isEqualTo(StoreOutcome.APPLIED);
            Entry late = entry("a", 2);
            Entry newest = entry("a", 60_000);
            redis.freeze();
            assertThat(((StoreOutcome.Unavailable) put(zone, late)).cause()).isEqualTo(Unavailability.TIMEOUT);
            redis.thaw();
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(other, newest)).isEqualTo(StoreOutcome.APPLIED));
            awaitStanding(zone, Standing.MEMBER);
            await().during(Duration.ofMillis(300))
                    .atMost(HEALED)
                    .until(() -> new Lookup.Hit(newest).equals(vote(zone, newest.key())));
            assertThat(put(zone, late)).isEqualTo(new StoreOutcome.Superseded(newest.version()));
        }
    }

    /** A slot goes back and forth under load: MOVED, ASK and TRYAGAIN cost time and lose nothing. */
    @Test
    @Tag("F09")
    void aStormOfMovingSlotsLosesNothing() throws Exception {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            int slot = cluster.slotOf(KEYS.of(key("moving")));
            Map<String, Entry> acknowledged = new ConcurrentHashMap<>();
            AtomicInteger refused = new AtomicInteger();
            AtomicBoolean stop = new AtomicBoolean();
            FutureTask<Void> writer = new FutureTask<>(() -> {
                for (int i = 1; !stop.get(); i++) {
                    for (String name : List.of("moving", "other" + i % 10)) {
                        Entry entry = entry(name, i % 60_000);
                        StoreOutcome outcome = put(zone, entry);
                        if (outcome instanceof StoreOutcome.Applied) {
                            acknowledged.put(name, entry);
                        } else {
                            refused.incrementAndGet();
                        }
                    }
                }
                return null;
            });
            new Thread(writer, "writer").start();
            for (int round = 0; round < 10 || acknowledged.size() < 11 && round < 200; round++) {
                RedisProcess from = cluster.ownerOf(slot);
                cluster.migrateSlot(
                        slot, cluster.nodes().get(from == cluster.nodes().get(0) ? 1 : 0));
            }
            stop.set(true);
            writer.get(HEALED.toMillis(), TimeUnit.MILLISECONDS);
            System.out.println("ZoneTroubleIT refused while slots moved: " + refused);
            await().atMost(HEALED)
                    .untilAsserted(() -> acknowledged.forEach((name, entry) -> {
                        Lookup found = vote(zone, entry.key());
                        assertThat(found).as(name).isInstanceOf(Lookup.Hit.class);
                        assertThat(entry.version()
                                        .isNewerThan(
                                                ((Lookup.Hit) found).entry().version()))
                                .as("%s went back", name)
                                .isFalse();
                    }));
            assertThat(acknowledged).hasSize(11);
            assertThat(put(zone, entry("moving", 65_000))).isEqualTo(StoreOutcome.APPLIED);
        }
    }
}
