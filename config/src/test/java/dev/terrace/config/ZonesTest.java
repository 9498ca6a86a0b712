package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.DistributedCacheSettings.Topology;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ZonesTest {
    private static DistributedCacheSettings remote(String yaml) {
        String whole = "distributed_cache: {distributed_cache: " + yaml + "}";
        return SettingsLoader.parse(whole, "zones.yaml", Map.of()).settings().distributedCache();
    }

    @Test
    void severalNodesMayBeAZoneEachNamedByTheirAddress() {
        DistributedCacheSettings l2 = remote("{enabled: true, cluster_nodes: [a:1, b:2, c:3], password: secret}");

        assertThat(l2.zonesAreGuessed()).isTrue();
        assertThat(l2.zones()).extracting(ZoneSettings::name).containsExactly("a:1", "b:2", "c:3");
        DistributedCacheSettings second = l2.ofZone(l2.zones().get(1));
        assertThat(second.clusterNodes()).containsExactly(new HostAndPort("b", 2));
        assertThat(second.topology()).isEqualTo(Topology.STANDALONE);
        assertThat(second.password()).isEqualTo(new Secret("secret"));
        assertThat(l2.ofZone(l2.oneZone()).clusterNodes()).isEqualTo(l2.clusterNodes());
        assertThat(l2.ofZone(l2.oneZone()).topology()).isEqualTo(Topology.AUTO);
    }

    @Test
    void whatTheFileSaysIsOneDeploymentIsOneZone() {
        for (String yaml : List.of(
                "{cluster_nodes: [a:1]}",
                "{cluster_nodes: [a:1, b:1], topology: cluster}",
                "{cluster_nodes: [a:1, b:1], sentinel_master: m}",
                "{cluster_nodes: [a:1, b:1], topology: standalone}")) {
            DistributedCacheSettings l2 = remote(yaml);
            assertThat(l2.zones()).as(yaml).containsExactly(l2.oneZone());
            assertThat(l2.zonesAreGuessed()).as(yaml).isFalse();
        }
    }

    @Test
    void namedZonesTakeTheCredentialsAroundThemUnlessTheyHaveTheirOwn() {
        DistributedCacheSettings l2 = remote("""
                {enabled: true, username: all, password: secret, tls: {}, replication_factor: 2,
                 zones: [{name: a, nodes: [a:1, a:2], topology: cluster},
                         {name: b, nodes: b:1, password: own, tls: {verify_hostname: false}}]}""");

        assertThat(l2.zonesAreGuessed()).isFalse();
        DistributedCacheSettings a = l2.ofZone(l2.zones().get(0));
        assertThat(a.username()).isEqualTo("all");
        assertThat(a.tls()).isEqualTo(l2.tls());
        assertThat(a.topology()).isEqualTo(Topology.CLUSTER);
        DistributedCacheSettings b = l2.ofZone(l2.zones().get(1));
        assertThat(b.username()).as("not the user of another password").isNull();
        assertThat(b.password()).isEqualTo(new Secret("own"));
        assertThat(b.tls()).extracting(tls -> tls.verifyHostname()).isEqualTo(false);
    }

    @Test
    void hintsAreForgottenBeforeTombstonesUnlessTheFileSaysWhen() {
        assertThat(remote("{}").replication().hints().window()).isEqualTo(Duration.ofMinutes(5));
        Settings patient = SettingsLoader.parse(
                        "distributed_cache: {limits: {tombstone_retention: 1d}}", "zones.yaml", Map.of())
                .settings();
        assertThat(patient.distributedCache().replication().hints().window()).isEqualTo(Duration.ofHours(1));
    }

    @Test
    void thereIsABackplaneWhenThereIsARemoteTier() {
        assertThat(backplane("{}").enabled()).isFalse();
        assertThat(backplane("{distributed_cache: {enabled: true}}").enabled()).isTrue();
        assertThat(backplane("{distributed_cache: {enabled: true}, backplane: {enabled: false}}")
                        .enabled())
                .isFalse();
        assertThat(backplane("{backplane: {group: {enabled: true, members: a:1}}}")
                        .enabled())
                .isTrue();
    }

    private static BackplaneSettings backplane(String yaml) {
        return SettingsLoader.parse("distributed_cache: " + yaml, "zones.yaml", Map.of())
                .settings()
                .backplane();
    }
}
