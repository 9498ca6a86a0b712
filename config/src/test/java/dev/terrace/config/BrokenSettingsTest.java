package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Runs {@code broken-settings.txt}. */
@Tag("F72")
class BrokenSettingsTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("CANARY", "canary");

    private record Broken(String name, String yaml, List<String> expected) {}

    @TestFactory
    Stream<DynamicTest> eachBrokenFileIsRefusedWithPathLineAndWords() throws IOException {
        return table().stream().map(broken -> DynamicTest.dynamicTest(broken.name(), () -> check(broken)));
    }

    @Test
    void theTableHasManyCases() throws IOException {
        assertThat(table()).hasSizeGreaterThanOrEqualTo(60);
    }

    private static void check(Broken broken) {
        InvalidSettingsException refused = catchThrowableOfType(
                InvalidSettingsException.class, () -> SettingsLoader.parse(broken.yaml(), "broken.yaml", ENVIRONMENT));

        assertThat(refused).as("refused").isNotNull();
        assertThat(refused.problems()).as(refused.getMessage()).hasSameSizeAs(broken.expected());
        for (int i = 0; i < broken.expected().size(); i++) {
            String[] expected = broken.expected().get(i).split(" ", 3);
            Problem problem = refused.problems().get(i);
            assertThat(problem.line()).as(problem.toString()).isEqualTo(Integer.parseInt(expected[0]));
            assertThat(problem.path()).isEqualTo(expected[1].equals("-") ? "" : expected[1]);
            assertThat(problem.toString()).contains(expected[2]);
            assertThat(refused.getMessage()).contains(problem.in("broken.yaml"));
            assertThat(problem.toString().lines()).as("one line").hasSize(1);
        }
        assertThat(refused.toString()).as("no secret").doesNotContain("canary");
    }

    private static List<Broken> table() throws IOException {
        String text;
        try (InputStream in =
                Objects.requireNonNull(BrokenSettingsTest.class.getResourceAsStream("broken-settings.txt"))) {
            text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
        List<Broken> table = new ArrayList<>();
        for (String block : text.substring(text.indexOf("\n--- ")).split("(?m)^--- ")) {
            int arrow = block.indexOf("\n==>\n");
            if (arrow > 0) {
                int end = block.indexOf('\n');
                String yaml = block.substring(end + 1, arrow + 1);
                List<String> expected = block.substring(arrow + 5).lines().toList();
                table.add(new Broken(block.substring(0, end), yaml, expected));
            }
        }
        return table;
    }
}
