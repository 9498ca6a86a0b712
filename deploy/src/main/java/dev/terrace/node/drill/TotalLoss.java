package dev.terrace.node.drill;

/** Nothing is left but the repository. */
final class TotalLoss implements Drill {
    @Override
    public String name() {
        return "total-loss";
    }

    @Override
    public String about() {
        return "L1, L2 and L3 are lost at once; a node serves at once from object storage, and everything comes back under it";
    }

    @Override
    public void run(Scene scene) throws Exception {
        scene.site().set("backup_storage.restore.on_start", "if_empty");
        scene.deploy();
        // As in the long run: a snapshot of most of it, and changes after that.
        scene.stage("snapshot", scene.site()::snapshot);
        scene.stage("ship", scene.site()::awaitShipped);
        Loss.underLoad(scene, () -> Loss.everything(scene));
        Objectives objectives = scene.plan().objectives();
        Loss.bringBackServing(scene, objectives.firstAnswer(), objectives.serving());
        scene.awaitNormal();
        scene.awaitRestored();
        scene.warm();
        Loss.lookIntoRedis(scene);
        scene.verify(objectives.rpo(scene.site().shipInterval()));
        scene.judgeTraffic();
    }
}
