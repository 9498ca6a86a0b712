package dev.terrace.node.drill;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.node.cli.Commands;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.xml.sax.InputSource;

/** A drill, small, as its tests run it: real processes are killed and real folders lost. Times are no matter here; the machine may be busy. */
abstract class DrillRuns extends Commands {
    private static final long SEED = Long.getLong("terrace.seed", System.nanoTime() & 0xFFFF);
    private static final String MORE_OPTIONS = "terrace.drill.node-options";
    private static final List<String> PATIENTLY =
            List.of("--rpo", "60s", "--serving", "120s", "--first-answer", "120s", "--warm", "240s");

    @TempDir
    Path folder;

    @BeforeAll
    static void quickStarts() {
        System.setProperty(MORE_OPTIONS, "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx256m");
    }

    @AfterAll
    static void asBefore() {
        System.clearProperty(MORE_OPTIONS);
    }

    /** Only processes of this drill: others of this machine's children are none of its business. */
    @AfterEach
    void nothingRunsOn() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(30))
                .untilAsserted(() -> assertThat(ProcessHandle.current()
                                .descendants()
                                .filter(ProcessHandle::isAlive)
                                .map(process -> process.info().commandLine().orElse("?"))
                                .filter(line -> line.contains("terrace-drill-")))
                        .as("processes that a drill left behind")
                        .isEmpty());
    }

    final int drill(String name, String... more) {
        List<String> words = new ArrayList<>(List.of("drill", "run", name, "--entries", "300", "--hold", "300ms"));
        words.addAll(List.of("--seed", Long.toString(SEED), "--json", "--out", folder.toString()));
        words.addAll(PATIENTLY);
        words.addAll(List.of(more));
        return run(words.toArray(String[]::new));
    }

    /** Somebody's settings, whose key is in a file: Argon2, in the drill's own, takes its time in every process. */
    final String given() throws IOException {
        Path key = Files.writeString(folder.resolve("kek"), "5c".repeat(32));
        return Files.writeString(folder.resolve("given.yaml"), """
                distributed_cache:
                  server: {environment: test}
                  backup_storage: {encryption: true, key_service: file, key_name: '%s'}
                """.formatted(key))
                .toString();
    }

    /** Runs it; what was acknowledged as durable must be back. */
    final void succeeds(String name, String... more) throws Exception {
        int exitCode = drill(name, more);
        assertThat(exitCode).as("%s%n%s", out, err).isZero();
        JsonNode report = NodeCalls.JSON.readTree(out);
        assertThat(report.path("verdict").asText()).isEqualTo("met");
        assertThat(report.path("evidence").isNull()).isTrue();
        JsonNode measured = report.path("measured");
        assertThat(measured.path("entries_verified").asInt()
                        + measured.path("entries_older").asInt())
                .as(out)
                .isEqualTo(300);
        assertThat(measured.path("rto_seconds").asDouble()).isPositive();
        JsonNode written =
                NodeCalls.JSON.readTree(folder.resolve(name + ".json").toFile());
        assertThat(written.path("objectives")).isEqualTo(report.path("objectives"));
        checkPage(Files.readString(folder.resolve(name + ".html")), name);
    }

    private static void checkPage(String page, String name) throws Exception {
        DocumentBuilder builder = DocumentBuilderFactory.newInstance().newDocumentBuilder();
        assertThat(builder.parse(new InputSource(new StringReader(page)))
                        .getElementsByTagName("rect")
                        .getLength())
                .isGreaterThan(5);
        assertThat(page).contains("Drill " + name).doesNotContain("://", "src=", "href=", "@import", "url(");
    }
}
