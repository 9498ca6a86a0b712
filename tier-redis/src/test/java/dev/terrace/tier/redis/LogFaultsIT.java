package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeardNotices;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.testkit.redis.TcpProxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What happens to servers and streams happens to the log: nothing is lost unseen, nobody waits long, and it heals by itself. */
class LogFaultsIT {
    private static final Duration HEALED = Duration.ofSeconds(30);
    private static final LogKeys KEYS = LogKeys.of("test");

    private final List<AutoCloseable> open = new ArrayList<>();
    private final MetricRegistry metrics = new MetricRegistry();
    private RedisProcess redis;
    /** What the servers say that a test is about, should it fail. */
    private Supplier<String> servers = () -> redis.describe();

    private long beats;

    @BeforeEach
    void start() {
        redis = RedisProcess.start();
        open.add(redis);
    }

    @AfterEach
    void stop() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    private record Node(long id, Backplane log, HeardNotices heard) {}

    private Node join(long id, int... ports) {
        RedisLog log = new RedisLog("", RedisFixture.settings(ports), id == 1 ? metrics : new MetricRegistry());
        open.add(log);
        Node node = new Node(id, log, new HeardNotices());
        log.start(id, node.heard());
        awaitEcho(node);
        return node;
    }

    private void awaitEcho(Node node) {
        awaitOf(node, "a beat of its own heard", () -> {
            Notice beat = new Notice.Beat(node.id(), ++beats, 0, 0, false);
            if (answer(node.log().publish(List.of(beat))) == Backplane.NOT_KNOWN) {
                return false;
            }
            return node.heard().hears(beat, Duration.ofSeconds(1));
        });
    }

    private static Notice change(long number) {
        return new Notice.Changed(1, CacheKey.of("faults", "k" + number), new Version(number, 1), false);
    }

    private static long publish(Node node, long number) {
        return answer(node.log().publish(List.of(change(number))));
    }

    private void mustPublish(Node node, long number) {
        awaitOf(node, number + " published", () -> publish(node, number) != Backplane.NOT_KNOWN);
    }

    private void awaitHeard(Node node, long number) {
        awaitOf(node, number + " heard", () -> node.heard().changes().contains(number));
    }

