package dev.terrace.node.drill;

import dev.terrace.spi.BlobStore;
import java.time.Duration;

/** An object of the repository is changed or lost: that is seen and named, nothing of it is served, and the living node mends it. */
final class DamagedObject implements Drill {
    private final String name;
    private final String about;
    private final boolean lost;

    private DamagedObject(String name, String about, boolean lost) {
        this.name = name;
        this.about = about;
        this.lost = lost;
    }

    static DamagedObject tampered() {
        return new DamagedObject(
                "tampered-backup",
                "somebody turns a bit in the repository; verify names the object, restore refuses, the node sends it again",
                false);
    }

    static DamagedObject lost() {
        return new DamagedObject(
                "lost-object",
                "an object of the repository vanishes; verify names it, restore refuses, the node sends it again",
                true);
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public String about() {
        return about;
    }

    @Override
    public void run(Scene scene) throws Exception {
        Site site = scene.site();
        scene.deploy();
        scene.stage("snapshot", site::snapshot);
        try (Bucket bucket = site.bucket()) {
            BlobStore.Stat victim = bucket.victim();
            scene.stage(lost ? "lose an object" : "tamper with an object", () -> {
                scene.breaks();
                if (lost) {
                    bucket.lose(victim.name());
                } else {
                    bucket.tamper(victim);
                }
                return victim.name();
            });
            scene.stage(
                    "verify the repository",
                    () -> mustName(scene, victim, "verify names the object", site.type("backup", "verify")));
            scene.stage(
                    "restore, which must refuse",
                    () -> mustName(
                            scene,
                            victim,
                            "restore refuses and names it",
                            site.type(
                                    "restore",
                                    "--into",
                                    site.l3().resolveSibling("l3-refused").toString())));
            if (!lost) {
                scene.stage("remove what was tampered with", () -> {
                    bucket.lose(victim.name());
                    return victim.name();
                });
            }
        }
        scene.stage("let the node mend it", () -> {
            site.snapshot();
            return "a snapshot that sends again what is missing";
        });
        scene.stage("verify the repository again", () -> {
            Operator.Ended ended = site.type("backup", "verify");
            scene.objective(
                    "the repository is whole again",
                    "exit code 0",
                    Integer.toString(ended.exitCode()),
                    ended.exitCode() == 0);
            scene.measure("mended_seconds", scene.sinceBreakMillis() / 1000.0);
            return lastLine(ended.out());
        });
        scene.stage("ship", site::awaitShipped);
        Loss.everythingAndBack(scene);
        scene.verify(Duration.ZERO);
    }

    private static String mustName(Scene scene, BlobStore.Stat victim, String what, Operator.Ended ended) {
        String said = ended.out() + ended.err();
        String blob = victim.name().substring(victim.name().lastIndexOf('/') + 1);
        boolean named = ended.exitCode() == 1 && said.contains(blob);
        scene.objective(
                what,
                "exit code 1 and its name",
                "exit code " + ended.exitCode() + (said.contains(blob) ? " and its name" : ", not its name"),
                named);
        return said.lines().filter(line -> line.contains(blob)).findFirst().orElse(lastLine(said));
    }

    private static String lastLine(String text) {
        String[] lines = text.strip().split("\n");
        return lines[lines.length - 1].strip();
    }
}
