package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands over a repository in a folder, without a node. */
class BackupCommandTest extends Commands {
    @TempDir
    Path temp;

    private Path config = Path.of("");

    /** A key in a file: what Argon2 makes of a passphrase costs a good part of a second, every time. */
    @BeforeEach
    void settings() throws IOException {
        Path key = Files.writeString(temp.resolve("kek"), "5c".repeat(32));
        write("key_service: file, key_name: '" + key + "'");
    }

    private void write(String key) throws IOException {
        config = Files.writeString(
                temp.resolve("terrace.yaml"), """
                distributed_cache:
                  distributed_cache: {enabled: false}
                  backup_storage: {enabled: true, path: '%s', encryption: true, %s,
                                   object_storage: {url: 'file:%s'}}
                """.formatted(temp.resolve("l3"), key, temp.resolve("repository")));
    }

    @Test
    void aFolderIsBackedUpListedVerifiedAndRestored() throws IOException {
        String settings = config.toString();
        assertThat(json("backup", "create", "--config", settings, "--json")
                        .path("point")
                        .asText())
                .isEqualTo("1:1");
        JsonNode list = json("backup", "list", "--config", settings, "--json");
        assertThat(list.path("writers").path(0).path("points")).hasSize(1);
        JsonNode verified = json("backup", "verify", "--config", settings, "--json");
        assertThat(verified.path("writers").path(0).path("problems")).isEmpty();
        assertThat(verified.path("writers").path(0).path("freshness").asText()).isEqualTo("unverified");
        assertThat(run("backup", "verify", "--config", settings, "--expect-generation", "9"))
                .isEqualTo(ExitCodes.FAILED);
        assertThat(out).contains("expected was 9");

        Path into = temp.resolve("into");
        assertThat(json("restore", "--config", settings, "--into", into.toString(), "--json")
                        .path("writers")
                        .asInt())
                .isEqualTo(1);
        assertThat(into.resolve("TERRACE")).exists();
        assertThat(run("restore", "--config", settings, "--into", into.toString()))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("is not empty");
        assertThat(run("restore", "--config", settings, "--as-of", "yesterday")).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("is not a time");
    }

    @Test
    @Tag("F51")
    void aLostObjectIsNamedWithWhatItHurts() throws IOException {
        String settings = config.toString();
        assertThat(run("backup", "create", "--config", settings)).as("%s", err).isZero();
        Path lost;
        try (var tree = Files.walk(temp.resolve("repository"))) {
            lost = tree.filter(file -> file.toString().contains("/data/") && Files.isRegularFile(file))
                    .findFirst()
                    .orElseThrow();
        }
        Files.delete(lost);
        assertThat(run("backup", "verify", "--config", settings)).isEqualTo(ExitCodes.FAILED);
        assertThat(out)
                .contains(lost.getFileName().toString())
                .contains("it is gone")
                .contains("hurts: 1:1");
    }

    @Test
    @Tag("F80")
    void pruningShowsWhatItWouldDoAndWantsTheTargetTypedBack() throws IOException {
        String settings = config.toString();
        for (int i = 0; i < 3; i++) {
            assertThat(run("backup", "create", "--config", settings))
                    .as("%s", err)
                    .isZero();
        }
        assertThat(run("backup", "prune", "--config", settings)).isEqualTo(ExitCodes.FAILED);
        assertThat(err).contains("keep is empty");
        JsonNode plan = json("backup", "prune", "--config", settings, "--keep-daily", "1", "--json");
        assertThat(plan.path("writers").path(0).path("dry_run").asBoolean()).isTrue();
        assertThat(plan.path("writers").path(0).path("going")).hasSizeBetween(1, 2);
        assertThat(run(
                        "backup",
                        "prune",
                        "--config",
                        settings,
                        "--keep-daily",
                        "1",
                        "--yes-delete-from",
                        "file:/elsewhere"))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("is not this repository").contains("nothing was deleted");
        JsonNode before = json("backup", "list", "--config", settings, "--json");
        assertThat(before.path("writers").path(0).path("points"))
                .as("untouched")
                .hasSize(3);
        assertThat(run(
                        "backup",
                        "prune",
                        "--config",
                        settings,
                        "--keep-daily",
                        "1",
                        "--spare-uploads",
                        "0",
                        "--yes-delete-from",
                        before.path("repository").asText()))
                .as("%s", err)
                .isZero();
        JsonNode after = json("backup", "list", "--config", settings, "--json");
        assertThat(after.path("writers").path(0).path("points")).hasSizeBetween(1, 2);
        assertThat(run("backup", "verify", "--config", settings)).as("%s", out).isZero();
    }

    @Test
    @Tag("F55")
    void aWrongPassphraseIsOneLineThatNamesTheKey() throws IOException {
        write("passphrase: correct horse");
        assertThat(run("backup", "create", "--config", config.toString())).isZero();
        Path wrong = Files.writeString(
                temp.resolve("wrong.yaml"), Files.readString(config).replace("correct horse", "wrong horse"));
        assertThat(run("backup", "list", "--config", wrong.toString())).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("wrong key").contains("key id");
        assertThat(err.lines()).hasSize(1);
    }

    @Test
    void aSealedBackupNeedsThePrivateKey() throws IOException {
        Path words = Files.writeString(temp.resolve("words"), "offline words");
        String key = temp.resolve("offline.key").toString();
        String recipient = json("keys", "recipient", "--out", key, "--passphrase-file", words.toString(), "--json")
                .path("recipient")
                .asText();
        Path sealed = Files.writeString(
                temp.resolve("sealed.yaml"),
                Files.readString(config).replace("url:", "sealed_to: ['" + recipient + "'], url:"));
        assertThat(run("backup", "create", "--config", sealed.toString()))
                .as("%s", err)
                .isZero();
        assertThat(run("backup", "verify", "--config", sealed.toString()))
                .as("%s", out)
                .isZero();
        String into = temp.resolve("into").toString();
        assertThat(run("restore", "--config", sealed.toString(), "--into", into))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("sealed to an offline key").contains("--private-key");
        assertThat(run("restore", "--config", sealed.toString(), "--into", into, "--private-key", key))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("belong together");
        assertThat(run(
                        "restore",
                        "--config",
                        sealed.toString(),
                        "--into",
                        into,
                        "--private-key",
                        key,
                        "--private-key-passphrase-file",
                        config.toString()))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("wrong passphrase");
        assertThat(run(
                        "restore",
                        "--config",
                        sealed.toString(),
                        "--into",
                        into,
                        "--private-key",
                        key,
                        "--private-key-passphrase-file",
                        words.toString()))
                .as("%s", err)
                .isZero();
        assertThat(Path.of(into).resolve("TERRACE")).exists();
    }
}
