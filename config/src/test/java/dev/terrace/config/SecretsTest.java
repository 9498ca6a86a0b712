package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("F72")
class SecretsTest {
    private static final String CANARY = "canary-s3cret";

    @TempDir
    private Path folder;

    private Path file(String content, String permissions) throws IOException {
        Path file = folder.resolve("secret");
        Files.writeString(file, content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(permissions));
        return file;
    }

    private static String withPassword(String written) {
        return "distributed_cache: {distributed_cache: {password: \"" + written + "\"}}";
    }

    private static LoadedSettings load(String yaml) {
        return SettingsLoader.parse(yaml, "secrets.yaml", Map.of("CANARY", CANARY, "EMPTY", ""));
    }

    private static String refused(String yaml) {
        InvalidSettingsException refused = catchThrowableOfType(InvalidSettingsException.class, () -> load(yaml));
        assertThat(refused).as(yaml).isNotNull();
        assertThat(refused.toString() + refused.problems()).doesNotContain(CANARY);
        return refused.getMessage();
    }

    @Test
    void aFileIsReadWithoutTheLineEndOfTheEditorAndNothingElseIsTrimmed() throws IOException {
        Path file = file(" " + CANARY + " \r\n", "rw-r-----");
        assertThat(load(withPassword("file:" + file))
                        .settings()
                        .distributedCache()
                        .password())
                .isEqualTo(new Secret(" " + CANARY + " "));
    }

    @Test
    void aFileThatEveryUserCanReadIsRefusedWithTheWayOut() throws IOException {
        Path file = file(CANARY, "rw-r--r--");
        assertThat(refused(withPassword("file:" + file))).contains("run chmod 600 " + file);
    }

    @ParameterizedTest
    @CsvSource({"'', is empty", "'\n', is empty"})
    void anEmptyFileIsRefused(String content, String words) throws IOException {
        assertThat(refused(withPassword("file:" + file(content, "rw-------")))).contains(words);
    }

    @Test
    void filesThatAreNoTextOrMuchTooLongAreRefused() throws IOException {
        Path binary = file("", "rw-------");
        Files.write(binary, new byte[] {'a', (byte) 0xFF, 'b'});
        assertThat(refused(withPassword("file:" + binary))).contains("is not UTF-8 text");
        Files.write(binary, "x".repeat(1 << 17).getBytes(StandardCharsets.UTF_8));
        assertThat(refused(withPassword("file:" + binary))).contains("of more than 65536 bytes");
    }

    @Test
    void anEmptyVariableIsNoPassword() {
        assertThat(refused(withPassword("${EMPTY}"))).contains("must not be empty");
    }

    @Test
    void whatAVariableHoldsIsNotLookedIntoAgain() {
        LoadedSettings loaded = SettingsLoader.parse(
                withPassword("${A}"), "secrets.yaml", Map.of("A", "${B}", "B", "should not be read"));
        assertThat(loaded.settings().distributedCache().password()).isEqualTo(new Secret("${B}"));
    }

    @Test
    void secretsAreShownNowhere() throws IOException {
        Path file = file(CANARY, "rw-------");
        LoadedSettings loaded = load("""
                distributed_cache:
                  distributed_cache: {enabled: true, username: me, password: "${CANARY}"}
                  backup_storage: {enabled: true, encryption: true, passphrase: "file:%s"}
                  server: {host: 0.0.0.0, token: %s}
                """.formatted(file, CANARY));

        assertThat(loaded.settings().backupStorage().passphrase()).isEqualTo(new Secret(CANARY));
        assertThat(loaded.toString()
                        + loaded.settings()
                        + loaded.warnings()
                        + EffectiveSettings.yaml(loaded)
                        + EffectiveSettings.tree(loaded.settings()))
                .doesNotContain(CANARY)
                .contains("****");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "distributed_cache: {distributed_cache: {pasword: canary-s3cret}}",
                "distributed_cache: {distributed_cache: {password: {value: canary-s3cret}}}",
                "distributed_cache: {distributed_cache: {password: !canary-s3cret x}}",
                "distributed_cache: {distributed_cache: {password: !!canary-s3cret x}}",
                "distributed_cache: {distributed_cache: {password: '*canary-s3cret}'",
                "distributed_cache: {server: {token: \"canary-s3cret${NOT_SET}\"}}",
                "distributed_cache: {server: {token: \"canary-s3cret${\"}}",
                "distributed_cache: {local_cache: {ttl: \"${CANARY}\", capacity: \"${CANARY}\", enabled: \"${CANARY}\"}}",
                "distributed_cache: {local_cache: {eviction_policy: \"${CANARY}\", max_memory_mb: \"${CANARY}\"}}",
                "distributed_cache: {limits: {max_key_bytes: \"${CANARY}\"}, server: {port: \"${CANARY}\"}}",
                "distributed_cache: {distributed_cache: {cluster_nodes: [\"${CANARY}\"], backend: \"${CANARY}\"}}",
                "distributed_cache: {distributed_cache: {cluster_nodes: [\"rediss://u:canary-s3cret@h:1\"]}}",
                "distributed_cache: {distributed_cache: {username: \"${CANARY}\"}}"
            })
    void norInWhatIsSaidAboutABrokenFile(String yaml) {
        assertThat(refused(yaml)).isNotEmpty();
    }
}
