package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.replication.ReplicatedTier.Healing;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a zone missed reaches it, in bounds. That hints survive a restart is shown over real storage, in the node's tests. */
class HintsTest {
    private static final long LONG = 10_000_000;

    private final VirtualZones world = new VirtualZones(3);

    private static int pending(Node node) {
        return (Integer) node.gauge("replication.zone.z0.hints.pending");
    }

    @Test
    void whatAZoneMissedReachesItInTheOrderOfVersions() {
        Node node = world.node(setup -> setup);
        world.run(500);
        node.cut(0, true);
        for (int i = 0; i < 300; i++) {
            node.write("k" + i % 250, "v" + i, LONG);
        }
        world.run(200);
        assertThat(pending(node)).isEqualTo(250);
        assertThat((Long) node.gauge("replication.zone.z0.hints.oldest_ms")).isPositive();
        node.cut(0, false);
        world.run(6_000);
        assertThat(pending(node)).isZero();
        for (int i = 0; i < 250; i++) {
            assertThat(world.version(0, "k" + i))
                    .isEqualTo(world.version(1, "k" + i))
                    .isNotNull();
        }
        assertThat(node.count("replication.zone.z0.hints.replayed")).isEqualTo(250);
        assertThat(node.count("replication.zone.z0.hints.dropped")).isZero();
    }

    @Test
    @Tag("F20")
    void whatDoesNotFitIsCountedSaidAndHealedByComparison() {
        Setup small = new Setup(
                        3,
                        dev.terrace.spi.ReplicationMode.QUORUM,
                        java.util.Map.of(),
                        5 * VirtualZones.TIMEOUT_MILLIS,
                        10,
                        VirtualZones.WINDOW_MILLIS,
                        100)
                .with(new Healing(20_000, 2_000, 10_000, 60_000, true));
        Node node = world.node(setup -> small);
        world.run(500);
        node.cut(0, true);
        for (int i = 0; i < 30; i++) {
            node.write("k" + i, "v" + i, LONG);
        }
        world.run(200);
        assertThat(pending(node)).isEqualTo(10);
        assertThat(node.count("replication.zone.z0.hints.dropped")).isEqualTo(20);
        assertThat(node.tier.status().detail()).contains("z0: hints full");
        assertThat(node.tier.hintRoom().get("z0").percentFull()).isEqualTo(100);
        assertThat(node.tier.hintRoom().get("z0").trouble()).contains("hints full");
        assertThat(node.tier.hintRoom().get("z1").percentFull()).isZero();
        node.cut(0, false);
        world.run(12_000);
        assertThat(pending(node)).isZero();
        assertThat(node.tier.status().detail()).doesNotContain("hints");
        for (int i = 0; i < 30; i++) {
            assertThat(world.version(0, "k" + i))
                    .isEqualTo(world.version(1, "k" + i))
                    .isNotNull();
        }
    }

    @Test
    @Tag("F19")
    void hintsOlderThanTheirWindowAreDroppedAndCounted() {
        Node node = world.node(setup -> setup);
        world.run(500);
        node.cut(0, true);
        node.write("k", "v", LONG);
        world.run(VirtualZones.WINDOW_MILLIS + 6_000);
        assertThat(pending(node)).isZero();
        assertThat(node.count("replication.zone.z0.hints.dropped")).isEqualTo(1);
        node.cut(0, false);
        world.run(6_000);
        assertThat(world.held(0, "k")).isNull();
    }

    @Test
    void aHintNeverReplacesSomethingNewer() {
        Node slow = world.node(setup -> setup);
        Node other = world.node(setup -> setup);
        world.run(500);
        slow.cut(0, true);
        slow.write("k", "hinted", LONG);
        world.run(200);
        other.write("k", null, LONG);
        slow.cut(0, false);
        world.run(6_000);
        assertThat(pending(slow)).isZero();
        assertThat(world.version(0, "k")).isEqualTo(world.version(1, "k"));
        assertThat(other.read("k")).isNull();
    }

    @Test
    void aPromiseThatCameToNothingDoesNotHoldAHintUpForEver() {
        Node node = world.node(setup -> setup);
        world.run(500);
        node.cut(0, true);
        node.write("k", "v", LONG);
        world.run(200);
        // A conditional write of a node that died: zones have promised it, nothing came.
        for (SimZone zone : world.zones) {
            zone.promise(VirtualZones.key("k"), node.clock.nextConditional());
        }
        node.cut(0, false);
        world.run(8_000);
        assertThat(pending(node)).isZero();
        Version held = world.version(0, "k");
        assertThat(held).isNotNull().isEqualTo(world.version(1, "k"));
        assertThat(node.read("k")).isEqualTo("v");
    }

    @Test
    @Tag("F21")
    void replaysKeepTheirPace() {
        Node node = world.node(setup -> setup.with(new Healing(50, 0, 1, 60_000, true)));
        world.run(500);
        node.cut(0, true);
        for (int i = 0; i < 400; i++) {
            node.write("k" + i, "v", LONG);
        }
        node.cut(0, false);
        long before = node.count("replication.zone.z0.hints.replayed");
        world.run(4_000);
        long replayed = node.count("replication.zone.z0.hints.replayed") - before;
        // A batch more than its share at most.
        assertThat(replayed).isBetween(100L, 4 * 50L + 100);
    }

    @Test
    @Tag("F17")
    void aVersionFromTooFarAheadIsRefusedAndNothingIsWrittenAboveIt() {
        Node node = world.node(setup -> setup);
        world.run(500);
        long ahead = node.clock.millis() + Duration.ofMinutes(10).toMillis();
        Entry wild = node.entry("k", "from the future", Version.of(ahead, 0, 8), 100_000_000);
        for (SimZone zone : world.zones) {
            assertThat(zone.store(wild, dev.terrace.spi.WriteCondition.IF_NEWER))
                    .isEqualTo(StoreOutcome.APPLIED);
        }
        Replicated receipt = world.await(node.tier.write(
                VirtualZones.key("k"),
                version -> node.entry("k", "v", version, LONG),
                dev.terrace.spi.ReplicationMode.QUORUM));
        assertThat(receipt.outcome()).isEqualTo(Replicated.Outcome.FAILED);
        assertThat(receipt.detail()).contains("further ahead of this node's clock than is allowed");
        assertThat(node.clock.next().epochMillis()).isLessThan(ahead);
        assertThat(node.count("replication.versions.too_far_ahead")).isEqualTo(1);
        // Nor is it spread as a copy.
        assertThat(world.await(node.tier.put(wild, dev.terrace.spi.WriteCondition.IF_NEWER)))
                .isInstanceOf(StoreOutcome.Refused.class);
        assertThat(node.count("replication.versions.too_far_ahead")).isEqualTo(2);
    }
}
