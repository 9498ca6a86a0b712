package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("F72")
class SettingsFileTest {
    @TempDir
    private Path folder;

    private Path file(byte[] content) throws IOException {
        return Files.write(folder.resolve("terrace.yaml"), content);
    }

    private static String refused(Path file) {
        InvalidSettingsException refused =
                catchThrowableOfType(InvalidSettingsException.class, () -> SettingsLoader.load(file));
        assertThat(refused).isNotNull();
        assertThat(refused.problems()).hasSize(1);
        return refused.getMessage();
    }

    @Test
    void aFileIsLoadedWithOrWithoutAByteOrderMarkAndWithAnyLineEnd() throws IOException {
        String yaml = "distributed_cache:\r\n  local_cache:\r\n    ttl: 7s\r\n";
        for (String text : new String[] {yaml, "\uFEFF" + yaml, yaml.replace("\r", "")}) {
            Settings settings = SettingsLoader.load(file(text.getBytes(StandardCharsets.UTF_8)));
            assertThat(settings.localCache().ttl()).isEqualTo(Duration.ofSeconds(7));
        }
    }

    @Test
    void whatCannotBeReadIsNamed() throws IOException {
        Path missing = folder.resolve("missing.yaml");
        assertThat(refused(missing)).contains(missing + ": does not exist");
        assertThat(refused(folder)).contains(folder + ": is a folder, not a settings file");
        assertThat(refused(file(new byte[(1 << 20) + 1]))).contains("has more than 1048576 bytes");
        assertThat(refused(file(new byte[] {'a', ':', '\n', (byte) 0xC3, '('})))
                .contains("terrace.yaml:2: is not UTF-8 text");
    }

    @Test
    @Timeout(20)
    void aFileWithoutAnEndIsRefused() {
        Path endless = Path.of("/dev/zero");
        if (Files.exists(endless)) {
            assertThat(refused(endless)).contains("has more than 1048576 bytes");
        }
    }

    @Test
    @Timeout(20)
    void aliasesMayRepeatThingsButNotExplode() {
        Settings settings = SettingsLoader.parse("""
                distributed_cache:
                  caches:
                    a: &usual {ttl: 9s}
                    b: *usual
                """, "aliases", Map.of()).settings();
        assertThat(settings.caches().get("b")).isEqualTo(settings.caches().get("a"));

        StringBuilder bomb = new StringBuilder("distributed_cache:\n  l0: &l0 [x, x]\n");
        for (int level = 1; level < 15; level++) {
            String below = "*l" + (level - 1);
            bomb.append("  l%d: &l%d [%s, %s, %s]\n".formatted(level, level, below, below, below));
        }
        assertThat(catchThrowableOfType(
                        InvalidSettingsException.class, () -> SettingsLoader.parse(bomb.toString(), "bomb", Map.of())))
                .hasMessageContaining("is not YAML");
    }

    @Test
    @Timeout(20)
    void aFileThatContainsItselfEnds() {
        String yaml = "distributed_cache: &all\n  caches: {a: *all}\n  classes: [*all]\n  server: *all\n";
        assertThat(catchThrowableOfType(
                        InvalidSettingsException.class, () -> SettingsLoader.parse(yaml, "loop", Map.of())))
                .isNotNull();
    }

    @Test
    void manyProblemsAreListedInTheOrderOfTheirLines() {
        String yaml = "distributed_cache:\n  server: {port: x, hots: y}\n  local_cache:\n    ttl: z\n  limits: 1\n";
        InvalidSettingsException refused = catchThrowableOfType(
                InvalidSettingsException.class, () -> SettingsLoader.parse(yaml, "many.yaml", Map.of()));
        assertThat(refused.getMessage().lines())
                .satisfiesExactly(
                        line -> assertThat(line).isEqualTo("many.yaml has 4 problems:"),
                        line -> assertThat(line)
                                .isEqualTo("  many.yaml:2: distributed_cache.server.port: 'x' must be a whole number"
                                        + " from 0 to 65535"),
                        line -> assertThat(line)
                                .isEqualTo(
                                        "  many.yaml:2: distributed_cache.server.hots: is not a setting; known here:"
                                                + " host, port, token, max_body_bytes, chaos, environment; did you mean 'host'?"),
                        line -> assertThat(line).startsWith("  many.yaml:4: distributed_cache.local_cache.ttl: 'z'"),
                        line -> assertThat(line)
                                .isEqualTo("  many.yaml:5: distributed_cache.limits: must be a mapping of keys to"
                                        + " values"));
    }
}