    /** Fails with what the node's log and the servers say. */
    private void awaitOf(Node node, String what, Callable<Boolean> condition) {
        try {
            await(what).atMost(HEALED).until(condition);
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    e.getMessage() + "\nnode " + node.id() + " with trouble '"
                            + node.log().trouble() + "'\n" + servers.get(),
                    e);
        }
    }

    private static int callOf(Node node, long number) {
        List<HeardNotices.Heard> calls = node.heard().calls();
        for (int i = 0; i < calls.size(); i++) {
            if (calls.get(i).notices().contains(change(number))) {
                return i;
            }
        }
        throw new AssertionError("not heard: " + number);
    }

    private static boolean gapBefore(Node node, long number) {
        return node.heard().calls().subList(0, callOf(node, number)).stream()
                .anyMatch(call -> !call.gap().isEmpty());
    }

    @Test
    @Tag("F27")
    void aDeletedStreamIsNoGapForThoseWhoHeardItAllAndOneForThoseWhoDidNot() {
        TcpProxy proxy = TcpProxy.to(redis.port());
        open.add(proxy);
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        Node away = join(3, proxy.port());
        proxy.mode(TcpProxy.Mode.LOSE_ALL);
        mustPublish(a, 1);
        awaitHeard(b, 1);
        redis.command("DEL", KEYS.stream());
        mustPublish(a, 2);
        awaitHeard(b, 2);
        proxy.mode(TcpProxy.Mode.PASS);
        awaitHeard(away, 2);
        assertThat(gapBefore(away, 2)).isTrue();
        assertThat(b.heard().changes()).containsExactly(1L, 2L);
        assertThat(b.heard().gaps()).isZero();
    }

    @Test
    @Tag("F27")
    void aStreamDeletedForGoodIsNoticedThoughNothingIsPublished() {
        TcpProxy proxy = TcpProxy.to(redis.port());
        open.add(proxy);
        Node a = join(1, redis.port());
        Node away = join(3, proxy.port());
        proxy.mode(TcpProxy.Mode.LOSE_ALL);
        mustPublish(a, 1);
        redis.command("DEL", KEYS.stream());
        proxy.mode(TcpProxy.Mode.PASS);
        await().atMost(HEALED).until(() -> away.heard().gaps() > 0);
        mustPublish(a, 2);
        awaitHeard(away, 2);
        assertThat(away.heard().changes()).containsExactly(2L);
    }

    @Test
    @Tag("F27")
    void aHeadDeletedBeginsTheLogAnew() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        mustPublish(a, 1);
        long before = publish(a, 2);
        redis.command("DEL", KEYS.head());
        mustPublish(a, 3);
        assertThat(publish(a, 4)).isGreaterThan(before);
        awaitHeard(b, 4);
        assertThat(gapBefore(b, 3)).isTrue();
    }

    @Test
    @Tag("F27")
    @Tag("F03")
    void aServerThatRestartsEmptyIsAGapAndPositionsAreNotUsedAgain() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        long before = publish(a, 1);
        assertThat(before).isNotEqualTo(Backplane.NOT_KNOWN);
        redis.kill();
        redis.restart();
        mustPublish(a, 2);
        assertThat(publish(a, 3)).isGreaterThan(before);
        awaitHeard(b, 3);
        await().atMost(HEALED).until(() -> a.heard().gaps() > 0);
        assertThat(gapBefore(b, 3)).isTrue();
        awaitEcho(a);
        awaitEcho(b);
    }

    @Test
    @Tag("F04")
    @Tag("F27")
    void aServerThatComesBackWithItsDataMayHaveLostTheLastOfIt() {
        redis.command("CONFIG", "SET", "appendonly", "yes");
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        mustPublish(a, 1);
        awaitHeard(b, 1);
        // What a power cut leaves: the file without its end. Here the whole of a later append is gone.
        redis.command("CONFIG", "SET", "appendonly", "no");
        mustPublish(a, 2);
        redis.kill();
        redis.restart();
        mustPublish(a, 3);
        awaitHeard(b, 3);
        assertThat(gapBefore(b, 3)).isTrue();
    }

    @Test
    @Tag("F34")
    void aReaderWhoseConnectionAloneIsKilledReadsOnFromWhereItWas() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        for (int i = 0; i < 5; i++) {
            String clients = redis.command("CLIENT", "LIST");
            clients.lines()
                    .filter(line -> line.contains("name=terrace-log-read"))
                    .forEach(line -> redis.command("CLIENT", "KILL", "ID", line.replaceAll(".*?\\bid=(\\d+).*", "$1")));
            mustPublish(a, i);
            awaitHeard(b, i);
        }
        assertThat(b.heard().changes()).containsExactly(0L, 1L, 2L, 3L, 4L);
        assertThat(b.heard().gaps()).isZero();
        assertThat(metrics.counter("backplane.log.reconnects").getCount()).isPositive();
    }

    @Test
    @Tag("F32")
    void rubbishInTheStreamIsPassedOverAndWhatMayBeALaterBuildsIsAGap() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        redis.command("XADD", KEYS.stream(), "*", "hello", "world");
        redis.command("XADD", KEYS.stream(), "*", "i", "x", "s", "not a number", "c", "1", "n", "\u0001");
        redis.command(
                "EVAL",
                "for i = 1, 5000 do redis.call('XADD', KEYS[1], '*', 'f' .. i, string.rep('x', i)) end",
                "1",
                KEYS.stream());
        mustPublish(a, 1);
        awaitHeard(b, 1);
        assertThat(b.heard().gaps()).isZero();
        awaitSkipped(5_002);
        // A batch by our own script in a format that this build cannot read.
        String identity = field("id");
        redis.command(
                "EVAL", Scripts.LOG_APPEND.text(), "2", KEYS.stream(), KEYS.head(), identity, "3", "\u0007?", "1000");
        mustPublish(a, 2);
        awaitHeard(b, 2);
        assertThat(b.heard().gaps()).isEqualTo(1);
        assertThat(gapBefore(b, 2)).isTrue();
        awaitSkipped(5_005);
        assertThat(metrics.counter("backplane.log.gaps.unreadable").getCount()).isEqualTo(1);
    }

    /** The metrics are those of the first node, which may hear later than the others. */
    private void awaitSkipped(long entries) {
        await().atMost(HEALED)
                .untilAsserted(() -> assertThat(
                                metrics.counter("backplane.log.skipped").getCount())
                        .isEqualTo(entries));
    }

    private String field(String name) {
        return redis.command("HGET", KEYS.head(), name)
                .lines()
                .skip(1)
                .findFirst()
                .orElseThrow();
    }

    @Test
    @Tag("F32")
    void aHugeEntryCostsTimeButNoMemory() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        String answer = redis.command(
                "EVAL",
                "redis.call('XADD', KEYS[1], '*', 'x', string.rep('x', 100 * 1024 * 1024))",
                "1",
                KEYS.stream());
        assertThat(answer).doesNotStartWith("-");
        mustPublish(a, 1);
        awaitHeard(b, 1);
        assertThat(b.heard().gaps()).isZero();
        awaitSkipped(1);
    }

    @Test
    @Tag("F02")
    void aFrozenServerHoldsNobodyLongerThanTheDeadlineAndNothingIsMissedAfterwards() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        mustPublish(a, 1);
        redis.freeze();
        try {
            for (int i = 0; i < 5; i++) {
                long begin = System.nanoTime();
                assertThat(publish(a, 100 + i)).isEqualTo(Backplane.NOT_KNOWN);
                assertThat(Duration.ofNanos(System.nanoTime() - begin))
                        .isLessThan(RedisFixture.TIMEOUT.plusMillis(500));
            }
        } finally {
            redis.thaw();
        }
        mustPublish(a, 2);
        awaitHeard(b, 2);
        assertThat(b.heard().gaps()).isZero();
        assertThat(b.heard().changes()).startsWith(1L).contains(2L);
    }

    @Test
    @Tag("F15")
    void aHalfOpenConnectionIsReplacedWithinSeconds() {
        TcpProxy proxy = TcpProxy.to(redis.port());
        open.add(proxy);
        Node a = join(1, redis.port());
        Node b = join(2, proxy.port());
        proxy.mode(TcpProxy.Mode.LOSE_ANSWERS);
        long begin = System.nanoTime();
        mustPublish(a, 1);
        await().atMost(Duration.ofSeconds(5)).until(() -> proxy.connections() > 2 || sinceMillis(begin) > 2_500);
        proxy.mode(TcpProxy.Mode.PASS);
        awaitHeard(b, 1);
        assertThat(b.heard().gaps()).isZero();
    }

    private static long sinceMillis(long begin) {
        return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
    }

    @Test
    @Tag("F22")
    @Tag("F23")
    void aServerThatTakesNoWritesIsAnsweredForAndRecovers() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        redis.command("CONFIG", "SET", "maxmemory", "1");
        assertThat(publish(a, 1)).isEqualTo(Backplane.NOT_KNOWN);
        redis.command("CONFIG", "SET", "maxmemory", "0");
        mustPublish(a, 2);
        awaitHeard(b, 2);

        // Someone else's key where ours should be is left alone.
        redis.command("DEL", KEYS.stream());
        redis.command("SET", KEYS.stream(), "mine");
        await().atMost(HEALED).until(() -> publish(a, 3) == Backplane.NOT_KNOWN);
        assertThat(redis.command("GET", KEYS.stream())).contains("mine");
        redis.command("DEL", KEYS.stream());
        mustPublish(a, 4);
        awaitHeard(b, 4);

        // A master that becomes a replica, and is promoted again.
        redis.command("REPLICAOF", "127.0.0.1", "1");
        await().atMost(HEALED).until(() -> publish(a, 5) == Backplane.NOT_KNOWN);
        // Who appends must have seen it; a server that lost nothing meanwhile is no gap.
        await().atMost(HEALED).until(() -> a.log().trouble().contains("READONLY"));
        redis.command("REPLICAOF", "NO", "ONE");
        mustPublish(a, 6);
        awaitHeard(b, 6);
        assertThat(gapBefore(b, 6)).isTrue();
    }

    /** Clusters on one server, whose prefixes look alike. */
    @Test
    void clustersOfOtherPrefixesDoNotHearEachOther() {
        List<Node> clusters = new ArrayList<>();
        for (String prefix : List.of("test", "test~log", "{test}", "tes", "test:log", "{test~log}")) {
            RedisLog log =
                    new RedisLog("", RedisFixture.settings(redis.port()).withKeyPrefix(prefix), new MetricRegistry());
            open.add(log);
            Node node = new Node(clusters.size() + 1L, log, new HeardNotices());
            log.start(node.id(), node.heard());
            awaitEcho(node);
            clusters.add(node);
        }
        // By a node that is none of these, so that each hears what is in its own log.
        for (Node node : clusters) {
            Notice notice =
                    new Notice.Changed(99, CacheKey.of("faults", "of " + node.id()), new Version(node.id(), 99), false);
            await().atMost(HEALED).until(() -> answer(node.log().publish(List.of(notice))) != Backplane.NOT_KNOWN);
        }
        for (Node node : clusters) {
            awaitEcho(node);
            assertThat(node.heard().changes()).containsOnly(node.id());
            assertThat(node.heard().gaps()).isZero();
        }
    }

    @Test
    @Tag("F27")
    void aKeyOfAnotherTypeWhereTheLogShouldBeIsNamedLeftAloneAndSurvived() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        mustPublish(a, 1);
        awaitHeard(b, 1);
        redis.command("DEL", KEYS.stream());
        redis.command("RPUSH", KEYS.stream(), "mine");
        await().atMost(HEALED).until(() -> publish(a, 2) == Backplane.NOT_KNOWN);
        await().atMost(HEALED)
                .until(() -> a.log().trouble().contains("WRONGTYPE")
                        && b.log().trouble().contains("WRONGTYPE"));
        assertThat(redis.command("LRANGE", KEYS.stream(), "0", "-1")).contains("mine");
        redis.command("DEL", KEYS.stream());
        mustPublish(a, 3);
        awaitHeard(b, 3);
        awaitEcho(b);
        assertThat(b.log().trouble()).isEmpty();
    }

    @Test
    @Tag("F27")
    @Tag("F34")
    void aReplicaThatLacksTheEndOfTheLogTakesOver() {
        try (RedisProcess replica = RedisProcess.start("--replicaof", "127.0.0.1", Integer.toString(redis.port()))) {
            servers = () -> redis.describe() + replica.describe();
            await().atMost(HEALED)
                    .until(() -> replica.command("INFO", "replication").contains("master_link_status:up"));
            Node a = join(1, redis.port(), replica.port());
            Node b = join(2, redis.port(), replica.port());
            mustPublish(a, 1);
            awaitHeard(b, 1);
            await().atMost(HEALED)
                    .until(() -> redis.command("XLEN", KEYS.stream()).equals(replica.command("XLEN", KEYS.stream())));
            // The primary has no password, so it turns the replica away when it comes back with one.
            replica.command("CONFIG", "SET", "masterauth", "cut");
            replica.command("CLIENT", "KILL", "TYPE", "master");
            await().atMost(HEALED)
                    .until(() -> replica.command("INFO", "replication").contains("master_link_status:down"));
            long last = publish(a, 2);
            assertThat(last).isNotEqualTo(Backplane.NOT_KNOWN);
            awaitHeard(b, 2);
            redis.kill();
            replica.command("REPLICAOF", "NO", "ONE");
            mustPublish(a, 3);
            assertThat(publish(a, 4)).as("no position twice").isGreaterThan(last);
            awaitHeard(b, 4);
            assertThat(gapBefore(b, 3)).isTrue();
            awaitEcho(a);
            assertThat(a.heard().gaps()).isPositive();
            awaitEcho(b);
            a.log().close();
            b.log().close();
        }
    }

    @Test
    @Tag("F24")
    void credentialsThatAreRevokedAndGivenBack() {
        Node a = join(1, redis.port());
        Node b = join(2, redis.port());
        redis.command("CONFIG", "SET", "requirepass", "other");
        redis.commandWithPassword("other", "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        await().atMost(HEALED).until(() -> publish(a, 1) == Backplane.NOT_KNOWN);
        await().atMost(HEALED).until(() -> a.log().trouble().contains("NOAUTH"));
        redis.commandWithPassword("other", "CONFIG", "SET", "requirepass", "");
        mustPublish(a, 2);
        awaitHeard(b, 2);
    }

    @Test
    void aServerThatIsAwayAtTheStartIsJoinedLater() {
        redis.kill();
        RedisLog log = new RedisLog("", RedisFixture.settings(redis.port()), new MetricRegistry());
        open.add(log);
        Node a = new Node(1, log, new HeardNotices());
        log.start(1, a.heard());
        assertThat(publish(a, 1)).isEqualTo(Backplane.NOT_KNOWN);
        redis.restart();
        awaitEcho(a);
        assertThat(a.heard().gaps()).as("others may have reached it before").isEqualTo(1);
    }

    @Test
    @Tag("F08")
    @Tag("F34")
    void aFailoverInAClusterIsAGapForEveryoneAndTheLogGoesOn() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.startWithReplicas(3)) {
            servers = cluster::describe;
            int[] ports = cluster.nodes().stream().mapToInt(RedisProcess::port).toArray();
            RedisProcess primary = cluster.ownerOf(cluster.slotOf(KEYS.stream()));
            Node a = join(1, ports);
            Node b = join(2, ports);
            long before = publish(a, 1);
            awaitHeard(b, 1);
            primary.kill();
            mustPublish(a, 2);
            assertThat(publish(a, 3)).isGreaterThan(before);
            awaitHeard(b, 3);
            assertThat(gapBefore(b, 3)).isTrue();
            awaitEcho(a);
            awaitEcho(b);
            a.log().close();
            b.log().close();
        }
    }
}
