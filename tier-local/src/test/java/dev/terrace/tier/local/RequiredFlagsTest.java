package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RequiredFlagsTest {
    /** Opens L1 in a JVM of its own and prints what came of it. */
    public static final class Opener {
        public static void main(String[] args) {
            try {
                new ChronicleTierProvider()
                        .open(new TestContext(ManualClock.startingNow(), LocalCacheSettings.defaults()))
                        .close();
                System.out.println("opened");
            } catch (RuntimeException e) {
                System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }

    private static String openIn(String... flags) throws Exception {
        ProcessBuilder builder = new ProcessBuilder();
        builder.command()
                .add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        builder.command().addAll(java.util.List.of(flags));
        builder.command()
                .addAll(java.util.List.of("-cp", System.getProperty("java.class.path"), Opener.class.getName()));
        Process process = builder.redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return printed;
    }

    @Test
    void withoutTheFlagsOneErrorPrintsAllFour() throws Exception {
        assertThat(openIn())
                .contains("SetupException")
                .contains("--add-exports=java.base/sun.nio.ch=ALL-UNNAMED")
                .contains("--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED")
                .contains("--add-opens=java.base/java.lang=ALL-UNNAMED")
                .contains("--add-opens=java.base/java.lang.reflect=ALL-UNNAMED");
    }

    @Test
    void onlyTheMissingFlagIsNamed() throws Exception {
        assertThat(openIn(
                        "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                        "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED"))
                .contains("missing: --add-opens=java.base/java.lang.reflect=ALL-UNNAMED;");
    }

    @Test
    void withThemItOpens() throws Exception {
        assertThat(openIn(
                        "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED",
                        "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang=ALL-UNNAMED",
                        "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED"))
                .contains("opened");
    }
}
