package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeLibraryTest {
    /** Opens L1 in a JVM of its own and prints what came of it. */
    public static final class Opener {
        public static void main(String[] args) {
            try {
                new OffHeapTierProvider()
                        .open(new TestContext(ManualClock.startingNow(), LocalCacheSettings.defaults()))
                        .close();
                System.out.println("opened");
            } catch (RuntimeException e) {
                System.out.println(e.getClass().getSimpleName() + ": " + e.getMessage());
            }
        }
    }

    private static String openIn(String... flags) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(flags));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Opener.class.getName()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return printed;
    }

    @Test
    void noFlagsAreNeeded() throws Exception {
        assertThat(openIn()).contains("opened").doesNotContain("Exception");
    }

    @Test
    void whereItCannotBeLoadedOneErrorSaysWhatToDo(@TempDir Path folder) throws Exception {
        assertThat(openIn("-Djffi.extract.dir=" + folder.resolve("absent")))
                .contains("SetupException", "jffi", "java.io.tmpdir", "local_cache.enabled: false");
    }
}
