package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.RocksTierProvider;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code terrace restore} over entries in a real folder, and what it says when it cannot. */
class RestoreCommandIT extends Commands {
    @TempDir
    Path temp;

    private Path config = Path.of("");

    @BeforeEach
    void settings() throws IOException {
        Files.writeString(temp.resolve("kek"), "0123456789abcdef".repeat(4));
        Files.writeString(temp.resolve("other-kek"), "fedcba9876543210".repeat(4));
        config = write("terrace.yaml", "l3", "kek");
    }

    private Path write(String name, String folder, String key) throws IOException {
        return Files.writeString(
                temp.resolve(name), """
                distributed_cache:
                  distributed_cache: {enabled: false}
                  backup_storage:
                    enabled: true
                    path: %s
                    encryption: true
                    key_service: file
                    key_name: %s
                    object_storage: {url: 'file:%s'}
                """.formatted(temp.resolve(folder), temp.resolve(key), temp.resolve("repository")));
    }

    private Tier open(Path folder) {
        BackupStorageSettings l3 = SettingsLoader.load(config).backupStorage();
        return new RocksTierProvider()
                .open(new TestContext(
                        InstantSource.system(), l3.withPath(folder).withObjectStorage(null)));
    }

    private void put(String cache, String key, String text) throws Exception {
        long now = InstantSource.system().millis();
        Tier tier = open(temp.resolve("l3"));
        try {
            assertThat(tier.put(
                                    Entries.value(
                                            CacheKey.of(cache, key),
                                            Entries.version(now, 0),
                                            now,
                                            Duration.ofHours(5),
                                            text),
                                    WriteCondition.IF_NEWER)
                            .toCompletableFuture()
                            .get(30, TimeUnit.SECONDS))
                    .isInstanceOf(StoreOutcome.Applied.class);
        } finally {
            tier.close();
        }
    }

    private @Nullable String get(Path folder, String cache, String key) throws Exception {
        Tier tier = open(folder);
        try {
            Lookup found =
                    tier.get(CacheKey.of(cache, key)).toCompletableFuture().get(30, TimeUnit.SECONDS);
            return found instanceof Lookup.Hit hit ? Entries.text(hit.entry()) : null;
        } finally {
            tier.close();
        }
    }

    private void backUp() {
        assertThat(run("backup", "create", "--config", config.toString()))
                .as("%s", err)
                .isZero();
    }

    @Test
    void oneCacheAMomentBetweenTwoPointsAndAFolderThatIsThere() throws Exception {
        put("quotes", "a", "old");
        put("news", "n", "1");
        backUp();
        JsonNode point = json("backup", "list", "--config", config.toString(), "--json")
                .path("writers")
                .path(0)
                .path("points")
                .path(0);
        Instant between = Instant.now();
        put("quotes", "a", "new");
        backUp();

        Path chosen = temp.resolve("chosen");
        JsonNode report = json(
                "restore", "--config", config.toString(), "--cache", "quotes", "--into", chosen.toString(), "--json");
        assertThat(report.path("merged").asInt()).isEqualTo(1);
        assertThat(get(chosen, "quotes", "a")).isEqualTo("new");
        assertThat(get(chosen, "news", "n")).isNull();

        Path before = temp.resolve("before");
        assertThat(run(
                        "restore",
                        "--config",
                        config.toString(),
                        "--as-of",
                        between.toString(),
                        "--into",
                        before.toString()))
                .as("nobody shipped what happened between them")
                .isEqualTo(ExitCodes.USAGE);
        String moment = point.path("through").asText();
        assertThat(err).contains("no restore point holds " + between).contains(moment);
        assertThat(run("restore", "--config", config.toString(), "--as-of", moment, "--into", before.toString()))
                .as("%s", err)
                .isZero();
        assertThat(out).contains("it holds the state of " + moment);
        assertThat(get(before, "quotes", "a")).isEqualTo("old");

        put("quotes", "b", "only here");
        assertThat(run("restore", "--config", config.toString())).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("is not empty").contains("--merge");
        assertThat(json("restore", "--config", config.toString(), "--merge", "--rate", "50", "--json")
                        .path("merged")
                        .asInt())
                .isZero();
        assertThat(get(temp.resolve("l3"), "quotes", "b")).isEqualTo("only here");
    }

