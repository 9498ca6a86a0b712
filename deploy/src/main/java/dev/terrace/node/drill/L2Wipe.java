package dev.terrace.node.drill;

import java.time.Duration;

/** Redis comes back empty. */
final class L2Wipe implements Drill {
    @Override
    public String name() {
        return "l2-wipe";
    }

    @Override
    public String about() {
        return "Redis loses everything it held; L3 answers, and fills it again";
    }

    @Override
    public void run(Scene scene) throws Exception {
        scene.deploy();
        try (Traffic traffic = scene.begin()) {
            scene.hold("traffic", Duration.ofSeconds(1));
            scene.stage("lose Redis", () -> {
                scene.breaks();
                return scene.site().loseRedis();
            });
            scene.stage("start Redis, empty", () -> {
                scene.site().redis().restart();
                return "";
            });
            scene.awaitServing(
                    scene.plan().objectives().firstAnswer(),
                    scene.plan().objectives().serving());
            scene.awaitNormal();
            traffic.close();
        }
        scene.warm();
        Loss.lookIntoRedis(scene);
        scene.verify(Duration.ZERO);
        scene.judgeTraffic();
    }
}
