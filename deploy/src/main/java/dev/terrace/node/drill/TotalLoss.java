package dev.terrace.node.drill;

/** Nothing is left but the repository. */
final class TotalLoss implements Drill {
    @Override
    public String name() {
        return "total-loss";
    }

    @Override
    public String about() {
        return "L1, L2 and L3 are lost at once; everything comes back from object storage";
    }

    @Override
    public void run(Scene scene) throws Exception {
        scene.deploy();
        scene.stage("ship", scene.site()::awaitShipped);
        Loss.underLoad(scene, () -> Loss.everything(scene));
        Objectives objectives = scene.plan().objectives();
        Loss.bringBack(scene, objectives.firstAnswer(), objectives.serving());
        scene.awaitNormal();
        scene.warm();
        Loss.lookIntoRedis(scene);
        scene.verify(objectives.rpo(scene.site().shipInterval()));
        scene.judgeTraffic();
    }
}