    @Test
    void aRelativeFolderIsOneOfTheWorkingFolder() throws Exception {
        put("quotes", "a", "1");
        backUp();
        Path relative =
                Path.of("").toAbsolutePath().relativize(temp.toRealPath().resolve("into"));
        assertThat(run("restore", "--config", config.toString(), "--into", relative.toString()))
                .as("%s", err)
                .isZero();
        assertThat(out).contains("restored " + relative).contains("it holds everything that was shipped");
        assertThat(get(temp.resolve("into"), "quotes", "a")).isEqualTo("1");
    }

    @Test
    @Tag("F55")
    void aWrongKeyAnEmptyRepositoryAndNonsenseAreOneLineEach() throws Exception {
        assertThat(run(
                        "restore",
                        "--config",
                        config.toString(),
                        "--into",
                        temp.resolve("into").toString()))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("holds no restore point");
        put("quotes", "a", "1");
        backUp();
        Path wrong = write("wrong.yaml", "l3", "other-kek");
        assertThat(run(
                        "restore",
                        "--config",
                        wrong.toString(),
                        "--into",
                        temp.resolve("into").toString()))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err.lines()).hasSize(1);
        assertThat(err).contains("key");
        assertThat(temp.resolve("into").resolve("TERRACE")).doesNotExist();
        assertThat(run("restore", "--config", config.toString(), "--rate", "-1"))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("--rate -1");
    }

    @Test
    @Tag("F51")
    void aLostObjectIsNamed() throws Exception {
        put("quotes", "a", "1");
        backUp();
        Path lost;
        try (var tree = Files.walk(temp.resolve("repository"))) {
            lost = tree.filter(file -> file.toString().contains("/data/") && Files.isRegularFile(file))
                    .findFirst()
                    .orElseThrow();
        }
        Files.delete(lost);
        Path into = temp.resolve("into");
        assertThat(run("restore", "--config", config.toString(), "--into", into.toString()))
                .isEqualTo(ExitCodes.FAILED);
        assertThat(err).contains(lost.getFileName().toString()).doesNotContain("unexpected");
        assertThat(err.lines()).hasSize(1);
        assertThat(err).contains("--accept-loss");
        assertThat(into.resolve("TERRACE")).doesNotExist();
        assertThat(run("restore", "--config", config.toString(), "--into", into.toString(), "--accept-loss"))
                .isNotZero();
        assertThat(err).contains("nothing is whole").contains(lost.getFileName().toString());
        assertThat(err.lines()).hasSize(1);
    }

    @Test
    @Tag("F51")
    void withConsentTheNewestWholeStateIsRestoredAndWhatIsLostIsSaid() throws Exception {
        put("quotes", "a", "1");
        backUp();
        Set<Path> before = data();
        put("quotes", "b", "2");
        backUp();
        Set<Path> after = data();
        after.removeAll(before);
        Path lost = after.stream()
                .max(Comparator.comparingLong(file -> file.toFile().length()))
                .orElseThrow();
        Files.delete(lost);
        Path into = temp.resolve("into");
        assertThat(run("restore", "--config", config.toString(), "--into", into.toString()))
                .isEqualTo(ExitCodes.FAILED);
        JsonNode done =
                json("restore", "--config", config.toString(), "--into", into.toString(), "--accept-loss", "--json");
        assertThat(done.path("lost")).hasSize(1);
        assertThat(done.path("lost").path(0).asText())
                .contains(lost.getFileName().toString());
        assertThat(get(into, "quotes", "a")).isEqualTo("1");
        assertThat(get(into, "quotes", "b")).isNull();
    }

    private Set<Path> data() throws IOException {
        try (var tree = Files.walk(temp.resolve("repository"))) {
            return tree.filter(file -> file.toString().contains("/data/") && Files.isRegularFile(file))
                    .collect(Collectors.toCollection(HashSet::new));
        }
    }
}
