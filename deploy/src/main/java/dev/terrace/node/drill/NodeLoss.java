package dev.terrace.node.drill;

import java.time.Duration;

/** A node's machine is gone, with its disk; Redis and the repository are there. */
final class NodeLoss implements Drill {
    @Override
    public String name() {
        return "node-loss";
    }

    @Override
    public String about() {
        return "a node is killed and its disk is lost; a new one restores L3 and serves";
    }

    @Override
    public void run(Scene scene) throws Exception {
        scene.deploy();
        Loss.underLoad(scene, () -> {
            scene.breaks();
            String killed = scene.site().killNode();
            scene.site().loseL3();
            return killed + "; L3's folder is gone";
        });
        scene.restore();
        scene.stage("start node", scene.site()::startNode);
        scene.awaitServing(null, scene.plan().objectives().serving());
        scene.awaitNormal();
        // L2 has what was not shipped yet.
        scene.verify(Duration.ZERO);
        scene.judgeTraffic();
    }
}
