package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class WarningsTest {
    private static List<Problem> warnings(String yaml) {
        return SettingsLoader.parse(yaml, "warnings.yaml", Map.of()).warnings();
    }

    @Test
    void defaultsHaveNone() {
        assertThat(warnings("")).isEmpty();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{distributed_cache: {enabled: true, cluster_nodes: [a:1, b:1], replication_factor: 2, consistency_level: quorum}}"
                        + "|distributed_cache.replication_factor|a majority of 2 is 2; use 3",
                "{distributed_cache: {enabled: true, cluster_nodes: [a:1, b:1], replication_factor: 2}, caches: {x: {replication: quorum}}}"
                        + "|distributed_cache.replication_factor|a majority of 2 is 2; use 3",
                "{distributed_cache: {enabled: true, zones: [{name: a, nodes: a:1}, {name: b, nodes: b:1}]}}"
                        + "|distributed_cache.replication_factor|each key is in one zone only",
                "{distributed_cache: {enabled: true, compare: {interval: 1h}}}|distributed_cache.compare.interval|a delete that a zone missed",
                "{distributed_cache: {enabled: true, wait_for_disk: true, zones: [{name: a, nodes: a:1}, {name: b, nodes: b:1}]}}"
                        + "|distributed_cache.wait_for_disk|has no effect over several zones",
                "{distributed_cache: {enabled: true, wait_for_disk: true}}|distributed_cache.wait_for_disk|wants a timeout of 2s",
                "{backplane: {enabled: false, group: {enabled: true, members: a:1}}}|backplane.group.enabled|has no effect while",
                "{backplane: {group: {secret: short}}}|backplane.group.secret|is easy to guess",
                "{distributed_cache: {topology: standalone, cluster_nodes: [a:1, b:1]}}|distributed_cache.cluster_nodes|the first only",
                "{backup_storage: {enabled: true}}|backup_storage.encryption|values stand in clear on disk",
                "{backup_storage: {keystore: k}}|backup_storage.encryption|leaves passphrase and keystore unused",
                "{local_cache: {capacity: 100000000}}|local_cache.capacity|max_memory_mb leaves 1 bytes per entry",
                "{local_cache: {ttl: 1h}, distributed_cache: {enabled: true}}|local_cache.ttl|is longer than distributed_cache.ttl",
                "{backup_storage: {enabled: true, retention: 5m}, distributed_cache: {enabled: true}}"
                        + "|backup_storage.retention|is shorter than distributed_cache.ttl",
                "{classes: [{pattern: '*', class: a}, {pattern: 'x*', class: b}]}|classes[1]|matches nothing",
                "{classes: [{pattern: 'x*', class: a}, {pattern: 'x*', class: b}]}|classes[1]|matches nothing",
                "{server: {token: short}}|server.token|is easy to guess",
                "{local_cache: {enabled: false}, distributed_cache: {enabled: true}, caches: {q: {near_cache: {}}}}"
                        + "|caches.q.near_cache|has no effect without local_cache",
                "{local_cache: {enabled: false}}||has every tier disabled"
            })
    void whatIsAllowedButDoubtfulIsSaidWithItsLine(String yaml, String path, String words) {
        String whole = "# a comment\ndistributed_cache: " + yaml;
        String where = SettingsLoader.ROOT + (path == null ? "" : "." + path);
        assertThat(warnings(whole)).anySatisfy(warning -> {
            assertThat(warning.path()).isEqualTo(where);
            assertThat(warning.toString()).contains(words);
            assertThat(warning.line()).isEqualTo(2);
        });
    }

    @Test
    void threeZonesWithAMajorityHaveNone() {
        assertThat(warnings("""
                distributed_cache:
                  distributed_cache:
                    enabled: true
                    zones: [{name: a, nodes: a:1}, {name: b, nodes: b:1}, {name: c, nodes: c:1}]
                    replication_factor: 3
                    consistency_level: quorum
                """)).isEmpty();
    }

    @Test
    void aTokenIsMaskedInItsWarning() {
        assertThat(warnings("distributed_cache: {server: {token: short}}").toString())
                .doesNotContain("short");
    }
}
