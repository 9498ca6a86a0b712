package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.http.HttpNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Every command of {@code docs/cli.md} about keys. */
class KeysCommandIT extends Commands {
    @TempDir
    Path folder;

    private Path config;

    @BeforeEach
    void settings() throws IOException {
        config = folder.resolve("terrace.yaml");
        Files.writeString(folder.resolve("kek"), "ab".repeat(32));
        write("key_service: file, key_name: \"" + folder.resolve("kek") + "\"");
    }

    private void write(String key) throws IOException {
        Files.writeString(
                config,
                "distributed_cache:\n"
                        + "  local_cache: {enabled: false}\n"
                        + "  distributed_cache: {enabled: false}\n"
                        + "  backup_storage: {enabled: true, path: \"" + folder.resolve("l3")
                        + "\", encryption: true, " + key + "}\n"
                        + "  server: {port: 0}\n");
    }

    private int keys(String... args) {
        String[] all = new String[args.length + 3];
        all[0] = "keys";
        System.arraycopy(args, 0, all, 1, args.length);
        all[args.length + 1] = "--config";
        all[args.length + 2] = config.toString();
        return run(all);
    }

    @Test
    @Tag("F56")
    void theLifeOfTheKeysOfAFolder() throws IOException {
        assertThat(keys("list")).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("no L3 folder");
        assertThat(keys("init")).isZero();
        assertThat(out).contains("locked by key service file", "public key ");
        assertThat(keys("init")).isEqualTo(ExitCodes.USAGE);
        assertThat(keys("destroy", "1", "--confirm", "destroy epoch 1")).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("epoch 1 is in use");
        assertThat(keys("rotate")).isZero();
        assertThat(keys("rotate", "--signing", "--json")).isZero();
        assertThat(NodeClient.JSON.readTree(out).path("keys")).hasSize(5);
        assertThat(keys("destroy", "1", "--confirm", "yes")).isEqualTo(ExitCodes.FAILED);
        assertThat(err).contains("nothing was changed").contains("destroy epoch 1");
        assertThat(keys("destroy", "1", "--confirm", "destroy epoch 1")).isZero();
        assertThat(out).contains("destroyed");
        Path words = Files.writeString(folder.resolve("new.txt"), "new words\n");
        assertThat(keys("rewrap")).isEqualTo(ExitCodes.USAGE);
        assertThat(keys("rewrap", "--new-passphrase-file", words.toString())).isZero();
        assertThat(keys("list")).isEqualTo(ExitCodes.USAGE);
        assertThat(err).contains("locked by a passphrase");
        write("passphrase: \"new words\"");
        assertThat(keys("list")).isZero();
        assertThat(out).contains("locked by passphrase");
    }

    @Test
    void aRecipientIsMadeOnce() throws IOException {
        Path words = Files.writeString(folder.resolve("words.txt"), "offline\n");
        String file = folder.resolve("offline.key").toString();
        assertThat(run("keys", "recipient", "--out", file, "--passphrase-file", words.toString()))
                .isZero();
        assertThat(out).startsWith("terrace-recipient-1:").doesNotContain("offline");
        assertThat(err).contains(file);
        assertThat(run("keys", "recipient", "--out", file, "--passphrase-file", words.toString()))
                .isEqualTo(ExitCodes.USAGE);
        assertThat(run("keys")).isEqualTo(ExitCodes.USAGE);
    }

    @Test
    @Tag("F56")
    void aRunningNodeRotatesWithoutARestartAndKeepsItsFolder() throws IOException {
        Settings settings = SettingsLoader.read(config, Map.of()).settings();
        try (CacheCoordinator coordinator = CacheCoordinator.open(settings);
                HttpNode node = new HttpNode(coordinator, settings.server(), null)) {
            node.start();
            String url = "http://127.0.0.1:" + node.port();
            assertThat(run("keys", "rotate", "--url", url)).isZero();
            assertThat(run("keys", "list", "--json", "--url", url)).isZero();
            assertThat(NodeClient.JSON.readTree(out).path("keys").findValuesAsText("state"))
                    .contains("retired", "active");
            assertThat(keys("rotate")).isEqualTo(ExitCodes.USAGE);
            assertThat(err).contains("in use");
        }
        assertThat(keys("list")).isZero();
        assertThat(out).contains("retired");
    }
}
