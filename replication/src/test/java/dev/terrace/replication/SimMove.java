package dev.terrace.replication;

import dev.terrace.replication.ReplicatedTier.Transition;
import dev.terrace.spi.Replica.Standing;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A change of the zones in the two steps of ADR 0008, or none: nodes are killed and begin again with the next settings, one after the
 * other; the second step begins when every one of them shows that everything has moved, and not before.
 */
final class SimMove {
    /** What a node's settings are of. */
    enum Step {
        BEFORE,
        JOINT,
        AFTER
    }

    private static final long LOOK_MILLIS = 20;

    private final Simulation simulation;
    private final SplittableRandom random;
    private final Set<String> joining;
    private final Set<String> leaving;
    private final Step[] settings;
    private boolean restarting;

    /** Which zones must have what was acknowledged: the old ones until the second step begins. */
    Step judged = Step.BEFORE;

    SimMove(Simulation simulation, Profile profile, SplittableRandom random) {
        this.simulation = simulation;
        this.random = random;
        this.joining = IntStream.range(profile.zones, profile.zones + profile.joining)
                .mapToObj(i -> "z" + i)
                .collect(Collectors.toSet());
        this.leaving =
                IntStream.range(0, profile.leaving).mapToObj(i -> "z" + i).collect(Collectors.toSet());
        this.settings = new Step[profile.nodes];
        java.util.Arrays.fill(settings, Step.BEFORE);
    }

    boolean happens() {
        return !joining.isEmpty() || !leaving.isEmpty();
    }

    /** What a node that begins now is set to. */
    Step settingsOf(int node) {
        return settings[node];
    }

    Transition transition(Step step) {
        return step == Step.JOINT ? new Transition(joining, leaving) : new Transition(Set.of(), Set.of());
    }

    /** Whether the settings name a zone. */
    boolean names(Step step, String zone) {
        return switch (step) {
            case BEFORE -> !joining.contains(zone);
            case JOINT -> true;
            case AFTER -> !leaving.contains(zone);
        };
    }

    /** Whether anybody depends on a zone by now: not before it votes, and not when the last node has left it. */
    boolean matters(SimZone zone) {
        if (isOver() && leaving.contains(zone.name)) {
            return false;
        }
        return !joining.contains(zone.name) || zone.everVoted();
    }

    boolean isOver() {
        return !happens() || judged == Step.AFTER && !restarting && all(Step.AFTER);
    }

    void start() {
        if (happens()) {
            simulation.time.after(50 + random.nextInt(400), () -> restartAll(Step.JOINT));
            simulation.time.after(500, this::look);
        }
    }

    private boolean all(Step step) {
        return simulation.nodes.stream().allMatch(node -> !node.host.dead && node.step == step);
    }

    private void look() {
        boolean shown = !restarting
                && judged == Step.BEFORE
                && all(Step.JOINT)
                && simulation.nodes.stream()
                        .allMatch(node -> node.tier.stage() == Moving.Stage.MOVED && node.host.isAwake());
        if (shown) {
            judged = Step.AFTER;
            simulation.zonesChanged();
            restartAll(Step.AFTER);
        }
        simulation.time.after(LOOK_MILLIS, this::look);
    }

    private void restartAll(Step step) {
        restarting = true;
        restart(step, 0);
    }

    private void restart(Step step, int node) {
        if (node == settings.length) {
            restarting = false;
            return;
        }
        if (step == Step.AFTER && node > 0 && random.nextInt(3) != 0) {
            // By itself, while others ask the new zones alone: it comes back with the settings it had.
            long away = 1 + random.nextInt(20);
            simulation.restart(node, settings[node], 1_000 * away);
            if (random.nextBoolean()) {
                simulation.time.after(away, () -> apart(simulation.nodes.get(node)));
            }
            simulation.time.after(300 + random.nextInt(400), () -> set(step, node));
        } else {
            set(step, node);
        }
    }

    /** It cannot see at first that those which join vote. */
    private void apart(SimNode node) {
        simulation.zones.stream()
                .filter(zone -> joining.contains(zone.name))
                .map(node::link)
                .forEach(link -> {
                    link.requestsCut = true;
                    simulation.time.after(300, () -> link.requestsCut = false);
                });
    }

    private void set(Step step, int node) {
        settings[node] = step;
        simulation.restart(node, step, 1_000L * (1 + random.nextInt(150)));
        simulation.time.after(150 + random.nextInt(250), () -> restart(step, node + 1));
    }

    /** Everything votes that is to. */
    boolean votesAgain(List<SimZone> zones) {
        return zones.stream()
                .filter(zone -> judged != Step.AFTER || !leaving.contains(zone.name))
                .allMatch(zone -> zone.standing() == Standing.MEMBER);
    }

    @Override
    public String toString() {
        return happens() ? "joining " + joining + ", leaving " + leaving : "no move";
    }
}
