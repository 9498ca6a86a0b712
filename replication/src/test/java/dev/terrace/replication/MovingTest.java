package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.replication.ReplicatedTier.Healing;
import dev.terrace.replication.ReplicatedTier.Setup;
import dev.terrace.replication.ReplicatedTier.Transition;
import dev.terrace.replication.VirtualZones.Node;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.testkit.history.CheckLimits;
import dev.terrace.testkit.history.HistoryRecorder;
import dev.terrace.testkit.history.LinearizabilityChecker;
import dev.terrace.testkit.history.Op;
import dev.terrace.testkit.history.Pending;
import dev.terrace.testkit.history.Verdict;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Zones come and go while nodes, restarted one after the other with the new settings, read and write. */
class MovingTest {
    private static final long LONG = 10_000_000;
    private static final int KEYS = 300;

    private static Setup setup(Set<String> joining, Set<String> leaving) {
        return VirtualZones.setup()
                .with(new Healing(20_000, 1_000, 100_000, 60_000, true))
                .with(new Transition(joining, leaving));
    }

    private static void untilMoved(VirtualZones world, List<Node> nodes) {
        for (int i = 0; i < 2_000; i++) {
            if (nodes.stream().allMatch(node -> node.tier.stage() == Moving.Stage.MOVED)) {
                return;
            }
            world.run(20);
        }
        throw new AssertionError("never moved: "
                + nodes.stream().map(node -> node.tier.status().detail()).toList());
    }

    @Test
    void aZoneJoinsWithoutAMissAndOnlyItsShareMoves() {
        VirtualZones world = new VirtualZones(4);
        List<SimZone> four = List.copyOf(world.zones);
        Node old = world.node(setup(Set.of(), Set.of()), four);
        world.run(500);
        for (int i = 0; i < KEYS; i++) {
            old.write("k" + i, "v" + i, LONG);
        }
        world.run(1_000);
        long before = copies(four);
        world.addZone();
        Node joint = world.node(setup(Set.of("z4"), Set.of()), world.zones);
        Node other = world.node(setup(Set.of("z4"), Set.of()), world.zones);
        old.tier.close();
        List<Node> nodes = List.of(joint, other);
        // As soon as it serves, it misses nothing, whatever has moved by then.
        world.run(300);
        int key = 0;
        while (nodes.stream().anyMatch(node -> node.tier.stage() != Moving.Stage.MOVED)) {
            assertThat(world.time.millis()).isLessThan(60_000);
            String name = "k" + key++ % KEYS;
            assertThat(joint.read(name)).isEqualTo("v" + name.substring(1));
            assertThat(VirtualZones.text(world.await(other.tier.read(VirtualZones.key(name), ReplicationMode.ASYNC))))
                    .isEqualTo("v" + name.substring(1));
        }
        long moved = world.zones.get(4).contents().keySet().stream()
                .filter(name -> name.startsWith("c/"))
                .count();
        System.out.println("MovingTest copied " + moved + " of " + KEYS + " keys, ideal " + KEYS * 3 / 5);
        assertThat(moved).isBetween(KEYS * 3 / 5 - 30L, KEYS * 3 / 5 + 30L);
        assertThat(copies(four)).isEqualTo(before);

        Node next = world.node(setup(Set.of(), Set.of()), world.zones);
        nodes.forEach(node -> node.tier.close());
        world.run(500);
        for (int i = 0; i < KEYS; i++) {
            assertThat(next.read("k" + i)).isEqualTo("v" + i);
        }
        assertThat(next.count("replication.data_may_be_lost")).isZero();
    }

    private static long copies(List<SimZone> zones) {
        return zones.stream()
                .mapToLong(zone -> zone.contents().keySet().stream()
                        .filter(name -> name.startsWith("c/"))
                        .count())
                .sum();
    }

