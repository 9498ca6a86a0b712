package dev.terrace.node;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The jar that {@code package} lays out runs by {@code java -jar} without any flag: its manifest brings what L1 needs. */
class PackagedNodeIT {
    private static final long PATIENCE_SECONDS = 100;
    private static final Pattern URL = Pattern.compile("listens on (http://\\S+)");

    @TempDir
    Path folder;

    private record Result(int exitCode, String out, String err) {}

    private static List<String> command(String... arguments) {
        Path jar = Path.of(System.getProperty("terrace.package"), "terrace.jar");
        List<String> command = new ArrayList<>(
                List.of(ProcessHandle.current().info().command().orElseThrow(), "-jar", jar.toString()));
        command.addAll(List.of(arguments));
        return command;
    }

    private Result terrace(String... arguments) throws IOException, InterruptedException {
        List<String> command = command(arguments);
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        try {
            assertThat(process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)).isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Result(
                process.exitValue(),
                Files.readString(out, StandardCharsets.UTF_8),
                Files.readString(err, StandardCharsets.UTF_8));
    }

    @Test
    void tellsItsVersion() throws Exception {
        Result result = terrace("--version");
        assertThat(result.exitCode()).as(result.err()).isZero();
        assertThat(result.out()).startsWith("terrace 0.").contains("Java ");
    }

    @Test
    void replaysTheBundledTraceThroughAllThreeTiersAndTheNumbersAddUp() throws Exception {
        Result result = terrace(
                "replay",
                "--limit",
                "20000",
                "--origin-latency",
                "0ms",
                "--l1-capacity",
                "500",
                "--l2-memory",
                "4MiB",
                "--json");
        assertThat(result.exitCode()).as(result.out() + result.err()).isZero();
        JsonNode report = new ObjectMapper().readTree(result.out());
        assertThat(report.path("requests").asLong()).isEqualTo(20_000);
        assertThat(report.path("adds_up").asBoolean()).isTrue();
        for (String tier : List.of("l1", "l2", "l3", "origin")) {
            assertThat(report.path("answered_by").path(tier).path("requests").asLong())
                    .as(tier)
                    .isPositive();
        }
        assertThat(result.err()).doesNotContain("WARNING", "Exception");
    }

    @Test
    void refusesAFileThatIsNoTraceInOneLine() throws Exception {
        Result missing = terrace("replay", "absent.gz");
        assertThat(missing.exitCode()).isEqualTo(2);
        assertThat(missing.err().strip().lines()).hasSize(1);
        assertThat(missing.err()).contains("'absent.gz' does not exist");

        Files.writeString(folder.resolve("empty"), "");
        Result empty = terrace("replay", "empty");
        assertThat(empty.exitCode()).isEqualTo(2);
        assertThat(empty.err()).contains("holds no keys");

        Result wrongOption = terrace("replay", "--value-size", "1 parsec");
        assertThat(wrongOption.exitCode()).isEqualTo(2);
        assertThat(wrongOption.err()).contains("--value-size '1 parsec' is not allowed");
    }

    /** What only some settings need is in the package too: zones, the group of nodes, the journal of the backup. */
    @Test
    void servesOverThreeZonesWithEverythingSwitchedOn() throws Exception {
        List<RedisProcess> servers = new ArrayList<>();
        Process node = null;
        Path out = folder.resolve("out");
        try {
            for (int i = 0; i < 3; i++) {
                servers.add(RedisProcess.start());
            }
            Path file = Files.writeString(folder.resolve("zones.yaml"), """
                    distributed_cache:
                      distributed_cache:
                        enabled: true
                        timeout: 1s
                        replication_factor: 3
                        zones:
                          - {name: a, nodes: ["127.0.0.1:%d"]}
                          - {name: b, nodes: ["127.0.0.1:%d"]}
                          - {name: c, nodes: ["127.0.0.1:%d"]}
                      backup_storage: {enabled: true, path: backup}
                      backplane:
                        external_writers: true
                        group: {enabled: true, bind: 127.0.0.1, port: 0, members: ["127.0.0.1:1"]}
                      server: {port: 0}
                    """.formatted(
                    servers.get(0).port(), servers.get(1).port(), servers.get(2).port()));
            node = new ProcessBuilder(command("run", "--config", file.toString()))
                    .directory(folder.toFile())
                    .redirectOutput(out.toFile())
                    .redirectErrorStream(true)
                    .start();
            Process running = node;
            await().atMost(Duration.ofSeconds(PATIENCE_SECONDS)).untilAsserted(() -> {
                String said = Files.readString(out);
                assertThat(running.isAlive()).as(said).isTrue();
                Matcher url = URL.matcher(said);
                assertThat(url.find()).as(said).isTrue();
                Result put = terrace("put", "demo", "k", "v", "--mode", "sync", "--url", url.group(1));
                assertThat(put.out()).as(said + put.err()).contains("sync by a b c");
            });
            Matcher url = URL.matcher(Files.readString(out));
            assertThat(url.find()).isTrue();
            Result pinned =
                    terrace("ladder", "set", "read-only", "--for", "1m", "--why", "a test", "--url", url.group(1));
            assertThat(pinned.out()).as(pinned.err()).startsWith("rung    read-only");
            assertThat(Files.readString(out))
                    .contains("ladder moved from=normal to=read-only", "audit - ladder pinned", "why=\"a test\"")
                    .doesNotContain("NoClassDefFound", "ClassNotFound");
        } finally {
            if (node != null) {
                node.destroyForcibly().waitFor();
            }
            servers.forEach(RedisProcess::close);
        }
    }
}
