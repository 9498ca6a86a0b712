package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.replication.ReplicatedTier.Healing;
import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A zone that has forgotten is filled at a pace, goes on after interruptions, and lets ordinary traffic through. */
class RefillTest {
    private static final long LONG = 10_000_000;

    private final VirtualZones world = new VirtualZones(3);

    private Node node(int perSecond) {
        return world.node(setup -> setup.with(new Healing(perSecond, 0, 1, 60_000, true)));
    }

    private void fill(Node node, int keys) {
        world.run(500);
        for (int i = 0; i < keys; i++) {
            node.write("k" + i, "v" + i, LONG);
        }
        world.run(500);
    }

    private long runUntilMember(int zone, long mostMillis) {
        long start = world.time.millis();
        while (world.zones.get(zone).standing() != Standing.MEMBER) {
            assertThat(world.time.millis() - start).as("waited").isLessThan(mostMillis);
            world.run(20);
        }
        return world.time.millis() - start;
    }

    private void assertWhole(int zone, int keys) {
        for (int i = 0; i < keys; i++) {
            assertThat(world.version(zone, "k" + i)).as("k" + i).isNotNull();
        }
    }

    @Test
    void aCallThatFindsAZoneForgetfulHasItExaminedAtOnce() {
        // Examined every ten seconds only.
        Node node = world.node(setup -> new ReplicatedTier.Setup(
                setup.copies(),
                setup.mode(),
                setup.weights(),
                setup.deadlineMillis(),
                setup.mostHints(),
                setup.hintWindowMillis(),
                10_000));
        fill(node, 10);
        world.run(9_000);
        world.zones.get(1).restartEmpty();
        node.write("k1", "again", LONG);
        // The wait that the protocol asks for, and a little: no examination was due.
        assertThat(runUntilMember(1, 2_000)).isLessThan(2_000);
        assertThat(node.count("replication.zones.suspected")).isEqualTo(1);
        assertWhole(1, 10);
    }

    @Test
    void fillingKeepsItsPaceShowsItsProgressAndLetsTrafficThrough() {
        Node node = node(100);
        fill(node, 200);
        world.zones.get(1).restartEmpty();
        List<Long> progress = new ArrayList<>();
        long slowest = 0;
        long start = world.time.millis();
        while (world.zones.get(1).standing() != Standing.MEMBER) {
            assertThat(world.time.millis() - start).isLessThan(20_000);
            long before = world.time.millis();
            node.write("busy", "v" + before, LONG);
            assertThat(node.read("busy")).isEqualTo("v" + before);
            slowest = Math.max(slowest, world.time.millis() - before);
            long copied = (Long) node.gauge("replication.zone.z1.resync.progress");
            if (copied >= 0) {
                progress.add(copied);
                assertThat(node.tier.status().detail()).contains("z1 FORGETFUL (being filled, " + copied);
            }
            world.run(100);
        }
        long took = world.time.millis() - start;
        // 200 keys from each of two sources, 100 a second.
        assertThat(took).isBetween(3_500L, 8_000L);
        assertThat(progress).isSorted().hasSizeGreaterThan(10);
        assertThat(slowest).isLessThan(100);
        assertWhole(1, 200);
    }

    @Test
    void itGoesOnWhereItStoppedWhenASourceWasAway() {
        Node node = node(100);
        fill(node, 200);
        world.zones.get(1).restartEmpty();
        world.run(2_500);
        long before = node.count("replication.zone.z1.resync.copied");
        assertThat(before).isGreaterThan(100);
        node.cut(2, true);
        world.run(2_000);
        assertThat(world.zones.get(1).standing()).isEqualTo(Standing.FORGETFUL);
        node.cut(2, false);
        runUntilMember(1, 10_000);
        assertWhole(1, 200);
        // Nothing but the page it stopped at was copied twice.
        assertThat(node.count("replication.zone.z1.resync.copied")).isLessThan(2 * 200 + 20);
    }

    @Test
    @Tag("F05")
    void aZoneThatForgetsAgainIsFilledFromTheBeginning() {
        Node node = node(100);
        fill(node, 200);
        world.zones.get(1).restartEmpty();
        world.run(3_000);
        assertThat(node.count("replication.zone.z1.resync.copied")).isGreaterThan(100);
        world.zones.get(1).restartEmpty();
        runUntilMember(1, 20_000);
        assertWhole(1, 200);
        assertThat(node.count("replication.data_may_be_lost")).isZero();
    }

