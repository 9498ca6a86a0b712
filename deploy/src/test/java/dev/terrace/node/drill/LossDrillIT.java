package dev.terrace.node.drill;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The drills that lose nodes: those that take longest, so that they run beside the others. */
class LossDrillIT extends DrillRuns {
    static Set<String> drills() {
        return Set.of("node-loss", "total-loss");
    }

    @ParameterizedTest
    @MethodSource("drills")
    void whatWasAcknowledgedAsDurableIsBack(String name) throws Exception {
        succeeds(name);
    }

    @Test
    @Tag("F51")
    void aDrillThatLosesAnObjectSaysSoAndLeavesItsEvidence() throws IOException {
        int exitCode = drill("total-loss", "--sabotage", "--config", given());
        assertThat(exitCode).as("%s%n%s", out, err).isEqualTo(1);
        JsonNode report = NodeCalls.JSON.readTree(out);
        assertThat(report.path("verdict").asText()).isEqualTo("missed");
        assertThat(report.path("failure").asText()).contains("restore");
        assertThat(report.path("measured").has("entries_verified"))
                .as("claimed without having been measured")
                .isFalse();
        Path evidence = Path.of(report.path("evidence").asText());
        try (Stream<Path> files = Files.list(evidence)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .contains("total-loss.json", "total-loss.html", "repository");
        } finally {
            Site.remove(evidence);
        }
    }
}
