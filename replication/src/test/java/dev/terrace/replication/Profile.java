package dev.terrace.replication;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * What a seed makes of a run before it begins: how many zones and nodes, what callers do, which kinds of faults happen and how
 * often (most runs have few kinds, often: swarm testing, Groce et al., ISSTA 2012), and whether one of the {@link Scene}s is
 * played. Immutable.
 */
final class Profile {
    /**
     * Zones forget one after the other, so that nothing acknowledged may get lost and no alarm may be raised; the other runs
     * are excused by an alarm.
     */
    final boolean guarded;

    final int zones;
    final int copies;
    final int nodes;
    final int clients;
    final int keys;
    final boolean otherModes;
    final int writePercent;
    final int conditionalPercent;
    final int thinkingMillis;
    final long timeoutMillis;
    final long examineMillis;
    final double loss;
    final double repetition;
    final long longestMicros;
    final long skewMillis;
    final Scene scene;

    /** Zones that come and go; see {@link SimMove}. */
    final int joining;

    final int leaving;

    /** Between two rounds of comparing the zones; 0 for never. */
    final long compareMillis;

    /** Faults, each happening about every so many milliseconds. */
    final Map<String, Integer> faults = new LinkedHashMap<>();

    Profile(SplittableRandom random) {
        guarded = random.nextInt(8) != 0;
        Scene[] scenes = Scene.values();
        scene = random.nextInt(3) == 0 ? scenes[random.nextInt(scenes.length)] : Scene.NONE;
        boolean played = scene != Scene.NONE;
        zones = random.nextInt(4) == 0 ? 5 : 3;
        copies = zones == 5 && random.nextBoolean() ? 3 : zones;
        nodes = scene.nodes > 0 ? scene.nodes : 2 + random.nextInt(2);
        clients = 1 + random.nextInt(2);
        keys = 1 + random.nextInt(2);
        otherModes = random.nextInt(3) == 0;
        writePercent = List.of(10, 45, 45, 70).get(random.nextInt(4));
        conditionalPercent = random.nextInt(3) == 0 ? 0 : random.nextInt(60);
        thinkingMillis = List.of(10, 40, 40, 150).get(random.nextInt(4));
        timeoutMillis = scene.timeoutMillis > 0 ? scene.timeoutMillis : random.nextBoolean() ? 40 : 120;
        examineMillis = played ? 10 : 20 + random.nextInt(80);
        boolean quiet = played && random.nextInt(4) != 0;
        for (String fault : List.of(
                "pause",
                "freeze",
                "restart",
                "empty",
                "rollback",
                "relapse",
                "partition",
                "oneway",
                "slow",
                "sleep",
                "crash",
                "clock")) {
            boolean rare = fault.equals("crash") || fault.equals("clock");
            // When all who knew that there was something have died with it, nobody can raise an alarm.
            boolean silent = fault.equals("crash") && !guarded;
            if (random.nextInt(rare ? 8 : 3) == 0 && !quiet && !silent) {
                faults.put(fault, 100 + random.nextInt(500));
            }
        }
        loss = quiet || random.nextInt(3) != 0 ? 0 : random.nextDouble() * 0.05;
        repetition = quiet || random.nextInt(6) != 0 ? 0 : random.nextDouble() * 0.1;
        longestMicros = played ? 200 + random.nextLong(800) : 200 + random.nextLong(6_000);
        skewMillis = random.nextBoolean() ? 0 : random.nextLong(1_000);
        // Nodes are restarted one after the other, and whoever knew that there was something may die with them.
        boolean moves = !played && guarded && random.nextInt(6) == 0;
        boolean replaces = random.nextBoolean();
        boolean grows = zones == copies || random.nextBoolean();
        joining = moves && (replaces || grows) ? 1 : 0;
        leaving = moves && (replaces || !grows) ? 1 : 0;
        compareMillis = moves || random.nextInt(6) == 0 ? 150 + random.nextInt(400) : 0;
    }

    long deadlineMillis() {
        return 5 * timeoutMillis;
    }

    /** How long a zone that has forgotten takes to vote again when nothing is in the way, about. */
    long fillingMillis() {
        return deadlineMillis() + deadlineMillis() / 4 + 10 + 2 * examineMillis + 60;
    }

    /**
     * Whether every zone must have everything in the end. Not where zones forget, nodes die with their hints or change their idea of a
     * hint's age, and not where promises of conditional writes that came to nothing keep out what is older: that is left to
     * the comparison of zones.
     */
    boolean mustHeal() {
        return scene == Scene.NONE
                && joining + leaving == 0
                && conditionalPercent == 0
                && faults.keySet().stream()
                        .noneMatch(fault -> List.of("restart", "empty", "rollback", "relapse", "crash", "clock")
                                .contains(fault));
    }

    @Override
    public String toString() {
        return (guarded ? "guarded, " : "unguarded, ") + scene + ", " + zones + " zones, " + copies + " copies, "
                + nodes
                + " nodes, deadline " + deadlineMillis() + " ms, loss " + loss + ", repetition " + repetition
                + ", skew "
                + skewMillis + " ms, conditional " + conditionalPercent + " %, compared every " + compareMillis
                + " ms, +" + joining + " -" + leaving + " zones, faults " + faults;
    }
}
