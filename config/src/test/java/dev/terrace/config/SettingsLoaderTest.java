package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class SettingsLoaderTest {
    /** The schema that users already have; it must load as it is. */
    private static final String SCHEMA = """
            distributed_cache:
              local_cache:       {enabled: true, capacity: 10000, max_memory_mb: 100, ttl: "5m", eviction_policy: "lru"}
              distributed_cache: {enabled: true, backend: "redis", cluster_nodes: ["redis-1:6379", "redis-2:6379", "redis-3:6379"],
                                  replication_factor: 2, consistency_level: "quorum", ttl: "30m"}
              backup_storage:    {enabled: true, backend: "filesystem", path: "/var/cache/backup", compression: true, encryption: false, retention: "24h"}   # or s3, gcs
              circuit_breaker:   {enabled: true, failure_threshold: 5, timeout: "30s", reset_timeout: "60s"}
              failover:          {strategy: "graceful_degradation", fallback_to_local: true, readonly_mode_timeout: "5m", direct_request_timeout: "10s"}
            """;

    private static LoadedSettings parse(String yaml) {
        return SettingsLoader.parse(yaml, "test.yaml", Map.of("PASSWORD", "s3cret-canary"));
    }

    private static InvalidSettingsException refused(String yaml) {
        return catchThrowableOfType(InvalidSettingsException.class, () -> parse(yaml));
    }

    @Test
    void theSchemaOfExistingUsersLoadsAsItIs() {
        LoadedSettings loaded = parse(SCHEMA);
        Settings settings = loaded.settings();
        assertThat(settings.localCache().capacity()).isEqualTo(10_000);
        assertThat(settings.localCache().ttl()).isEqualTo(Duration.ofMinutes(5));
        assertThat(settings.distributedCache().clusterNodes()).hasSize(3);
        assertThat(settings.distributedCache().consistencyLevel())
                .isEqualTo(DistributedCacheSettings.ConsistencyLevel.QUORUM);
        assertThat(settings.backupStorage().retention()).isEqualTo(Duration.ofHours(24));
        assertThat(settings.circuitBreaker().resetTimeout()).isEqualTo(Duration.ofSeconds(60));
        assertThat(settings.failover().directRequestTimeout()).isEqualTo(Duration.ofSeconds(10));
        assertThat(loaded.warnings()).anyMatch(warning -> warning.message().contains("a majority of 2 is 2"));
    }

    @Test
    void anEmptyFileMeansTheDefaults() {
        assertThat(parse("").settings()).isEqualTo(Settings.defaults());
        assertThat(parse("distributed_cache:\n").settings()).isEqualTo(Settings.defaults());
    }

    @Test
    @Tag("F72")
    void everyProblemIsReportedAtOnceWithLineAndWayOut() {
        InvalidSettingsException refused = refused("""
                distributed_cache:
                  local_cache:
                    capcity: 10
                    ttl: 5 parsecs
                    eviction_policy: lruu
                  distributed_cache:
                    cluster_nodes: [nonsense]
                    replication_factor: 0
                  sevrer: {port: 1}
                """);
        assertThat(refused.problems()).hasSize(6);
        assertThat(refused)
                .hasMessageContaining("test.yaml:3: distributed_cache.local_cache.capcity")
                .hasMessageContaining("did you mean 'capacity'?")
                .hasMessageContaining("'5 parsecs' must be a duration such as 250ms")
                .hasMessageContaining("must be one of lru, lfu, w_tinylfu, s3_fifo, adaptive; did you mean 'lru'?")
                .hasMessageContaining("'nonsense' must be host:port")
                .hasMessageContaining("'0' must be a whole number from 1 to 16")
                .hasMessageContaining("did you mean 'server'?");
    }

    @Test
    void secretsComeFromTheEnvironmentAndAreNeverShown() {
        LoadedSettings loaded = parse("""
                distributed_cache:
                  distributed_cache: {enabled: true, cluster_nodes: ["r:1"], password: "${PASSWORD}"}
                """);
        assertThat(loaded.settings().distributedCache().password()).isEqualTo(new Secret("s3cret-canary"));
        assertThat(loaded.settings().toString()).doesNotContain("s3cret");
        assertThat(EffectiveSettings.yaml(loaded))
                .contains("password: \"****\"")
                .doesNotContain("s3cret");
        assertThat(refused("distributed_cache: {distributed_cache: {password: \"${NOT_SET}\"}}"))
                .hasMessageContaining("NOT_SET");
    }

    @Test
    void theEffectiveSettingsCanBeReadAgain() {
        LoadedSettings loaded = parse(SCHEMA.replace(
                "failover:",
                "caches: {\"a b\": {ttl: 1h30m, durable: true}}\n"
                        + "  classes: [{pattern: \"user:*\", class: hot, ttl: 90s}]\n"
                        + "  failover:"));
        String yaml = EffectiveSettings.yaml(loaded);
        assertThat(parse(yaml).settings()).isEqualTo(loaded.settings());
        assertThat(yaml).contains("capacity: 10000\n").contains("timeout: \"250ms\"   # default");
    }

    @Test
    void contradictionsAreProblems() {
        assertThat(refused("distributed_cache: {server: {host: 0.0.0.0}}")).hasMessageContaining("demands a token");
        assertThat(refused("distributed_cache: {backup_storage: {encryption: true}}"))
                .hasMessageContaining("needs a key");
        assertThat(refused("distributed_cache: {limits: {tombstone_retention: 5s}}"))
                .hasMessageContaining("must be longer than loading.timeout");
        assertThat(refused("distributed_cache: {distributed_cache: {replication_factor: 2}}"))
                .hasMessageContaining("more than the 1 cluster_nodes");
        assertThat(refused("distributed_cache: {backup_storage: {backend: s3}}"))
                .hasMessageContaining("needs object_storage.url");
    }

    @Test
    void whatIsNotYamlIsSaidWithItsLine() {
        assertThat(refused("distributed_cache:\n  a: [1,\n  b: }")).hasMessageContaining("is not YAML");
        assertThat(refused("- 1\n- 2")).hasMessageContaining("must be a mapping");
        assertThat(refused("distributed_cache: {local_cache: {ttl: 1s, ttl: 2s}}"))
                .hasMessageContaining("is written twice");
    }

    @Test
    void classesGoBeforeCachesAndCachesBeforeDefaults() {
        Policies policies = new Policies(parse("""
                distributed_cache:
                  caches: {quotes: {ttl: 30s, negative_ttl: 3s}}
                  classes:
                    - {pattern: "quotes:user:*", class: hot, ttl: 1s}
                    - {pattern: "*:big", class: blob, ttl: 2s}
                """).settings());
        assertThat(policies.of("quotes", () -> "user:7").ttl()).isEqualTo(Duration.ofSeconds(1));
        assertThat(policies.of("quotes", () -> "user:7").negativeTtl()).isEqualTo(Duration.ofSeconds(3));
        assertThat(policies.of("quotes", () -> "other").ttl()).isEqualTo(Duration.ofSeconds(30));
        assertThat(policies.of("else", () -> "a:big").className()).isEqualTo("blob");
        assertThat(policies.of("else", () -> "plain").ttl()).isEqualTo(Duration.ofMinutes(5));
    }
}
