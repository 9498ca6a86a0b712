package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What people copy first: the settings files of the examples, and those in the documents. */
class ExamplesTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern BLOCK = Pattern.compile("(?ms)^```yaml\\n(distributed_cache:.*?)^```");
    private static final Map<String, String> ENVIRONMENT =
            Map.of("REDIS_PASSWORD", "a password", "BACKUP_PASSPHRASE", "a passphrase");

    @Test
    void theFilesOfTheExamplesHaveNoProblemAndGiveNoWarning() throws IOException {
        List<Path> files;
        try (Stream<Path> found = Files.list(ROOT.resolve("examples"))) {
            files = found.filter(file -> file.toString().endsWith(".yaml")).toList();
        }
        assertThat(files).hasSizeGreaterThan(1);
        for (Path file : files) {
            LoadedSettings loaded = SettingsLoader.read(file, ENVIRONMENT);
            assertThat(loaded.warnings()).as(file.toString()).isEmpty();
        }
    }

    /** Files that they name are not there, so those are left out. */
    @Test
    void theSettingsInTheDocumentsAreUnderstood() throws IOException {
        List<String> blocks = new ArrayList<>();
        for (String document : List.of("README.md", "docs/settings.md")) {
            Matcher block = BLOCK.matcher(Files.readString(ROOT.resolve(document)));
            while (block.find()) {
                blocks.add(block.group(1).replaceAll("file:/[a-z/]+", "a passphrase"));
            }
        }
        assertThat(blocks).hasSizeGreaterThan(2);
        for (String block : blocks) {
            assertThat(SettingsLoader.parse(block, "document.yaml", ENVIRONMENT).settings())
                    .isNotNull();
        }
    }
}
