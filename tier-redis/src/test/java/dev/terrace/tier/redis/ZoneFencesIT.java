package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.ZoneFixture.HEALED;
import static dev.terrace.tier.redis.ZoneFixture.admit;
import static dev.terrace.tier.redis.ZoneFixture.admitted;
import static dev.terrace.tier.redis.ZoneFixture.assertTakesNoPart;
import static dev.terrace.tier.redis.ZoneFixture.awaitForgetful;
import static dev.terrace.tier.redis.ZoneFixture.awaitHas;
import static dev.terrace.tier.redis.ZoneFixture.awaitStanding;
import static dev.terrace.tier.redis.ZoneFixture.awaitSynced;
import static dev.terrace.tier.redis.ZoneFixture.open;
import static dev.terrace.tier.redis.ZoneFixture.put;
import static dev.terrace.tier.redis.ZoneFixture.reached;
import static dev.terrace.tier.redis.ZoneFixture.vote;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a zone may have forgotten keeps it out of every vote, on old servers and new ones. */
class ZoneFencesIT {
    private static final String RECORD = new RedisKeys("test").zoneRecord();

    private static boolean knowsScripts(RedisProcess server, RedisZone zone) {
        String known = server.command("SCRIPT", "EXISTS", zone.digestOfVote());
        return known.contains(":1");
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F03")
    void aZoneThatRestartedWithItsFileDoesNotVote(AnyServer server) {
        try (RedisProcess redis = server.start("--appendonly", "yes", "--appendfsync", "always");
                RedisZone zone = admitted(open("a", redis.port()))) {
            Entry kept = entry("kept");
            assertThat(put(zone, kept)).isEqualTo(StoreOutcome.APPLIED);
            for (int round = 0; round < 3; round++) {
                redis.kill();
                redis.restart();
                await().atMost(HEALED)
                        .untilAsserted(() -> assertThat(redis.command("GET", RECORD))
                                .as("a marker survives")
                                .contains("terrace-zone"));
                assertThat(knowsScripts(redis, zone))
                        .as("so do scripts, on old servers")
                        .isEqualTo(server.keepsScripts());
                awaitForgetful(zone);
                assertThat(answer(zone.get(kept.key()))).isEqualTo(new Lookup.Hit(kept));
                admit(zone);
                assertThat(vote(zone, kept.key())).isEqualTo(new Lookup.Hit(kept));
                assertThat(put(zone, entry("after", round + 1))).isEqualTo(StoreOutcome.APPLIED);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F03")
    void aZoneThatRestartedEmptyDoesNotVote(AnyServer server) {
        try (RedisProcess redis = server.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("lost"))).isEqualTo(StoreOutcome.APPLIED);
            redis.kill();
            redis.restart();
            awaitForgetful(zone);
            try (RedisZone another = reached(open("a", redis.port()))) {
                assertThat(answer(another.examine()))
                        .as("to a node that never knew it")
                        .isEqualTo(Standing.NEW);
                assertTakesNoPart(another, Unavailability.FORGETFUL);
            }
            admit(zone);
            assertThat(vote(zone, key("lost"))).isEqualTo(Lookup.MISS);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F04")
    void aZoneThatLostTheEndOfItsFileDoesNotVote(AnyServer server) throws IOException {
        try (RedisProcess redis = server.start("--appendonly", "yes", "--appendfsync", "always");
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("first"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(put(zone, entry("last"))).isEqualTo(StoreOutcome.APPLIED);
            redis.kill();
            try (RandomAccessFile file =
                    new RandomAccessFile(appendOnlyFile(redis.folder()).toFile(), "rw")) {
                file.setLength(file.length() - 20);
            }
            redis.restart();
            awaitForgetful(zone);
            assertThat(answer(zone.get(key("first")))).isInstanceOf(Lookup.Hit.class);
            assertThat(answer(zone.get(key("last"))))
                    .as("acknowledged, and gone")
                    .isEqualTo(Lookup.MISS);
            assertThat(answer(zone.restore(entry("last")))).isEqualTo(StoreOutcome.APPLIED);
            awaitForgetful(zone);
            admit(zone);
            assertThat(vote(zone, key("last"))).isInstanceOf(Lookup.Hit.class);
        }
    }

    private static Path appendOnlyFile(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            return files.filter(file -> file.toString().endsWith(".aof"))
                    .filter(file -> !file.toString().endsWith(".base.aof"))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F04")
    void aZoneThatWentBackToAnOlderIncarnationDoesNotVote(AnyServer server) throws IOException {
        try (RedisProcess redis = server.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("yesterday"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("SAVE");
            byte[] backup = Files.readAllBytes(redis.folder().resolve("dump.rdb"));
            admit(zone);
            assertThat(put(zone, entry("today"))).isEqualTo(StoreOutcome.APPLIED);
            redis.kill();
            Files.write(redis.folder().resolve("dump.rdb"), backup);
            redis.restart();
            awaitForgetful(zone);
            assertThat(answer(zone.get(key("yesterday")))).isInstanceOf(Lookup.Hit.class);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F08")
    void aReplicaThatTakesTheZonesAddressDoesNotVote(AnyServer server) {
        try (RedisProcess primary = server.start();
                RedisProcess replica = server.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()));
                TcpProxy address = TcpProxy.to(primary.port());
                RedisZone zone = admitted(open("a", address.port()))) {
            awaitSynced(replica);
            admit(zone);
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            awaitHas(replica, "a");
            replica.command("REPLICAOF", "NO", "ONE");
            address.retarget(replica.port());
            awaitForgetful(zone);
            assertThat(knowsScripts(replica, zone)).isEqualTo(server.keepsScripts());
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F08")
    void aPrimaryThatWasAReplicaForAWhileDoesNotVoteThoughItNeverRestarted(AnyServer server) {
        try (RedisProcess primary = server.start();
                RedisProcess replica = server.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()));
                RedisZone zone = open("a", primary.port())) {
            awaitSynced(replica);
            admitted(zone);
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            awaitHas(replica, "a");
            String last = RECORD;
            replica.command("REPLICAOF", "NO", "ONE");
            assertThat(put(zone, entry("lost"))).as("the replica never sees it").isEqualTo(StoreOutcome.APPLIED);
            primary.command("REPLICAOF", "127.0.0.1", Integer.toString(replica.port()));
            awaitSynced(primary);
            assertTakesNoPart(zone, Unavailability.FORGETFUL);
            primary.command("REPLICAOF", "NO", "ONE");
            assertThat(primary.command("GET", last)).contains("terrace-zone");
            assertThat(knowsScripts(primary, zone)).isTrue();
            awaitForgetful(zone);
            assertThat(answer(zone.get(key("lost")))).isEqualTo(Lookup.MISS);
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPrimaryThatGetsItsFirstReplicaIsStillAMember(AnyServer server) {
        try (RedisProcess primary = server.start();
                RedisZone zone = admitted(open("a", primary.port()));
                RedisProcess replica = server.start("--replicaof", "127.0.0.1", Integer.toString(primary.port()))) {
            awaitSynced(replica);
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
        }
    }

    @ParameterizedTest
    @EnumSource
    @Tag("F06")
    void aFlushedServerDoesNotVoteThoughItKeepsItsScripts(AnyServer server) {
        try (RedisProcess redis = server.start();
                RedisZone zone = admitted(open("a", redis.port()))) {
            assertThat(put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.command("FLUSHALL");
            assertThat(knowsScripts(redis, zone)).isTrue();
            awaitForgetful(zone);
            admit(zone);
            assertThat(vote(zone, key("a"))).isEqualTo(Lookup.MISS);
        }
    }

    @Test
    @Tag("F06")
    void aFlushedShardIsFullOfHolesThatAWalkShows() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            List<Entry> entries = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                entries.add(entry("hole" + i));
            }
            assertThat(answer(zone.putAll(entries))).containsOnly(StoreOutcome.APPLIED);
            RedisProcess with = cluster.nodes().stream()
                    .filter(node -> node.command("GET", RECORD).startsWith("$"))
                    .findFirst()
                    .orElseThrow();
            for (RedisProcess node : cluster.nodes()) {
                if (node != with) {
                    node.command("FLUSHALL");
                }
            }
            int found = walk(zone).size();
            assertThat(found).isBetween(5, 45);
            assertThat(answer(zone.examine()))
                    .as("the shard without the record")
                    .isEqualTo(Standing.MEMBER);
            assertThat(entries.stream()
                            .filter(entry -> vote(zone, entry.key()) instanceof Lookup.Hit)
                            .count())
                    .isEqualTo(found);
            with.command("FLUSHALL");
            assertThat(answer(zone.examine())).as("the shard with the record").isEqualTo(Standing.FORGETFUL);
        }
    }

    private static List<CacheKey> walk(RedisZone zone) {
        List<CacheKey> found = new ArrayList<>();
        String cursor = null;
        do {
            ReplicaPage page = answer(zone.page(cursor, 100));
            assertThat(page.failure()).isNull();
            page.items().forEach(item -> found.add(item.key()));
            cursor = page.next();
        } while (cursor != null);
        return found;
    }

    @Test
    void oneForgetfulShardKeepsItsOwnKeysOut() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(3);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            cluster.nodes().get(1).command("SCRIPT", "FLUSH");
            assertThat(answer(zone.examine())).isEqualTo(Standing.FORGETFUL);
            int applied = 0;
            int forgetful = 0;
            for (int i = 0; i < 60; i++) {
                StoreOutcome outcome = put(zone, entry("shard" + i));
                if (outcome instanceof StoreOutcome.Unavailable no) {
                    assertThat(no.cause()).isEqualTo(Unavailability.FORGETFUL);
                    forgetful++;
                } else {
                    assertThat(outcome).isEqualTo(StoreOutcome.APPLIED);
                    applied++;
                }
            }
            assertThat(applied).isPositive();
            assertThat(forgetful).isPositive();
        }
    }

    @Test
    @Tag("F08")
    void afterAFailoverUnderLoadNothingIsAcknowledgedUntilTheZoneIsAdmittedAgain() throws Exception {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startWithReplicas(3);
                RedisZone zone = admitted(open(
                        "c",
                        cluster.nodes().stream().mapToInt(RedisProcess::port).toArray()))) {
            // The first admission may have come before the replicas were known.
            admit(zone);
            List<Entry> acknowledged = new ArrayList<>();
            AtomicBoolean stop = new AtomicBoolean();
            FutureTask<Void> writer = new FutureTask<>(() -> {
                for (int i = 0; !stop.get(); i++) {
                    Entry entry = entry("load" + i);
                    if (put(zone, entry) instanceof StoreOutcome.Applied) {
                        synchronized (acknowledged) {
                            acknowledged.add(entry);
                        }
                    }
                }
                return null;
            });
            new Thread(writer, "writer").start();
            await().atMost(HEALED).until(() -> {
                synchronized (acknowledged) {
                    return acknowledged.size() > 200;
                }
            });
            cluster.failover(cluster.replicas().get(0));
            awaitStanding(zone, Standing.FORGETFUL);
            stop.set(true);
            writer.get(HEALED.toMillis(), TimeUnit.MILLISECONDS);
            // Of the shard that failed over, nothing is acknowledged any more.
            long served = 0;
            for (int i = 0; i < 60; i++) {
                served += put(zone, entry("after" + i)) instanceof StoreOutcome.Applied ? 1 : 0;
            }
            assertThat(served).isBetween(1L, 59L);
            // There and back again: the first primary kept its scripts all the while.
            await().atMost(HEALED)
                    .untilAsserted(() -> assertThat(cluster.nodes().get(0).command("INFO", "replication"))
                            .contains("master_link_status:up"));
            cluster.failover(cluster.nodes().get(0));
            await().during(java.time.Duration.ofSeconds(3))
                    .atMost(HEALED)
                    .untilAsserted(() -> assertThat(answer(zone.examine())).isNotEqualTo(Standing.MEMBER));
            awaitStanding(zone, Standing.FORGETFUL);
            await().atMost(HEALED).untilAsserted(() -> {
                admit(zone);
                assertThat(answer(zone.examine())).isEqualTo(Standing.MEMBER);
            });
            for (Entry entry : acknowledged) {
                assertThat(vote(zone, entry.key())).isEqualTo(new Lookup.Hit(entry));
            }
        }
    }
}