    /** A node sees one zone vote and two that never held anything; those have yet to hear from the one that forms all three. */
    @Test
    void zonesThatAreJustBeingFormedHaveNotForgotten() {
        for (int offset = 0; offset < 600; offset += 5) {
            VirtualZones fresh = new VirtualZones(3);
            fresh.zones.get(2).down = true;
            Node watching = fresh.node(setup -> setup);
            fresh.run(1_000 + offset);
            fresh.zones.get(2).down = false;
            fresh.zones.forEach(zone -> zone.begin("formed"));
            fresh.zones.get(2).admit("formed");
            fresh.run(30);
            fresh.zones.forEach(zone -> zone.admit("formed"));
            fresh.run(2_000);
            assertThat(watching.count("replication.data_may_be_lost"))
                    .as("after " + offset)
                    .isZero();
            watching.write("k", "v", LONG);
        }
    }

    @Test
    void anotherNodeTakesOverWhenTheOneThatFillsDies() {
        Node first = node(100);
        Node second = node(100);
        fill(first, 200);
        world.zones.get(1).restartEmpty();
        world.run(2_500);
        long of1 = first.count("replication.zone.z1.resync.copied");
        long of2 = second.count("replication.zone.z1.resync.copied");
        assertThat(Math.max(of1, of2)).isPositive();
        // One at a time.
        assertThat(Math.min(of1, of2)).isZero();
        Node driving = of1 > 0 ? first : second;
        Node other = of1 > 0 ? second : first;
        driving.tier.close();
        runUntilMember(1, 30_000);
        assertThat(other.count("replication.zone.z1.resync.copied")).isGreaterThanOrEqualTo(400);
        assertWhole(1, 200);
    }

    @Test
    @Tag("F05")
    void twoZonesThatForgetOneAfterTheOtherEndHealedOrItIsSaid() {
        Node node = node(1_000);
        fill(node, 100);
        Version acknowledged = node.write("k", "acknowledged", LONG);
        world.run(200);
        world.zones.get(1).restartEmpty();
        world.run(400);
        world.zones.get(2).restartEmpty();
        runUntilMember(1, 20_000);
        runUntilMember(2, 20_000);
        assertThat(node.count("replication.data_may_be_lost")).isEqualTo(1);
        // Said, though this time the third zone had everything.
        assertThat(world.version(1, "k")).isEqualTo(acknowledged);
        assertThat(node.read("k")).isEqualTo("acknowledged");
    }

    /** See the ADR: what the zone is given may be older than what it had promised. */
    @Test
    void whatWasPromisedAndNeverFulfilledIsOvertakenBeforeTheZoneVotes() {
        Node node = node(1_000);
        fill(node, 20);
        Version open = promisedAhead(1_000);
        world.zones.get(1).restartEmpty();
        runUntilMember(1, 10_000);
        assertThat(node.count("replication.promises.ended")).isPositive();
        assertThat(world.version(0, "k1").isNewerThan(open)).isTrue();
        assertThat(world.version(2, "k1").isNewerThan(open)).isTrue();
        assertThat(node.read("k1")).isEqualTo("v1");
        assertWhole(1, 20);
    }

    /** Not skipped, and nothing else waits for it. */
    @Test
    void aZoneVotesOnlyWhenWhatWasPromisedCanBeOvertakenAndHasEverythingElseByThen() {
        Node node = node(1_000);
        fill(node, 300);
        // Further ahead than clocks may differ, for a while.
        promisedAhead(70_000);
        world.zones.get(1).restartEmpty();
        world.run(6_000);
        assertThat(node.count("replication.promises.not_ended")).isPositive();
        assertThat(world.zones.get(1).standing()).isEqualTo(Standing.FORGETFUL);
        assertWhole(1, 300);
        long copied = node.count("replication.zone.z1.resync.copied");
        runUntilMember(1, 20_000);
        assertThat(node.count("replication.promises.ended")).isPositive();
        assertThat(node.count("replication.zone.z1.resync.copied")).isEqualTo(copied);
    }

    /** Two zones of three promise a version of so many milliseconds from now, for a write that came to nothing. */
    private Version promisedAhead(long millis) {
        Version ahead = Version.of(world.nodes.get(0).clock.millis() + millis, 0, 77);
        world.zones.get(1).promise(VirtualZones.key("k1"), ahead);
        world.zones.get(2).promise(VirtualZones.key("k1"), ahead);
        return ahead;
    }

    @Test
    void whereTheOperatorIsToDecideTheZonesDoNotVote() {
        Node node = world.node(setup -> setup.with(new Healing(1_000, 0, 1, 60_000, false)));
        fill(node, 10);
        world.zones.get(1).restartEmpty();
        world.zones.get(2).restartEmpty();
        world.run(20_000);
        assertThat(node.count("replication.data_may_be_lost")).isEqualTo(1);
        assertThat(world.zones.get(1).standing()).isNotEqualTo(Standing.MEMBER);
        assertThat(world.zones.get(2).standing()).isNotEqualTo(Standing.MEMBER);
    }
}
