package dev.terrace.node.drill;

import java.time.Duration;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/** What drills have in common that lose machines and make L3 anew from the repository. */
final class Loss {
    private static final int SAMPLE = 300;

    private Loss() {}

    /** Traffic for a moment, which the loss then interrupts. */
    static void underLoad(Scene scene, Timeline.Step lose) throws Exception {
        try (Traffic traffic = scene.begin()) {
            scene.hold("traffic", scene.site().shipInterval().plusMillis(500));
            scene.stage("lose", lose);
            traffic.close();
        }
    }

    /** L1, L2 and L3: the machine of the node and that of Redis. */
    static String everything(Scene scene) throws Exception {
        scene.breaks();
        String node = scene.site().killNode();
        String redis = scene.site().loseRedis();
        scene.site().loseL3();
        return node + "; " + redis + "; L3's folder is gone";
    }

    /** From the repository, with a new Redis. */
    static void bringBack(Scene scene, @Nullable Duration firstAnswer, @Nullable Duration serving) throws Exception {
        scene.stage("start Redis, empty", () -> {
            scene.site().redis().restart();
            return "";
        });
        scene.restore();
        scene.stage("start node", scene.site()::startNode);
        scene.awaitServing(firstAnswer, serving);
    }

    /** A node with an empty folder, which comes back from the repository while the node serves; with a new Redis. */
    static void bringBackServing(Scene scene, Duration firstAnswer, Duration serving) throws Exception {
        scene.stage("start Redis, empty", () -> {
            scene.site().redis().restart();
            return "";
        });
        scene.sabotage();
        scene.stage("start node", scene.site()::startNode);
        scene.awaitServing(firstAnswer, serving);
    }

    /** Loses everything once more and brings it back: what the drill is about must have left a whole repository. */
    static void everythingAndBack(Scene scene) throws Exception {
        scene.stage("lose everything", () -> everything(scene));
        bringBack(scene, null, null);
    }

    /** Reads that ask L2 itself, whatever else there is. */
    static void lookIntoRedis(Scene scene) throws Exception {
        scene.stage("look into Redis", () -> {
            SplittableRandom random = new SplittableRandom(scene.plan().seed() + 4);
            int sample = Math.min(SAMPLE, scene.ledger().entries());
            int there = 0;
            for (int i = 0; i < sample; i++) {
                int index = random.nextInt(scene.ledger().entries());
                NodeCalls.Answer answer =
                        scene.site().calls().get(index, "?mode=quorum").get();
                if (scene.ledger()
                        .judge(index, answer.value(), answer.version())
                        .isAcknowledged()) {
                    there++;
                }
            }
            scene.measure("sampled_in_l2", there);
            scene.objective(
                    "L2 holds it again",
                    "all of " + sample + " keys that were looked at",
                    there + " there",
                    there == sample);
            return there + " of " + sample;
        });
    }
}
