package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.replication.ReplicatedTier.Reads;
import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Reads of one zone, and writes that wait for one: how zones are chosen, and what a slow one costs. */
class AsyncCopiesTest {
    private static final long LONG = 10_000_000;

    private final VirtualZones world = new VirtualZones(3);

    private Node node(Reads reads) {
        Node node = world.node(setup -> setup.with(reads));
        world.run(500);
        for (int i = 0; i < 10; i++) {
            node.write("k" + i, "v" + i, LONG, ReplicationMode.ASYNC);
        }
        world.run(100);
        return node;
    }

    private long[] times(Node node, int count) {
        long[] micros = new long[count];
        for (int i = 0; i < count; i++) {
            long[] ended = {0};
            long start = world.time.nanos();
            String expected = "v" + i % 10;
            var read = node.tier
                    .read(VirtualZones.key("k" + i % 10), ReplicationMode.ASYNC)
                    .thenApply(found -> {
                        ended[0] = world.time.nanos();
                        return found;
                    });
            assertThat(VirtualZones.text(world.await(read))).isEqualTo(expected);
            micros[i] = (ended[0] - start) / 1_000;
            world.run(5);
        }
        Arrays.sort(micros);
        return micros;
    }

    private int[] reads() {
        return world.zones.stream().mapToInt(zone -> zone.reads).toArray();
    }

    @Test
    void theNearestZoneIsAskedFirst() {
        Node node = node(new Reads(Set.of("z2"), true, 1));
        times(node, 50);
        int[] before = reads();
        times(node, 200);
        int[] after = reads();
        assertThat(after[2] - before[2]).isEqualTo(200);
        // Hedges only.
        assertThat(after[0] - before[0] + after[1] - before[1]).isLessThan(40);
    }

    @Test
    @Tag("F16")
    void aZoneThatBecomesSlowIsHedgedThenAskedLastAndFoundAgainWhenItRecovers() {
        Node node = node(new Reads(Set.of("z2"), true, 1));
        long[] usual = times(node, 100);
        node.links.get(2).slow = true;
        long[] slow = times(node, 200);
        // The slow link takes ten times as long and more; reads that it delays are answered by another.
        assertThat(slow[slow.length - 1]).isLessThan(usual[usual.length - 1] + 8_000);
        assertThat(node.count("replication.zone.z2.hedges")).isPositive();
        assertThat(node.gauge("replication.zone.z2.slow")).isEqualTo(1);
        int[] before = reads();
        times(node, 100);
        assertThat(reads()[2] - before[2]).as("asked now and then").isLessThan(10);
        node.links.get(2).slow = false;
        times(node, 1_200);
        assertThat(node.gauge("replication.zone.z2.slow")).isEqualTo(0);
        before = reads();
        times(node, 50);
        assertThat(reads()[2] - before[2]).isEqualTo(50);
    }

    @Test
    @Tag("F02")
    void aFrozenZoneCostsOneHedgeAndThenNothing() {
        Node node = node(new Reads(Set.of("z2"), true, 1));
        times(node, 100);
        world.zones.get(2).down = true;
        long[] frozen = times(node, 100);
        assertThat(frozen[frozen.length - 1]).isLessThan(10_000);
        assertThat(frozen[50]).isLessThan(2_000);
    }

    @Test
    void withoutHedgingAReadWaitsForTheZoneThatWasAsked() {
        Node node = node(new Reads(Set.of("z2"), false, 1));
        times(node, 100);
        world.zones.get(2).down = true;
        long[] frozen = times(node, 1);
        assertThat(frozen[0]).isGreaterThan(VirtualZones.TIMEOUT_MILLIS * 1_000 - 1_000);
        assertThat(node.count("replication.zone.z2.hedges")).isZero();
    }

    @Test
    @Tag("F06")
    void whatTheNearestZoneLacksIsFoundInAnother() {
        Node node = node(new Reads(Set.of("z2"), true, 1));
        world.zones.get(2).lose(VirtualZones.key("k1"));
        Lookup found = world.await(node.tier.read(VirtualZones.key("k1"), ReplicationMode.ASYNC));
        assertThat(VirtualZones.text(found)).isEqualTo("v1");
        assertThat(world.await(node.tier.read(VirtualZones.key("nowhere"), ReplicationMode.ASYNC)))
                .isEqualTo(Lookup.MISS);
    }

    @Test
    @Tag("F01")
    void aWriteWaitsForOneZoneAndWhatOthersMissIsCountedHintedAndTheirLag() {
        Node node = node(new Reads(Set.of(), true, 1));
        world.zones.get(0).down = true;
        long start = world.time.millis();
        Replicated receipt = world.await(node.tier.write(
                VirtualZones.key("k"), version -> node.entry("k", "v", version, LONG), ReplicationMode.ASYNC));
        assertThat(receipt.outcome()).isEqualTo(Replicated.Outcome.ACKNOWLEDGED);
        assertThat(world.time.millis() - start).isLessThan(10);
        world.run(2_000);
        assertThat(node.count("replication.zone.z0.acks_missed")).isEqualTo(1);
        assertThat((Long) node.gauge("replication.zone.z0.lag_ms")).isBetween(1_500L, 2_100L);
        assertThat((Long) node.gauge("replication.zone.z1.lag_ms")).isLessThan(10);
        world.zones.get(0).down = false;
        world.run(6_000);
        assertThat((Long) node.gauge("replication.zone.z0.lag_ms")).isLessThan(10);
        assertThat(world.version(0, "k")).isEqualTo(receipt.version());
    }

    @Test
    @Tag("F16")
    void aZoneThatAcknowledgesLateLagsVisibly() {
        Node node = node(new Reads(Set.of(), true, 1));
        node.links.get(1).slow = true;
        for (int i = 0; i < 30; i++) {
            node.write("k" + i, "v", LONG);
            world.run(50);
        }
        assertThat((Long) node.gauge("replication.zone.z1.lag_ms")).isGreaterThan(4L);
        assertThat((Long) node.gauge("replication.zone.z0.lag_ms")).isLessThan(3L);
    }
}
