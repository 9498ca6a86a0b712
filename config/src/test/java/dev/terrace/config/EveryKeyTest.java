package dev.terrace.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class EveryKeyTest {
    static final String RECIPIENT = "terrace-recipient-1:" + "a".repeat(1622);
    private static final Map<String, String> ENVIRONMENT =
            Map.of("PASSWORD", "canary-from-environment", "RECIPIENT", RECIPIENT);
    private static final Path DOCUMENT = Path.of("..", "docs", "settings.md");
    private static final String TOO_LONG = "99999d";

    static String everyKey() throws IOException {
        try (InputStream in = Objects.requireNonNull(EveryKeyTest.class.getResourceAsStream("every-key.yaml"))) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    @Test
    void everyKeyReachesItsField() throws IOException {
        LoadedSettings loaded = SettingsLoader.parse(everyKey(), "every-key.yaml", ENVIRONMENT);

        Map<String, CachePolicy> caches = new LinkedHashMap<>();
        caches.put(
                "quotes",
                new CachePolicy(Duration.ofSeconds(30), Duration.ofMinutes(5), Duration.ofSeconds(10), true)
                        .withConsistency(Consistency.BOUNDED, Duration.ofMillis(200))
                        .withReplication(ConsistencyLevel.QUORUM)
                        .withCompression(false)
                        .withLocalShare(new LocalShare(20, 60))
                        .withNearCache(new NearCacheSettings(500, Duration.ofSeconds(2)))
                        .withLoading(new LoadingPolicy(
                                Duration.ofMillis(100),
                                Duration.ofSeconds(2),
                                Duration.ofSeconds(30),
                                Duration.ofSeconds(3),
                                true,
                                80,
                                10,
                                true))
                        .withWrite(new WritePolicy(
                                WritePolicy.Kind.BEHIND,
                                Duration.ofSeconds(3),
                                Duration.ofMillis(20),
                                32,
                                7,
                                Duration.ofMillis(50),
                                Duration.ofSeconds(10)))
                        .withOrigin(new OriginPolicy("market", OriginPolicy.SingleFlight.PROCESS))
                        .withFailover(new CacheFailover(CacheFailover.MaxRung.READ_ONLY, false)));
        caches.put("größe \"x\"\t", CachePolicy.INHERIT);
        assertThat(loaded.settings())
                .isEqualTo(new Settings(
                        new LocalCacheSettings(
                                false,
                                20_000,
                                1_024,
                                Duration.ofMinutes(90),
                                EvictionPolicy.LFU,
                                Duration.ofSeconds(5),
                                85,
                                Path.of("/run/cgroup"),
                                false,
                                Path.of("/var/lib/terrace/l1")),
                        new DistributedCacheSettings(
                                true,
                                "redis",
                                List.of(new HostAndPort("localhost", 6379)),
                                Topology.AUTO,
                                null,
                                2,
                                ConsistencyLevel.SYNC,
                                Duration.ofHours(2),
                                Duration.ofMillis(100),
                                Duration.ofMillis(40),
                                Duration.ofMillis(500),
                                16,
                                3,
                                "app",
                                "cache",
                                new Secret("canary-from-environment"),
                                new TlsSettings(
                                        Path.of("/etc/ca.pem"),
                                        Path.of("/etc/client.pem"),
                                        Path.of("/etc/client.key"),
                                        false),
                                new ReplicationSettings(
                                        zones(),
                                        new ReplicationSettings.Hints(5_000, Duration.ofMinutes(30)),
                                        700,
                                        new ReplicationSettings.Compare(Duration.ofMinutes(20), 300),
                                        new ReplicationSettings.Hedge(false, Duration.ofMillis(3)),
                                        ReplicationSettings.MajorityForgot.REFUSE,
                                        true)),
                        new BackupStorageSettings(
                                true,
                                BackupStorageSettings.Backend.S3,
                                Path.of("/var/lib/terrace/backup"),
                                false,
                                true,
                                Path.of("/etc/keys.bcfks"),
                                "master",
                                new Secret("pass-${phrase"),
                                Duration.ofDays(7),
                                true,
                                Duration.ofSeconds(2),
                                Duration.ofMillis(300),
                                500,
                                32,
                                null,
                                null,
                                new ObjectStorageSettings(
                                        URI.create("s3://backups/node-1"),
                                        URI.create("https://s3.example:9000"),
                                        "eu-1",
                                        true,
                                        ObjectStorageSettings.Credentials.STATIC,
                                        new Secret("canary-access-key"),
                                        new Secret("canary-from-environment"),
                                        null,
                                        "STANDARD_IA",
                                        ObjectStorageSettings.Encryption.KMS,
                                        "alias/backups",
                                        URI.create("file:/var/lib/terrace/anchor"),
                                        List.of(RECIPIENT),
                                        Duration.ofSeconds(20),
                                        4,
                                        16,
                                        50),
                                new BackupSchedule(Duration.ofSeconds(10), Duration.ofHours(2), 12, 3),
                                BackupStorageSettings.RestoreOnStart.IF_EMPTY),
                        new CircuitBreakerSettings(false, 7, Duration.ofSeconds(10), Duration.ofMinutes(1), 80),
                        new FailoverSettings(
                                FailoverSettings.Strategy.GRACEFUL_DEGRADATION,
                                false,
                                Duration.ofMinutes(1),
                                Duration.ofSeconds(3),
                                Duration.ofSeconds(9),
                                Duration.ofMillis(700)),
                        new LoadingSettings(Duration.ofSeconds(4), 8, 900),
                        new LimitSettings(
                                2_048, 65_536, Duration.ofSeconds(5), Duration.ofHours(1), Duration.ofSeconds(20)),
                        caches,
                        List.of(new CacheClass(
                                "user:*",
                                "hot",
                                new CachePolicy(Duration.ofMinutes(1), Duration.ofMinutes(2), Duration.ZERO, false)
                                        .withConsistency(Consistency.BOUNDED, Duration.ofMillis(300))
                                        .withReplication(ConsistencyLevel.ASYNC)
                                        .withLoading(new LoadingPolicy(
                                                Duration.ofMillis(50),
                                                Duration.ofSeconds(1),
                                                Duration.ZERO,
                                                Duration.ZERO,
                                                false,
                                                100,
                                                0,
                                                false))
                                        .withWrite(new WritePolicy(
                                                WritePolicy.Kind.THROUGH,
                                                Duration.ofSeconds(4),
                                                Duration.ZERO,
                                                1,
                                                1,
                                                Duration.ofMillis(1),
                                                Duration.ofMillis(1)))
                                        .withLocalShare(new LocalShare(0, 30))
                                        .withOrigin(new OriginPolicy("market", OriginPolicy.SingleFlight.FLEET)))),
                        new ServerSettings(
                                "0.0.0.0", 9090, new Secret("a-token-of-many-characters"), 16 << 20, true, "staging"),
                        new BackplaneSettings(
                                true,
                                50_000,
                                Duration.ofMillis(20),
                                Duration.ofSeconds(3),
                                true,
                                new BackplaneSettings.GroupSettings(
                                        true,
                                        "0.0.0.0",
                                        7900,
                                        List.of(new HostAndPort("n-1", 7900), new HostAndPort("n-2", 7900)),
                                        null,
                                        new Secret("a-secret-of-many-characters"))),
                        new JournalSettings(
                                Path.of("/var/lib/terrace/journal"),
                                JournalSettings.Sync.GROUP,
                                Duration.ofMillis(10),
                                5_000,
                                16,
                                100,
                                Duration.ofSeconds(2),
                                4),
                        Map.of(
                                "market",
                                new OriginSettings(
                                        24,
                                        true,
                                        Duration.ofMillis(250),
                                        200,
                                        500,
                                        20,
                                        new CircuitBreakerSettings(
                                                false, 9, Duration.ofSeconds(2), Duration.ofSeconds(3), 70))),
                        new WarmupSettings(true, 20_000, 64, Duration.ofMillis(20), 900, Duration.ofSeconds(30))));
    }

    private static List<ZoneSettings> zones() {
        return List.of(
                new ZoneSettings(
                        "eu-1",
                        List.of(new HostAndPort("s-1", 26379), new HostAndPort("::1", 26380)),
                        Topology.SENTINEL,
                        3,
                        "mymaster",
                        "zone",
                        new Secret("canary-from-environment"),
                        new TlsSettings(
                                Path.of("/etc/eu.pem"),
                                Path.of("/etc/eu-client.pem"),
                                Path.of("/etc/eu-client.key"),
                                false),
                        true,
                        ZoneSettings.State.JOINING),
                ZoneSettings.of("eu-2", Topology.AUTO, new HostAndPort("c-1", 6379), new HostAndPort("c-2", 6379)));
    }

    @Test
    void keysThatExcludeOthersReachTheirFieldsToo() {
        String yaml = """
                distributed_cache:
                  distributed_cache:
                    enabled: true
                    cluster_nodes: ["s-1:26379", "[::1]:26380"]
                    topology: sentinel
                    sentinel_master: mymaster
                  backplane: {beat: AUTO, group: {enabled: true, dns: nodes.example}}
                """;
        Settings settings =
                SettingsLoader.parse(yaml, "one-deployment.yaml", Map.of()).settings();
        DistributedCacheSettings l2 = settings.distributedCache();
        assertThat(l2.clusterNodes()).containsExactly(new HostAndPort("s-1", 26379), new HostAndPort("::1", 26380));
        assertThat(l2.topology()).isEqualTo(Topology.SENTINEL);
        assertThat(l2.sentinelMaster()).isEqualTo("mymaster");
        assertThat(settings.backplane().beat()).isNull();
        assertThat(settings.backplane().group().dns()).isEqualTo("nodes.example");
        String again = EffectiveSettings.yaml(SettingsLoader.parse(yaml, "one-deployment.yaml", Map.of()));
        assertThat(SettingsLoader.parse(again, "effective", Map.of()).settings())
                .isEqualTo(settings);
    }

    @Test
    void defaultsArePinned() {
        Map<String, Object> defaults = new LinkedHashMap<>();
        // Both are off by default and have defaults of their own once they are on.
        String tls =
                "distributed_cache: {distributed_cache: {tls: {}}, backup_storage: {object_storage: {url: 'file:/x'}}}";
        flatten(
                EffectiveSettings.tree(
                        SettingsLoader.parse(tls, "tls", Map.of()).settings()),
                "",
                defaults);
        defaults.remove(SettingsLoader.ROOT + ".backup_storage.object_storage.url");
        // The document is the pin: a changed default is a changed document.
        documented().forEach((key, row) -> {
            Object inForce = defaults.get(SettingsLoader.ROOT + "." + key);
            assertThat(inForce == null ? "-" : inForce.toString()).as(key).isEqualTo(row.preset());
        });
    }

    @Test
    void effectiveSettingsNameEveryKeyAndLoadAgain() throws IOException {
        LoadedSettings loaded = SettingsLoader.parse(everyKey(), "every-key.yaml", ENVIRONMENT);
        String yaml = EffectiveSettings.yaml(loaded);

        Map<String, Object> again = EffectiveSettings.tree(
                SettingsLoader.parse(yaml, "effective", Map.of()).settings());
        assertThat(again).isEqualTo(EffectiveSettings.tree(loaded.settings()));
        assertThat(yaml).doesNotContain("# default").doesNotContain("canary").doesNotContain("many-characters");
        assertThat(known(yaml)).isEqualTo(known(everyKey()));
    }

    @Test
    void defaultsAreMarkedAndLoadAgain() {
        LoadedSettings loaded = SettingsLoader.parse("", "empty", Map.of());
        String yaml = EffectiveSettings.yaml(loaded);

        assertThat(SettingsLoader.parse(yaml, "effective", Map.of()).settings()).isEqualTo(Settings.defaults());
        assertThat(yaml.lines().filter(line -> !line.endsWith(":")))
                .isNotEmpty()
                .allMatch(line -> line.endsWith("# default"));
    }

    @Test
    void theDocumentListsExactlyTheKeysThatAreRead() throws IOException {
        assertThat(documented().keySet()).isEqualTo(known(everyKey()));
    }

    @TestFactory
    @Tag("F72")
    Stream<DynamicTest> theDocumentStatesTheBoundsThatAreEnforced() {
        return documented().entrySet().stream()
                .filter(entry -> !List.of("any", "a mapping", "at most 256 characters")
                        .contains(entry.getValue().allowed()))
                .map(entry ->
                        DynamicTest.dynamicTest(entry.getKey(), () -> assertBound(entry.getKey(), entry.getValue())));
    }

    private static void assertBound(String key, Row row) {
        String bad = row.type().equals("duration") ? TOO_LONG : "?";
        String yaml = SettingsLoader.ROOT + ":\n";
        String indent = "  ";
        for (String part : key.split("\\.")) {
            yaml += indent + part.replace("[]", ":\n" + indent + "-").replaceAll("([^-])$", "$1:") + "\n";
            indent += "    ";
        }
        String whole = yaml.stripTrailing() + " \"" + bad + "\"\n";
        InvalidSettingsException refused = catchThrowableOfType(
                InvalidSettingsException.class, () -> SettingsLoader.parse(whole, "bad.yaml", Map.of()));
        assertThat(refused).as(whole).isNotNull();
        assertThat(refused.getMessage()).as(whole).contains(row.allowed());
    }

    private record Row(String type, String preset, String allowed) {}

    private static Map<String, Row> documented() {
        Map<String, Row> rows = new LinkedHashMap<>();
        try (Stream<String> lines = Files.lines(DOCUMENT)) {
            lines.filter(line -> line.startsWith("| `") && line.split("\\|").length == 6)
                    .map(line -> line.split("\\|"))
                    .forEach(cells -> rows.put(
                            cells[1].trim().replace("`", ""),
                            new Row(
                                    cells[2].trim(),
                                    cells[3].trim().replace("localhost:6379", "[localhost:6379]"),
                                    cells[4].trim())));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return rows;
    }

    private static Set<String> known(String yaml) {
        Set<String> known = new LinkedHashSet<>();
        for (String path : SettingsLoader.known(yaml, ENVIRONMENT)) {
            String below = path.substring(Math.min(path.length(), SettingsLoader.ROOT.length() + 1));
            String key = below.replaceAll("^caches\\.(quotes|größe \"x\"\t)", "caches.NAME")
                    .replaceAll("^origins\\.market", "origins.NAME")
                    .replaceAll("\\[\\d+]", "[]");
            if (key.contains(".") && !key.equals("caches.NAME") && !key.equals("origins.NAME")) {
                known.add(key);
            }
        }
        return known;
    }

    private static void flatten(Map<?, ?> tree, String path, Map<String, Object> into) {
        tree.forEach((key, value) -> {
            String here = path.isEmpty() ? key.toString() : path + "." + key;
            if (value instanceof Map<?, ?> child) {
                flatten(child, here, into);
            } else {
                into.put(here, value);
            }
        });
    }
}
