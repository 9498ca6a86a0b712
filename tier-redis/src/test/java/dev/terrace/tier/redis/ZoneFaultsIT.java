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
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Network and server fail under a zone: every call is answered in time, with a cause that says what to do. */
class ZoneFaultsIT {
    private static final RedisKeys KEYS = new RedisKeys("test");

    private static void write(RedisProcess redis, String key, byte[] bytes) {
        redis.command("SET", KEYS.of(key(key)), new String(bytes, StandardCharsets.ISO_8859_1));
    }

    private static void assertWrites(RedisZone zone, String key, Unavailability cause, String detail) {
        StoreOutcome outcome = put(zone, entry(key, 5));
        assertThat(outcome).isInstanceOf(StoreOutcome.Unavailable.class);
        StoreOutcome.Unavailable no = (StoreOutcome.Unavailable) outcome;
        assertThat(no.cause()).as("%s", no).isEqualTo(cause);
        assertThat(no.detail()).contains(detail);
    }

    /** Every kind of call at once; all must be answered, and soon after the deadline. */
    private static void everythingEndsInTime(RedisZone zone, Unavailability... causes) {
        Entry entry = entry("burst");
        List<CompletableFuture<Unavailability>> calls = new ArrayList<>();
        Stalls stalls = new Stalls();
        long begin = System.nanoTime();
        for (int i = 0; i < 16; i++) {
            calls.add(zone.vote(entry.key())
                    .thenApply(found -> ((Lookup.Unavailable) found).cause())
                    .toCompletableFuture());
            calls.add(zone.query(entry.key())
                    .thenApply(ballot -> ((Ballot.Unknown) ballot).cause())
                    .toCompletableFuture());
            calls.add(zone.promise(entry.key(), entry.version(), Duration.ofSeconds(1))
                    .thenApply(promise -> ((Promise.Unknown) promise).cause())
                    .toCompletableFuture());
            calls.add(zone.put(entry, WriteCondition.IF_NEWER)
                    .thenApply(outcome -> ((StoreOutcome.Unavailable) outcome).cause())
                    .toCompletableFuture());
            calls.add(zone.accept(entry)
                    .thenApply(outcome -> ((StoreOutcome.Unavailable) outcome).cause())
                    .toCompletableFuture());
            calls.add(zone.restore(entry)
                    .thenApply(outcome -> ((StoreOutcome.Unavailable) outcome).cause())
                    .toCompletableFuture());
        }
        long sent = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        answer(CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)));
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        assertThat(calls).allSatisfy(call -> assertThat(call.join()).isIn((Object[]) causes));
        long stalled = stalls.end();
        assertThat(took)
                .as("sending took %s ms, the machine stalled for %s ms", sent, stalled)
                .isLessThan(sent + TIMEOUT.toMillis() + 250 + stalled);
        CompletableFuture<Standing> standing = zone.examine().toCompletableFuture();
        CompletableFuture<ReplicaPage> page = zone.page(null, 10).toCompletableFuture();
        CompletableFuture<Boolean> beginning = zone.begin("not-now").toCompletableFuture();
        CompletableFuture<Boolean> admission = zone.admit("not-now").toCompletableFuture();
        assertThat(answer(standing)).isEqualTo(Standing.UNREACHABLE);
        assertThat(answer(page).failure()).isNotNull();
        assertThat(answer(beginning)).isFalse();
        assertThat(answer(admission)).isFalse();
    }

    @Test
    @Tag("F02")
    void aFrozenZoneHoldsNobodyAndVotesAgainWhenItThaws() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            Entry before = entry("a", 1);
            assertThat(put(zone, before)).isEqualTo(StoreOutcome.APPLIED);
            redis.freeze();
            everythingEndsInTime(zone, Unavailability.TIMEOUT, Unavailability.DISCONNECTED);
            redis.thaw();
            // The admission that timed out may have been executed after all; then it is the one that counts.
            awaitStanding(zone, Standing.MEMBER);
            assertThat(vote(zone, before.key())).isEqualTo(new Lookup.Hit(before));
            assertThat(put(zone, entry("a", 2))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F15")
    void aHalfOpenConnectionHoldsNobody() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port());
                RedisZone zone = admitted(open("a", proxy.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            for (TcpProxy.Mode mode :
                    List.of(TcpProxy.Mode.LOSE_ALL, TcpProxy.Mode.LOSE_ANSWERS, TcpProxy.Mode.LOSE_REQUESTS)) {
                proxy.mode(mode);
                everythingEndsInTime(zone, Unavailability.TIMEOUT, Unavailability.DISCONNECTED);
                proxy.mode(TcpProxy.Mode.PASS);
                awaitStanding(zone, Standing.MEMBER);
                assertThat(vote(zone, key("a"))).isInstanceOf(Lookup.Hit.class);
            }
        }
    }

    @Test
    @Tag("F14")
    void aWriteWhoseAnswerWasLostHasHappenedAndMayBeSentAgain() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port());
                RedisZone zone = admitted(open("a", proxy.port()))) {
            assertThat(put(zone, entry("warm"))).isEqualTo(StoreOutcome.APPLIED);
            Entry entry = entry("a");
            proxy.mode(TcpProxy.Mode.LOSE_ANSWERS);
            assertThat(((StoreOutcome.Unavailable) put(zone, entry)).cause()).isEqualTo(Unavailability.TIMEOUT);
            proxy.mode(TcpProxy.Mode.PASS);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(vote(zone, entry.key())).isEqualTo(new Lookup.Hit(entry)));
            assertThat(put(zone, entry)).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F22")
    void aFullServerTakesNoWritesAndStillVotes() {
        try (RedisProcess redis = RedisProcess.start("--maxmemory", "6mb", "--maxmemory-policy", "noeviction");
                RedisZone zone = admitted(open("a", redis.port()))) {
            Entry held = entry("held");
            assertThat(put(zone, held)).isEqualTo(StoreOutcome.APPLIED);
            long now = InstantSource.system().millis();
            StoreOutcome last = StoreOutcome.APPLIED;
            for (int i = 0; i < 200 && last instanceof StoreOutcome.Applied; i++) {
                last = put(
                        zone,
                        Entries.value(
                                key("big" + i), Entries.version(now, i), now, Duration.ofMinutes(5), new byte[65_536]));
            }
            assertThat(last).isInstanceOfSatisfying(StoreOutcome.Unavailable.class, no -> {
                assertThat(no.cause()).isEqualTo(Unavailability.STORAGE);
                assertThat(no.detail()).contains("OOM");
            });
            // A promise is so small that it may still fit between two large values.
            redis.command("CONFIG", "SET", "maxmemory", "1mb");
            assertThat(vote(zone, held.key())).isEqualTo(new Lookup.Hit(held));
            assertThat(((Promise.Unknown)
                                    answer(zone.promise(key("p"), entry("p").version(), Duration.ofSeconds(1))))
                            .cause())
                    .isEqualTo(Unavailability.STORAGE);
            assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
            redis.command("CONFIG", "SET", "maxmemory", "0");
            assertThat(put(zone, entry("after"))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F23")
    void aServerThatRunsALongScriptIsOverloaded() {
        try (RedisProcess redis = RedisProcess.start("--lua-time-limit", "50");
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            Thread busy = new Thread(() -> redis.command("EVAL", "while true do end", "0"));
            busy.start();
            await().atMost(HEALED).untilAsserted(() -> assertWrites(zone, "a", Unavailability.OVERLOADED, "BUSY"));
            assertThat(answer(zone.examine())).isEqualTo(Standing.UNREACHABLE);
            redis.command("SCRIPT", "KILL");
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(zone, entry("a", 9))).isEqualTo(StoreOutcome.APPLIED));
        }
    }

    @Test
    @Tag("F23")
    void aServerThatCannotSaveTakesNoWrites() throws IOException {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            Files.createDirectory(redis.folder().resolve("blocked.rdb"));
            redis.command("CONFIG", "SET", "dbfilename", "blocked.rdb");
            redis.command("CONFIG", "SET", "save", "3600 1");
            redis.command("BGSAVE");
            await().atMost(HEALED).untilAsserted(() -> assertWrites(zone, "a", Unavailability.STORAGE, "MISCONF"));
            assertThat(vote(zone, key("a"))).isInstanceOf(Lookup.Hit.class);
            redis.command("CONFIG", "SET", "stop-writes-on-bgsave-error", "no");
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(zone, entry("a", 9))).isEqualTo(StoreOutcome.APPLIED));
        }
    }

    @Test
    @Tag("F23")
    void aServerThatBecameAReplicaTakesNoPart() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("REPLICAOF", "127.0.0.1", Integer.toString(RedisProcess.freePort()));
            assertTakesNoPart(zone, Unavailability.FORGETFUL);
            assertThat(answer(zone.begin("not-on-a-replica"))).isFalse();
            assertThat(answer(zone.admit("not-on-a-replica"))).isFalse();
            assertThat(((StoreOutcome.Unavailable) answer(zone.restore(entry("a", 9)))).cause())
                    .isEqualTo(Unavailability.ERROR);
        }
    }

    @Test
    @Tag("F23")
    void aServerThatIsLoadingTakesNoPart() {
        // While it loads, the server looks up every two megabytes.
        try (RedisProcess redis = RedisProcess.start("--key-load-delay", "2000");
                RedisZone zone = admitted(open("a", redis.port()))) {
            long now = InstantSource.system().millis();
            SplittableRandom random = new SplittableRandom(42);
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < 120; i++) {
                byte[] payload = new byte[65_536];
                random.nextBytes(payload);
                entries.add(
                        Entries.value(key("load" + i), Entries.version(now, i), now, Duration.ofMinutes(5), payload));
            }
            for (Entry entry : entries) {
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(put(zone, entry)).isEqualTo(StoreOutcome.APPLIED));
            }
            redis.command("SAVE");
            redis.kill();
            redis.restartLoading();
            long refused = 0;
            while (redis.command("PING").contains("LOADING")) {
                Lookup found = vote(zone, key("load1"));
                assertThat(found).isInstanceOf(Lookup.Unavailable.class);
                refused++;
            }
            System.out.println("ZoneFaultsIT refused while loading: " + refused);
            assertThat(refused).isPositive();
            awaitStanding(zone, Standing.FORGETFUL);
        }
    }

    @Test
    @Tag("F23")
    void aSlotNobodyServesIsAnErrorOfItsKeysOnly() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            String name = KEYS.of(key("a"));
            String slot = cluster.nodes()
                    .get(0)
                    .command("CLUSTER", "KEYSLOT", name)
                    .substring(1)
                    .trim();
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            cluster.nodes().forEach(node -> node.command("CLUSTER", "DELSLOTS", slot));
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(zone, entry("a", 2)))
                            .isInstanceOfSatisfying(
                                    StoreOutcome.Unavailable.class,
                                    no -> assertThat(no.cause())
                                            .isIn(Unavailability.ERROR, Unavailability.DISCONNECTED)));
            assertThat(put(zone, entry("other"))).isEqualTo(StoreOutcome.APPLIED);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(answer(zone.examine())).isEqualTo(Standing.UNREACHABLE));
        }
    }

    /** A key moves to another server and its promise, which is not there, does not: Redis says TRYAGAIN until the slot has moved. */
    @Test
    @Tag("F09")
    void aSlotOnItsWayCostsTimeAndNothingElse() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            String name = KEYS.of(key("a"));
            assertThat(put(zone, entry("a", 1))).isEqualTo(StoreOutcome.APPLIED);
            RedisProcess from = cluster.nodes().stream()
                    .filter(node -> node.command("GET", name).startsWith("$"))
                    .findFirst()
                    .orElseThrow();
            RedisProcess to = cluster.nodes().get(from == cluster.nodes().get(0) ? 1 : 0);
            String slot = from.command("CLUSTER", "KEYSLOT", name).substring(1).trim();
            String fromId = from.command("CLUSTER", "MYID").split("\r\n")[1];
            String toId = to.command("CLUSTER", "MYID").split("\r\n")[1];
            to.command("CLUSTER", "SETSLOT", slot, "IMPORTING", fromId);
            from.command("CLUSTER", "SETSLOT", slot, "MIGRATING", toId);

            Entry during = entry("a", 2);
            StoreOutcome inTime = put(zone, during);
            assertThat(inTime)
                    .isInstanceOfSatisfying(
                            StoreOutcome.Unavailable.class,
                            no -> assertThat(no.cause()).isEqualTo(Unavailability.TIMEOUT));
            assertThat(vote(zone, key("a"))).as("one key alone is served").isInstanceOf(Lookup.Hit.class);

            CompletableFuture<StoreOutcome> waiting =
                    zone.put(during, WriteCondition.IF_NEWER).toCompletableFuture();
            from.command("MIGRATE", "127.0.0.1", Integer.toString(to.port()), name, "0", "1000");
            for (RedisProcess node : List.of(to, from)) {
                node.command("CLUSTER", "SETSLOT", slot, "NODE", toId);
            }
            assertThat(answer(waiting)).isIn(StoreOutcome.APPLIED, inTime);
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(put(zone, during)).isEqualTo(StoreOutcome.APPLIED));
            assertThat(vote(zone, key("a"))).isEqualTo(new Lookup.Hit(during));
            awaitStanding(zone, Standing.MEMBER);
        }
    }

    @Test
    @Tag("F24")
    void aPermissionTakenAwayIsNamed() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("ACL", "SETUSER", "default", "-evalsha");
            assertWrites(zone, "a", Unavailability.ERROR, "NOPERM");
            redis.command("ACL", "SETUSER", "default", "+evalsha");
            assertThat(put(zone, entry("a", 9))).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    @Tag("F23")
    void aServerThatIsNoRedisIsNamed() {
        try (RedisProcess redis = RedisProcess.start();
                TcpProxy proxy = TcpProxy.to(redis.port())) {
            proxy.mode(TcpProxy.Mode.ANSWER_RUBBISH);
            try (RedisZone zone = open("a", proxy.port())) {
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(zone.status().detail()).contains("not a Redis server"));
                everythingEndsInTime(zone, Unavailability.DISCONNECTED);
                proxy.mode(TcpProxy.Mode.PASS);
                admitted(zone);
                proxy.mode(TcpProxy.Mode.ANSWER_RUBBISH);
                assertThat(((StoreOutcome.Unavailable) put(zone, entry("a"))).cause())
                        .as("it may have been done: what cannot be read is no refusal")
                        .isIn(Unavailability.DISCONNECTED, Unavailability.TIMEOUT);
                proxy.mode(TcpProxy.Mode.PASS);
                awaitStanding(zone, Standing.MEMBER);
            }
        }
    }

    @Test
    void anotherTypeUnderAKeyHurtsNoOtherKey() {
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            redis.command("HSET", KEYS.of(key("hash")), "field", "value");
            assertThat(((Lookup.Unavailable) vote(zone, key("hash"))).detail()).contains("WRONGTYPE");
            assertWrites(zone, "hash", Unavailability.ERROR, "WRONGTYPE");
            assertThat(((Ballot.Unknown) answer(zone.query(key("hash")))).cause())
                    .isEqualTo(Unavailability.ERROR);
            List<StoreOutcome> outcomes = answer(zone.putAll(List.of(entry("a"), entry("hash"), entry("b"))));
            assertThat(outcomes.get(0)).isEqualTo(StoreOutcome.APPLIED);
            assertThat(outcomes.get(1)).isInstanceOf(StoreOutcome.Unavailable.class);
            assertThat(outcomes.get(2)).isEqualTo(StoreOutcome.APPLIED);
        }
    }

    @Test
    void whatCannotBeReadIsNoVoteAndHealsByTheNextWrite() {
        MetricRegistry metrics = new MetricRegistry();
        try (RedisProcess redis = RedisProcess.start();
                RedisZone zone =
                        admitted(open("a", RedisFixture.settings(redis.port()), InstantSource.system(), metrics))) {
            byte[] flipped = Envelope.encode(entry("flipped"));
            flipped[flipped.length - 10] ^= 1;
            write(redis, "flipped", flipped);
            write(redis, "rubbish", "no envelope".getBytes(StandardCharsets.US_ASCII));
            write(redis, "yours", Envelope.encode(entry("mine")));
            for (String key : List.of("flipped", "rubbish", "yours")) {
                assertThat(((Lookup.Unavailable) vote(zone, key(key))).cause()).isEqualTo(Unavailability.ERROR);
            }
            assertThat(((Ballot.Unknown) answer(zone.query(key("rubbish")))).cause())
                    .isEqualTo(Unavailability.ERROR);
            assertThat(answer(zone.promise(key("rubbish"), entry("rubbish").version(), Duration.ofSeconds(1))))
                    .isInstanceOf(Promise.Unknown.class);
            assertThat(metrics.counter("zone.a.corrupt").getCount()).isEqualTo(2);
            assertThat(metrics.counter("zone.a.unknown_format").getCount()).isEqualTo(1);
            for (String key : List.of("flipped", "rubbish", "yours")) {
                Entry sound = entry(key, 50);
                assertThat(put(zone, sound)).isEqualTo(StoreOutcome.APPLIED);
                assertThat(vote(zone, key(key))).isEqualTo(new Lookup.Hit(sound));
            }

            byte[] later = Envelope.encode(entry("later"));
            later[0] = 2;
            write(redis, "later", later);
            assertThat(put(zone, entry("later", 99))).isInstanceOf(StoreOutcome.Refused.class);
            assertThat(answer(zone.restore(entry("later", 99)))).isInstanceOf(StoreOutcome.Refused.class);
            assertThat(vote(zone, key("later"))).isInstanceOf(Lookup.Unavailable.class);
            assertThat(answer(zone.query(key("later")))).isInstanceOf(Ballot.Unknown.class);
        }
    }

    @Test
    void aWalkPassesOverWhatIsNotOursAndEndsWhenTheServerRestarts() {
        MetricRegistry metrics = new MetricRegistry();
        try (RedisProcess redis = RedisProcess.start("--appendonly", "yes");
                RedisZone zone =
                        admitted(open("a", RedisFixture.settings(redis.port()), InstantSource.system(), metrics))) {
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                entries.add(entry("walk" + i));
            }
            assertThat(answer(zone.putAll(entries))).containsOnly(StoreOutcome.APPLIED);
            redis.command("HSET", "test:faults:hash", "field", "value");
            redis.command("SET", "test:faults:text", "text");
            redis.command("SET", "test:other", new String(Envelope.encode(entry("a")), StandardCharsets.ISO_8859_1));
            redis.command("SET", "elsewhere", "text");
            ReplicaPage whole = answer(zone.page(null, 10_000));
            assertThat(whole.items()).hasSize(200);
            assertThat(whole.next()).isNull();
            assertThat(metrics.counter("zone.a.foreign").getCount()).isEqualTo(3);
            ReplicaPage first = answer(zone.page(null, 20));
            assertThat(first.next()).isNotNull();
            redis.kill();
            redis.restart();
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(
                                    answer(zone.page(first.next(), 20)).failure())
                            .contains("restarted"));
        }
    }
}
