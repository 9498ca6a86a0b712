package dev.terrace.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A guarantee that names a test which is not there guarantees nothing. */
class GuaranteesTest {
    private static final Path ROOT = Path.of("..");
    private static final Path DOCUMENT = ROOT.resolve("docs").resolve("guarantees.md");
    private static final Pattern NAMED =
            Pattern.compile("`([A-Z]\\w*[a-z](?:Test|IT|Contract|Simulation))(?:\\.(\\w+))?`");
    private static final String OPEN = "not shown yet";

    private static Map<String, Path> sources() throws IOException {
        Map<String, Path> sources = new TreeMap<>();
        try (Stream<Path> files =
                Files.find(ROOT, 20, (file, attributes) -> file.toString().endsWith(".java"))) {
            files.filter(file -> !file.toString().contains("target"))
                    .forEach(file -> sources.put(file.getFileName().toString().replace(".java", ""), file));
        }
        return sources;
    }

    @Test
    void everyTestThatTheDocumentNamesExists() throws IOException {
        Map<String, Path> sources = sources();
        Matcher named = NAMED.matcher(Files.readString(DOCUMENT));
        int count = 0;
        while (named.find()) {
            count++;
            assertThat(sources.containsKey(named.group(1))).as(named.group()).isTrue();
            if (named.group(2) != null) {
                assertThat(Files.readString(sources.get(named.group(1))))
                        .as(named.group())
                        .containsPattern("void " + named.group(2) + "\\(");
            }
        }
        assertThat(count).isGreaterThan(20);
    }

    @Test
    void everyGuaranteeNamesATestOrSaysThatNoneShowsIt() throws IOException {
        List<String> rows = Files.readAllLines(DOCUMENT).stream()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| ---") && !line.contains("shown by"))
                .toList();
        assertThat(rows)
                .hasSizeGreaterThan(20)
                .allMatch(row -> NAMED.matcher(row).find() || row.contains(OPEN));
    }
}