    @Test
    void twoZonesMayJoinAtOnceAndNobodyTakesThemForForgetful() {
        VirtualZones world = new VirtualZones(3);
        Node old = world.node(setup(Set.of(), Set.of()), List.copyOf(world.zones));
        world.run(500);
        old.write("k", "v", LONG);
        world.addZone();
        world.addZone();
        Node joint = world.node(setup(Set.of("z3", "z4"), Set.of()), world.zones);
        untilMoved(world, List.of(joint));
        assertThat(joint.count("replication.data_may_be_lost")).isZero();
        assertThat(joint.read("k")).isEqualTo("v");
    }

    @Test
    void aZoneThatIsDeadMayLeave() {
        VirtualZones world = new VirtualZones(4);
        Node old = world.node(setup(Set.of(), Set.of()), List.copyOf(world.zones));
        world.run(500);
        for (int i = 0; i < 100; i++) {
            old.write("k" + i, "v" + i, LONG);
        }
        world.run(500);
        world.zones.get(1).down = true;
        Node joint = world.node(setup(Set.of(), Set.of("z1")), world.zones);
        old.tier.close();
        untilMoved(world, List.of(joint));
        Node next = world.node(
                setup(Set.of(), Set.of()), List.of(world.zones.get(0), world.zones.get(2), world.zones.get(3)));
        joint.tier.close();
        world.run(500);
        for (int i = 0; i < 100; i++) {
            assertThat(next.read("k" + i)).isEqualTo("v" + i);
        }
    }

    @Test
    void aNodeThatBeginsLaterMakesTheMoveUnfinishedUntilItsWritesAreThereToo() {
        VirtualZones world = new VirtualZones(3);
        List<SimZone> three = List.copyOf(world.zones);
        Node late = world.node(setup(Set.of(), Set.of()), three);
        world.run(500);
        world.addZone();
        Node joint = world.node(setup(Set.of("z3"), Set.of("z0")), world.zones);
        untilMoved(world, List.of(joint));
        // Still with the old settings: its writes reach the old zones only.
        late.write("k", "of the late one", LONG);
        Node restarted = world.node(setup(Set.of("z3"), Set.of("z0")), world.zones);
        late.tier.close();
        world.run(1_500);
        untilMoved(world, List.of(joint, restarted));
        Node next = world.node(setup(Set.of(), Set.of()), world.zones.subList(1, 4));
        world.run(500);
        assertThat(world.version(3, "k")).isNotNull();
        assertThat(next.read("k")).isEqualTo("of the late one");
    }

    /** Settings that cannot work are refused. */
    @Test
    void whatCannotWorkIsRefused() {
        VirtualZones world = new VirtualZones(3);
        assertThatThrownBy(() -> world.node(setup(Set.of(), Set.of("z0")), world.zones))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("without those that leave there are 2");
        assertThatThrownBy(() -> world.node(setup(Set.of("z0"), Set.of("z0")), world.zones))
                .isInstanceOf(SetupException.class);
        assertThatThrownBy(() -> world.node(setup(Set.of("z0", "z1", "z2"), Set.of()), world.zones))
                .isInstanceOf(SetupException.class);
    }

    /** One zone is replaced by another, nodes are restarted in two rounds, clients never stop. */
    @Test
    void everyHistoryOfAReplacementIsLinearizable() {
        Long replayed = Long.getLong("terrace.seed");
        long first = replayed == null ? System.nanoTime() & 0xFFFFFFFFFFL : replayed;
        int count = replayed == null ? 100 : 1;
        System.out.println("MovingTest seeds " + first + " to " + (first + count - 1));
        for (long seed = first; seed < first + count; seed++) {
            Verdict verdict = new Replacement(seed).run(true);
            assertThat(verdict.isViolated())
                    .as("seed " + seed + " (replay with -Dterrace.seed=" + seed + ")\n" + verdict)
                    .isFalse();
        }
    }

    /** What the first step is for: without it, some history is not linearizable. */
    @Test
    void aReplacementInOneStepIsNoticed() {
        int violated = 0;
        for (long seed = 1; seed <= 300 && violated == 0; seed++) {
            violated += new Replacement(seed).run(false).isViolated() ? 1 : 0;
        }
        assertThat(violated).isPositive();
    }

