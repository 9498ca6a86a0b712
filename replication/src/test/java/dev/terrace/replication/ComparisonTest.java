package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.replication.ReplicatedTier.Healing;
import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the background comparison heals, and what it must leave alone. */
class ComparisonTest {
    private static final long INTERVAL = 2_000;
    private static final long TOMBSTONES = 60_000;
    private static final long LONG = 10_000_000;

    private final VirtualZones world = new VirtualZones(3);

    private Node node() {
        return world.node(setup -> setup.with(new Healing(20_000, INTERVAL, 10_000, TOMBSTONES, true)));
    }

    private long drift(Node node, int zone) {
        return (Long) node.gauge("replication.zone.z" + zone + ".drift");
    }

    @Test
    @Tag("F06")
    @Tag("F22")
    void whatOneZoneLostIsCopiedBackAndCounted() {
        Node node = node();
        world.run(500);
        for (int i = 0; i < 50; i++) {
            node.write("k" + i, "v" + i, LONG);
        }
        world.run(1_000);
        for (int i = 0; i < 20; i++) {
            world.zones.get(1).lose(VirtualZones.key("k" + i));
        }
        // Until the round that begins next is over, and before the one after it.
        Comparison.Report report = roundAfterNow(node);
        assertThat(report.complete()).isTrue();
        assertThat(report.drift())
                .containsEntry("z0", 0L)
                .containsEntry("z1", 20L)
                .containsEntry("z2", 0L);
        assertThat(drift(node, 1)).isEqualTo(20);
        assertThat(node.count("replication.zone.z1.repairs")).isEqualTo(20);
        for (int i = 0; i < 50; i++) {
            assertThat(world.version(1, "k" + i))
                    .isEqualTo(world.version(0, "k" + i))
                    .isNotNull();
        }
        assertThat(roundAfterNow(node).drift()).containsEntry("z1", 0L);
        assertThat(drift(node, 1)).isZero();
    }

    /** Runs until a round that begins from now on has ended on some node. */
    private Comparison.Report roundAfterNow(Node... nodes) {
        long now = world.time.nanos();
        for (int i = 0; i < 1_000; i++) {
            for (Node node : nodes) {
                Comparison.Report last = node.tier.compared();
                if (last != null && last.startedNanos() > now) {
                    return last;
                }
            }
            world.run(20);
        }
        throw new AssertionError("no round");
    }

    @Test
    void aZoneThatMissedWritesAndTombstonesGetsThem() {
        Node node = node();
        world.run(500);
        node.write("replaced", "old", LONG);
        node.write("deleted", "old", LONG);
        world.run(500);
        // Nobody hints: the zone takes the stores and loses them, as one that was rolled back unseen would.
        node.write("replaced", "new", LONG);
        Version deleted = node.write("deleted", null, TOMBSTONES);
        world.run(100);
        world.zones.get(2).lose(VirtualZones.key("replaced"));
        world.zones.get(2).lose(VirtualZones.key("deleted"));
        roundAfterNow(node);
        assertThat(world.version(2, "replaced")).isEqualTo(world.version(0, "replaced"));
        assertThat(world.version(2, "deleted")).isEqualTo(deleted);
        assertThat(node.read("deleted")).isNull();
        assertThat(node.read("replaced")).isEqualTo("new");
    }

    @Test
    @Tag("F19")
    void whatATombstoneHidIsNotCopiedOnceTheTombstoneHasGone() {
        Node node = node();
        world.run(500);
        Version old = node.write("k", "dead", LONG);
        world.run(500);
        // The zone is away, with its hints, longer than tombstones live.
        node.cut(0, true);
        node.write("k", null, TOMBSTONES);
        world.run(TOMBSTONES + 10_000);
        assertThat(world.held(1, "k")).isNull();
        assertThat(world.held(2, "k")).isNull();
        node.cut(0, false);
        world.run(1_000);
        Comparison.Report report = roundAfterNow(node);
        assertThat(report.withheld()).isEqualTo(1);
        assertThat(report.drift().values()).containsOnly(0L);
        assertThat(world.version(0, "k")).isEqualTo(old);
        assertThat(world.held(1, "k")).isNull();
        assertThat(world.held(2, "k")).isNull();
        assertThat(node.count("replication.compare.withheld")).isPositive();
    }

    @Test
    @Tag("F18")
    void whatAMajorityHoldsIsCopiedHoweverOldItIs() {
        Node node = node();
        world.run(500);
        Version old = node.write("k", "alive", LONG);
        world.run(2 * TOMBSTONES);
        world.zones.get(0).lose(VirtualZones.key("k"));
        assertThat(roundAfterNow(node).withheld()).isZero();
        assertThat(world.version(0, "k")).isEqualTo(old);
    }

    @Test
    void aYoungValueOfAMinorityIsCopied() {
        Node node = node();
        world.run(500);
        node.cut(1, true);
        node.cut(2, true);
        world.await(node.tier.write(
                VirtualZones.key("k"), version -> node.entry("k", "v", version, LONG), ReplicationMode.ASYNC));
        node.cut(1, false);
        node.cut(2, false);
        node.write("other", "v", LONG);
        world.zones.get(1).lose(VirtualZones.key("k"));
        world.zones.get(2).lose(VirtualZones.key("k"));
        world.run(1_000);
        roundAfterNow(node);
        roundAfterNow(node);
        assertThat(world.version(1, "k")).isEqualTo(world.version(0, "k")).isNotNull();
        assertThat(world.version(2, "k")).isEqualTo(world.version(0, "k"));
    }

    @Test
    void aZoneThatMayNotVoteIsNeitherAskedNorFilledByIt() {
        Node node = node();
        world.run(500);
        node.write("k", "v", LONG);
        world.run(3_000);
        world.zones.get(0).down = true;
        Comparison.Report report = roundAfterNow(node);
        assertThat(report.complete()).isFalse();
        assertThat(report.drift()).doesNotContainKey("z0");
    }

    @Test
    void oneNodeAtATimeComparesAndAnotherTakesOverWhenItDies() {
        Node first = node();
        Node second = node();
        world.run(500);
        first.write("k", "v", LONG);
        world.run(20 * INTERVAL);
        long rounds = first.count("replication.compare.rounds") + second.count("replication.compare.rounds");
        assertThat(rounds).isBetween(15L, 20L);
        first.tier.close();
        long before = second.count("replication.compare.rounds");
        world.run(10 * INTERVAL);
        assertThat(second.count("replication.compare.rounds")).isGreaterThan(before + 5);
    }

    @Test
    void itLooksAtNoMoreThanItMay() {
        Node node = world.node(setup -> setup.with(new Healing(20_000, INTERVAL, 100, TOMBSTONES, true)));
        world.run(500);
        for (int i = 0; i < 100; i++) {
            node.write("k" + i, "v", LONG);
        }
        roundAfterNow(node);
        long before = node.count("replication.compare.looked");
        long start = world.time.millis();
        roundAfterNow(node);
        long looked = node.count("replication.compare.looked") - before;
        assertThat(looked).isGreaterThanOrEqualTo(300);
        assertThat(looked * 1_000 / (world.time.millis() - start)).isLessThanOrEqualTo(100);
    }
}
