package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.awaitReady;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** TLS: both sides show who they are, and each refuses whom it does not know. */
class RedisTlsIT {
    @TempDir
    static Path folder;

    private static Certificates ours;
    private static Certificates strangers;
    private static Certificates.Identity server;
    private static Certificates.Identity client;

    @BeforeAll
    static void makeCertificates() {
        ours = new Certificates(folder, "ours");
        strangers = new Certificates(folder, "strangers");
        server = ours.identity("server", "ip:127.0.0.1");
        client = ours.identity("client", "dns:client.test");
    }

    /** A server with a TLS port beside its plain one. */
    private static final class Secured implements AutoCloseable {
        private final int port = RedisProcess.freePort();
        private final RedisProcess redis;

        Secured(Certificates.Identity shows) {
            redis = RedisProcess.start(
                    "--tls-port",
                    Integer.toString(port),
                    "--tls-cert-file",
                    shows.certificate().toString(),
                    "--tls-key-file",
                    shows.key().toString(),
                    "--tls-ca-cert-file",
                    ours.authority().toString(),
                    "--tls-auth-clients",
                    "yes");
        }

        /** A handshake that was refused is noticed only when nothing comes any more. */
        RedisTier openInVain(Path trusted) {
            return RedisFixture.open(
                    settings(trusted, null, true, Duration.ofSeconds(2)), InstantSource.system(), new MetricRegistry());
        }

        RedisTier open(Path trusted, Certificates.@Nullable Identity as, boolean verifyHostname) {
            return RedisFixture.open(
                    settings(trusted, as, verifyHostname), InstantSource.system(), new MetricRegistry());
        }

        DistributedCacheSettings settings(Path trusted, Certificates.@Nullable Identity as, boolean verifyHostname) {
            // Handshakes of a cold JVM on a busy machine.
            return settings(trusted, as, verifyHostname, Duration.ofSeconds(5));
        }

        private DistributedCacheSettings settings(
                Path trusted, Certificates.@Nullable Identity as, boolean verifyHostname, Duration connectTimeout) {
            return RedisFixture.settings(port)
                    .withConnectTimeout(connectTimeout)
                    .withTls(new TlsSettings(
                            trusted,
                            as == null ? null : as.certificate(),
                            as == null ? null : as.key(),
                            verifyHostname));
        }

        @Override
        public void close() {
            redis.close();
        }
    }

    private static void assertWorks(RedisTier tier) {
        awaitReady(tier);
        assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(get(tier, "a")).isInstanceOf(Lookup.Hit.class);
    }

    private static void assertRefused(RedisTier tier, String... reasons) {
        await().atMost(Duration.ofSeconds(20))
                .untilAsserted(() -> assertThat(tier.status().detail()).isNotEqualTo("connecting"));
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.CONNECTING);
        assertThat(tier.status().detail()).containsAnyOf(reasons);
        assertThat(get(tier, "a")).isInstanceOf(Lookup.Unavailable.class);
    }

    @Test
    void withCertificatesOnBothSidesItWorks() {
        try (Secured redis = new Secured(server);
                RedisTier tier = redis.open(ours.authority(), client, true)) {
            assertWorks(tier);
        }
    }

    @Test
    void aZoneSpeaksTlsToo() {
        try (Secured redis = new Secured(server);
                RedisZone zone =
                        ZoneFixture.admitted(ZoneFixture.open("a", redis.settings(ours.authority(), client, true)))) {
            assertThat(ZoneFixture.put(zone, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            assertThat(ZoneFixture.vote(zone, entry("a").key())).isInstanceOf(Lookup.Hit.class);
        }
    }

    @Test
    @Tag("F24")
    void withoutAClientCertificateItIsRefused() {
        try (Secured redis = new Secured(server);
                RedisTier tier = redis.openInVain(ours.authority())) {
            assertRefused(tier, "TLS", "closed", "reset", "Unable to connect");
            System.out.println(
                    "RedisTlsIT without a client certificate: " + tier.status().detail());
        }
    }

    @Test
    @Tag("F24")
    void aServerOfAnotherAuthorityIsRefused() {
        try (Secured redis = new Secured(server);
                RedisTier tier = redis.open(strangers.authority(), client, true)) {
            assertRefused(tier, "TLS with Redis failed (");
        }
    }

    @Test
    @Tag("F24")
    void aServerOfAnotherNameIsRefusedUnlessNamesAreNotLookedAt() {
        Certificates.Identity elsewhere = ours.identity("elsewhere", "dns:elsewhere.test");
        try (Secured redis = new Secured(elsewhere)) {
            try (RedisTier tier = redis.open(ours.authority(), client, true)) {
                assertRefused(tier, "127.0.0.1");
            }
            try (RedisTier tier = redis.open(ours.authority(), client, false)) {
                assertWorks(tier);
            }
        }
    }

    @Test
    @Tag("F24")
    void aServerWhoseCertificateExpiredIsRefused() {
        Certificates.Identity expired = ours.identity("expired", "ip:127.0.0.1", "-startdate", "-3d", "-validity", "1");
        try (Secured redis = new Secured(expired);
                RedisTier tier = redis.open(ours.authority(), client, true)) {
            assertRefused(tier, "NotAfter", "expired", "validity");
        }
    }
}
