package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SettingsTextTest {
    @TempDir
    Path temp;

    @Test
    void whatIsNotNamedStaysAsItWasWritten() throws IOException {
        Path file = Files.writeString(temp.resolve("terrace.yaml"), """
                distributed_cache:
                  distributed_cache: {enabled: true, cluster_nodes: ["a:1", "b:2"], password: "${REDIS:0123}"}
                  backup_storage: {enabled: yes, retention: 2h, encryption: on, passphrase: 0123}
                  server: {port: 9_090, token: "true"}
                """);
        SettingsText changed = SettingsText.of(file)
                .with("server.port", 0)
                .with("server.token", null)
                .with("distributed_cache.cluster_nodes", List.of("127.0.0.1:7"))
                .with("backup_storage.object_storage.url", "file:/x%20y")
                .withDefault("backup_storage.retention", "9h")
                .withDefault("backup_storage.ship_interval", "1s");
        String text = changed.toString();
        Settings settings =
                SettingsLoader.parse(text, "changed", Map.of("REDIS", "secret")).settings();
        assertThat(text).contains("${REDIS:0123}");
        assertThat(settings.server().port()).isZero();
        assertThat(settings.server().token()).isNull();
        assertThat(settings.distributedCache().password()).isEqualTo(new Secret("secret"));
        assertThat(settings.distributedCache().clusterNodes()).containsExactly(new HostAndPort("127.0.0.1", 7));
        assertThat(settings.backupStorage().passphrase()).isEqualTo(new Secret("0123"));
        assertThat(settings.backupStorage().encryption()).isTrue();
        assertThat(settings.backupStorage().retention()).hasHours(2);
        assertThat(settings.backupStorage().schedule().shipInterval()).hasSeconds(1);
        assertThat(changed.find("server.port")).isEqualTo("0");
        assertThat(changed.find("server.token")).isNull();
    }

    @Test
    void nothingIsTheDefaults() {
        assertThat(SettingsLoader.parse(SettingsText.empty().toString(), "empty", Map.of())
                        .settings())
                .isEqualTo(Settings.defaults());
    }
}