    private static final class Replacement {
        private final SplittableRandom random;
        private final VirtualZones world = new VirtualZones(4);
        private final HistoryRecorder history = new HistoryRecorder(world.time::nanos);
        private final List<Node> serving = new ArrayList<>();
        private int values;
        private boolean over;

        /** The first that was thrown in a stage: nobody joins those. */
        private @Nullable Throwable failure;

        private int unanswered;

        Replacement(long seed) {
            this.random = new SplittableRandom(seed);
        }

        Verdict run(boolean inSteps) {
            List<SimZone> before = List.copyOf(world.zones);
            world.addZone();
            for (int i = 0; i < 3; i++) {
                serving.add(world.node(setup(Set.of(), Set.of()), before));
            }
            world.run(500);
            for (int client = 0; client < 4; client++) {
                act("c" + client, random.split());
            }
            world.time.after(100, this::disturb);
            if (inSteps) {
                restart(setup(Set.of("z4"), Set.of("z0")), world.zones);
                calm();
                untilMoved(world, serving);
                world.time.after(100, this::disturb);
            }
            restart(setup(Set.of(), Set.of()), world.zones.subList(1, 5));
            calm();
            world.run(500);
            over = true;
            world.run(1_000);
            assertThat(failure).as("stages complete normally").isNull();
            assertThat(unanswered).as("calls that are never answered").isZero();
            assertThat(serving.get(0).count("replication.data_may_be_lost") == 0 || !inSteps)
                    .isTrue();
            return new LinearizabilityChecker(new CheckLimits(Duration.ofSeconds(20), 128L << 20))
                    .check(history.history());
        }

        private void calm() {
            world.zones.forEach(zone -> zone.down = false);
        }

        /** One after the other, with both kinds serving in between. */
        private void restart(Setup setup, List<SimZone> seen) {
            for (int i = 0; i < serving.size(); i++) {
                Node fresh = world.node(setup, seen);
                world.run(100 + random.nextInt(300));
                Node old = serving.set(i, fresh);
                world.time.after(400, old.tier::close);
                world.run(random.nextInt(600));
            }
        }

        private void disturb() {
            SimZone zone = world.zones.get(random.nextInt(world.zones.size()));
            if (!over && !zone.down && random.nextInt(3) == 0) {
                zone.down = true;
                world.time.after(20 + random.nextInt(200), () -> zone.down = false);
            }
            if (!over) {
                world.time.after(100 + random.nextInt(300), this::disturb);
            }
        }

        private <T> void answered(CompletionStage<T> stage, Consumer<T> then) {
            unanswered++;
            stage.thenAccept(then).whenComplete((done, bug) -> {
                unanswered--;
                failure = failure == null ? bug : failure;
            });
        }

        private void act(String client, SplittableRandom own) {
            if (over) {
                return;
            }
            world.time.after(own.nextInt(60), () -> {
                Node node = serving.get(own.nextInt(serving.size()));
                String key = "k" + own.nextInt(3);
                if (own.nextBoolean()) {
                    String value = "v" + values++;
                    Pending pending = history.begin(client, "n" + node.clock.node(), Op.put(key, value));
                    answered(
                            node.tier.write(
                                    VirtualZones.key(key),
                                    version -> node.entry(key, value, version, LONG),
                                    ReplicationMode.QUORUM),
                            receipt -> {
                                if (receipt.outcome() == Replicated.Outcome.ACKNOWLEDGED) {
                                    pending.ok(receipt.version());
                                } else if (receipt.outcome() == Replicated.Outcome.FAILED) {
                                    pending.fail();
                                } else {
                                    pending.unknown();
                                }
                                act(client, own);
                            });
                } else {
                    Pending pending = history.begin(client, "n" + node.clock.node(), Op.get(key));
                    answered(node.tier.read(VirtualZones.key(key), ReplicationMode.QUORUM), found -> {
                        if (found instanceof Lookup.Unavailable) {
                            pending.fail();
                        } else {
                            pending.ok(VirtualZones.text(found), null);
                        }
                        act(client, own);
                    });
                }
            });
        }
    }
}
