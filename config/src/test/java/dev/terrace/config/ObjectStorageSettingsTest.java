package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ObjectStorageSettingsTest {
    private static final Map<String, String> ENVIRONMENT = Map.of("KEY", "canary-key", "URL", "s3://u:canary@b/p");

    private static String yaml(String rest) {
        return "distributed_cache: {backup_storage: {enabled: true, " + rest + "}}";
    }

    private static LoadedSettings load(String rest) {
        return SettingsLoader.parse(yaml(rest), "test.yaml", ENVIRONMENT);
    }

    private static ObjectStorageSettings storage(String rest) {
        return Objects.requireNonNull(load(rest).settings().backupStorage().objectStorage());
    }

    @Test
    void isAbsentUnlessNamed() {
        assertThat(load("durable: false").settings().backupStorage().objectStorage())
                .isNull();
    }

    @Test
    void aUrlIsEnough() {
        assertThat(storage("backend: s3, object_storage: {url: 's3://bucket/some/prefix'}"))
                .isEqualTo(ObjectStorageSettings.of(URI.create("s3://bucket/some/prefix")));
        assertThat(storage("object_storage: {url: 'file:/mnt/backups'}"))
                .isEqualTo(ObjectStorageSettings.of(URI.create("file:/mnt/backups")));
        assertThat(storage("object_storage: {url: 'file:///mnt/backups'}").isBucket())
                .isFalse();
    }

    @Test
    void gcsPresetsTheEndpoint() {
        ObjectStorageSettings google = storage(
                "backend: gcs, object_storage: {url: 's3://bucket', credentials: static, access_key: a, secret_key: b}");
        assertThat(google.endpoint()).isEqualTo(URI.create("https://storage.googleapis.com"));
        assertThat(google.region()).isEqualTo("auto");
        assertThat(storage("backend: gcs, object_storage: {url: 's3://bucket', endpoint: 'https://proxy.example'}")
                        .endpoint())
                .isEqualTo(URI.create("https://proxy.example"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "backend: s3 | needs object_storage.url",
                "backend: gcs | needs object_storage.url",
                "object_storage: {} | is needed: file:/folder or s3://bucket/prefix",
                "object_storage: {url: 's3://b'} | is a bucket: set backup_storage.backend",
                "backend: s3, object_storage: {url: 'file:/x'} | is a folder: set backup_storage.backend",
                "object_storage: {url: 'http://b'} | must be file:/folder or s3://bucket/prefix",
                "object_storage: {url: 'file:x'} | must be file:/folder or s3://bucket/prefix",
                "object_storage: {url: 'file://host/x'} | must be file:/folder or s3://bucket/prefix",
                "object_storage: {url: '/x'} | must be file:/folder or s3://bucket/prefix",
                "object_storage: {url: 's3://b/p?q'} | must be file:/folder or s3://bucket/prefix",
                "backend: s3, object_storage: {url: 's3://b', endpoint: 'ftp://x'} | must be http:// or https://",
                "backend: s3, object_storage: {url: 's3://b', credentials: static} | needs access_key and secret_key",
                "backend: s3, object_storage: {url: 's3://b', secret_key: x} | is only for credentials static",
                "backend: s3, object_storage: {url: 's3://b', profile: x} | is only for credentials profile",
                "backend: s3, object_storage: {url: 's3://b', kms_key: x} | is only for encryption kms",
                "backend: s3, object_storage: {url: 's3://b/p', anchor: 's3://b/p/q'} | must be apart from url",
                "backend: s3, object_storage: {url: 's3://b/p/q', anchor: 's3://b/p/'} | must be apart from url",
                "path: /x/y, object_storage: {url: 'file:/x/y/z'} | must be a folder apart from backup_storage.path",
                "path: /x/y, object_storage: {url: 'file:/x'} | must be a folder apart from backup_storage.path",
            })
    @Tag("F72")
    void contradictionsAreProblems(String rest, String message) {
        assertThat(refused(rest)).contains(message);
    }

    @Test
    void secretsAreNeverShown() {
        LoadedSettings loaded = load(
                "backend: s3, object_storage: {url: 's3://b', credentials: static, access_key: '${KEY}', secret_key: '${KEY}'}");
        assertThat(loaded.settings() + EffectiveSettings.yaml(loaded)).doesNotContain("canary");
        assertThat(refused("backend: s3, object_storage: {url: '${URL}'}")).doesNotContain("canary");
        assertThat(
                        refused(
                                "backend: s3, object_storage: {url: 's3://b', endpoint: 'https://u:canary@h', secret_key: '${KEY}'}"))
                .doesNotContain("canary");
    }

    @Test
    void whatHasNoEffectIsAWarning() {
        assertThat(warnings("object_storage: {url: 'file:/x', region: eu}")).contains("is for buckets");
        assertThat(warnings("backend: s3, object_storage: {url: 's3://b', endpoint: 'http://far.example'}"))
                .contains("is not https");
        assertThat(warnings("backend: s3, object_storage: {url: 's3://b', endpoint: 'http://127.0.0.1:9000'}"))
                .doesNotContain("is not https");
        List<Problem> off = SettingsLoader.parse(
                        "distributed_cache: {backup_storage: {object_storage: {url: 'file:/x'}}}", "t", Map.of())
                .warnings();
        assertThat(off.toString()).contains("has no effect while backup_storage.enabled is false");
    }

    private static String warnings(String rest) {
        return load(rest).warnings().toString();
    }

    private static String refused(String rest) {
        InvalidSettingsException refused = catchThrowableOfType(InvalidSettingsException.class, () -> load(rest));
        assertThat(refused).as(rest).isNotNull();
        return refused.getMessage();
    }
}
