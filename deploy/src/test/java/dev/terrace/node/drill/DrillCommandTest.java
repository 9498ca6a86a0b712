package dev.terrace.node.drill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.node.cli.Commands;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What drills refuse, and the scripts that call them. */
class DrillCommandTest extends Commands {
    private static final Path SCRIPTS = Path.of("drills");

    @TempDir
    Path temp;

    @Test
    void theListNamesEveryDrill() {
        assertThat(run("drill", "list")).isZero();
        assertThat(out.lines()).hasSize(Drills.all().size());
        assertThat(out).contains(Drills.all().keySet());
    }

    @Test
    void whatCannotBeRunIsRefusedWithTheWayOut() {
        assertThat(run("drill")).isEqualTo(2);
        assertThat(run("drill", "run", "earthquake")).isEqualTo(2);
        assertThat(err).contains("no drill 'earthquake'", "total-loss");
        assertThat(run("drill", "run", "total-loss", "--entries", "0")).isEqualTo(2);
        assertThat(run("drill", "run", "total-loss", "--value-size", "8")).isEqualTo(2);
        assertThat(run("drill", "run", "total-loss", "--rpo", "soon")).isEqualTo(2);
        assertThat(err).contains("--rpo 'soon'");
    }

    @Test
    void productionIsRefusedUnlessItIsNamed() throws IOException {
        Path nameless = Files.writeString(temp.resolve("site.yaml"), "distributed_cache: {server: {port: 0}}\n");
        assertThat(run("drill", "run", "total-loss", "--config", nameless.toString()))
                .isEqualTo(2);
        assertThat(err).contains("does not say what it is", "--yes-this-is-production site.yaml");
        Path live = Files.writeString(
                temp.resolve("live.yaml"), "distributed_cache: {server: {environment: production-eu}}\n");
        assertThat(run("drill", "run", "total-loss", "--config", live.toString()))
                .isEqualTo(2);
        assertThat(err).contains("production-eu");
        assertThat(run(
                        "drill",
                        "run",
                        "total-loss",
                        "--config",
                        live.toString(),
                        "--yes-this-is-production",
                        "production"))
                .isEqualTo(2);
        assertThat(err).contains("--yes-this-is-production production-eu");
    }

    @Test
    void everyDrillHasAScriptThatPassesItsOptionsOn() throws Exception {
        assumeTrue(Files.isExecutable(Path.of("/bin/bash")), "skipped: there is no bash here");
        Path told = temp.resolve("told");
        Path stub = Files.writeString(
                temp.resolve("terrace"), "#!/bin/bash\nprintf '%s\\n' \"$*\" >>'" + told + "'\nexit 7\n");
        assertThat(stub.toFile().setExecutable(true)).isTrue();
        StringBuilder expected = new StringBuilder();
        for (String name : Drills.all().keySet()) {
            assertThat(script(name, stub)).isEqualTo(7);
            expected.append("drill run ").append(name).append(" --entries 5 --out a b\n");
        }
        assertThat(script("all", stub)).isEqualTo(7);
        assertThat(told).hasContent(expected + "drill run all --entries 5 --out a b");
    }

    private static int script(String name, Path terrace) throws IOException, InterruptedException {
        ProcessBuilder script =
                new ProcessBuilder("bash", SCRIPTS.resolve(name + ".sh").toString(), "--entries", "5", "--out", "a b");
        script.environment().put("TERRACE", terrace.toString());
        Process process = script.redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(30, TimeUnit.SECONDS)).as(printed).isTrue();
        return process.exitValue();
    }
}
