package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.terrace.api.Codecs;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.cli.Terrace;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** Backups of a running node: how they stand, and a snapshot on demand. */
class BackupHttpIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    Path temp;

    private String said = "";
    private String complained = "";

    private Path config() throws IOException {
        return Files.writeString(
                temp.resolve("terrace.yaml"), """
                distributed_cache:
                  distributed_cache: {enabled: false}
                  server: {port: 0}
                  backup_storage:
                    enabled: true
                    path: %s
                    ship_interval: 1s
                    object_storage: {url: 'file:%s'}
                """.formatted(temp.resolve("l3"), temp.resolve("repository")));
    }

    private int run(String... words) {
        StringWriter to = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine command = Terrace.commandLine();
        command.setOut(new PrintWriter(to));
        command.setErr(new PrintWriter(err));
        command.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        int exitCode = command.execute(words);
        said = to.toString();
        complained = err.toString();
        return exitCode;
    }

    private static void put(CacheCoordinator coordinator, int from, int to) {
        Map<String, String> entries = new HashMap<>();
        for (int i = from; i < to; i++) {
            entries.put("key-" + i, "value " + i);
        }
        coordinator
                .cache("quotes", Codecs.stringKey(), Codecs.string())
                .putAll(entries, WriteOptions.DEFAULTS.withDurable(true));
    }

    @Test
    @Tag("F51")
    void aSnapshotOnDemandSendsAgainWhatTheRepositoryHasLost() throws Exception {
        Path file = config();
        Settings settings = SettingsLoader.load(file);
        try (CacheCoordinator coordinator = CacheCoordinator.open(settings);
                HttpNode node = new HttpNode(coordinator, settings.server(), null)) {
            node.start();
            String url = "http://127.0.0.1:" + node.port();
            put(coordinator, 0, 200);
            assertThat(run("backup", "create", "--url", url, "--json"))
                    .as("%s", complained)
                    .isZero();
            assertThat(JSON.readTree(said).path("point").asText()).startsWith("1:");
            loseTheLongestFile();
            assertThat(run("backup", "verify", "--config", file.toString())).isEqualTo(1);
            assertThat(said).contains("it is gone");
            assertThat(run("backup", "create", "--url", url))
                    .as("%s", complained)
                    .isZero();
            assertThat(said).contains("restore point 1:");
            assertThat(run("backup", "verify", "--config", file.toString()))
                    .as(said)
                    .isZero();
            standsWell(file, url);
        }
        Path into = temp.resolve("into");
        assertThat(run("restore", "--config", file.toString(), "--into", into.toString()))
                .as("%s", complained)
                .isZero();
    }

    private void standsWell(Path file, String url) throws IOException {
        Awaitility.await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            assertThat(run("backup", "status", "--url", url, "--json"))
                    .as("%s%s", said, complained)
                    .isZero();
            JsonNode status = JSON.readTree(said);
            assertThat(status.path("lag_millis").isNumber()).isTrue();
        });
        JsonNode ofTheNode = JSON.readTree(said);
        assertThat(ofTheNode.path("writer").asInt()).isEqualTo(1);
        assertThat(ofTheNode.path("trouble").asText()).isEmpty();
        assertThat(ofTheNode.path("failures").asInt()).isZero();
        assertThat(ofTheNode.path("freshness").asText()).contains("freshness unverified");
        assertThat(run("backup", "status", "--config", file.toString(), "--json"))
                .as("%s", complained)
                .isZero();
        JsonNode ofTheRepository = JSON.readTree(said).path("writers").path(0);
        assertThat(ofTheRepository.path("points").size())
                .isEqualTo(ofTheNode.path("points").size());
        assertThat(ofTheRepository.path("last_snapshot")).isEqualTo(ofTheNode.path("last_snapshot"));
        assertThat(run("backup", "status", "--url", url)).isZero();
        assertThat(said).contains("last snapshot", "restore point 1:");
    }

    private void loseTheLongestFile() throws IOException {
        List<Path> files = new ArrayList<>();
        try (Stream<Path> tree = Files.walk(temp.resolve("repository"))) {
            tree.filter(file -> file.toString().contains("/data/") && Files.isRegularFile(file))
                    .forEach(files::add);
        }
        Path longest = files.get(0);
        for (Path file : files) {
            longest = Files.size(file) > Files.size(longest) ? file : longest;
        }
        Files.delete(longest);
    }

    @Test
    void aNodeWithoutARepositorySaysSo() throws Exception {
        Path file = Files.writeString(
                temp.resolve("plain.yaml"),
                "distributed_cache: {distributed_cache: {enabled: false}, server: {port: 0}}\n");
        Settings settings = SettingsLoader.load(file);
        try (CacheCoordinator coordinator = CacheCoordinator.open(settings);
                HttpNode node = new HttpNode(coordinator, settings.server(), null)) {
            node.start();
            String url = "http://127.0.0.1:" + node.port();
            assertThat(run("backup", "status", "--url", url)).isEqualTo(1);
            assertThat(said).contains("object_storage.url");
            assertThat(run("backup", "create", "--url", url)).isEqualTo(1);
            assertThat(complained).contains("object_storage.url");
        }
    }
}
