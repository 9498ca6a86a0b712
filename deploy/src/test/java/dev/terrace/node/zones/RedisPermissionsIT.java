package dev.terrace.node.zones;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.ReadResult;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.WriteOptions;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.CoherenceStatus;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The Redis user that the documents describe may do everything that a node does, and nothing in the description is of no use. What
 * a node does is taken from the servers' own statistics and from their list of refusals.
 */
@Tag("F24")
class RedisPermissionsIT {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final Pattern CALLED = Pattern.compile("cmdstat_([^:]+):calls=(\\d+),.*rejected_calls=(\\d+)");

    private static final Pattern REFUSED = Pattern.compile("object\\s+\\$\\d+\\s+(\\S+)");

    /** A key and a command that Redisson tries when it connects, to find out what the server can; it lives with a refusal. */
    private static final Set<String> OF_REDISSON = Set.of("test1", "pubsub");

    /** Done by this test, and by servers among themselves. */
    private static final Set<String> NOT_OURS =
            Set.of("acl|setuser", "acl|log", "config|resetstat", "psync", "replconf", "cluster|myid", "cluster|info");

    /** Used where this test does not go: a database other than 0, slots on their way, leases before loads. */
    private static final Set<String> ELSEWHERE = Set.of("select", "asking", "readonly", "time");

    @TempDir
    Path folder;

    private final List<AutoCloseable> opened = new ArrayList<>();
    private final List<RedisProcess> servers = new ArrayList<>();
    private final Set<String> called = new TreeSet<>();

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size(); i-- > 0; ) {
            opened.get(i).close();
        }
    }

    /** The rules behind the password, as {@code docs/settings.md} has them. */
    private static List<String> documented() throws IOException {
        String text = Files.readString(Path.of("../docs/settings.md"));
        Matcher block =
                Pattern.compile("ACL SETUSER terrace on >PASSWORD ([^`]+)").matcher(text);
        assertThat(block.find()).isTrue();
        return Arrays.stream(block.group(1).replace("\\\n", " ").trim().split("\\s+"))
                .toList();
    }

    private RedisProcess server(RedisProcess server) {
        opened.add(server);
        servers.add(server);
        return server;
    }

    private void permit(RedisProcess server) throws IOException {
        List<String> words = new ArrayList<>(List.of("ACL", "SETUSER", "app", "reset", "on", ">secret"));
        words.addAll(documented());
        assertThat(server.command(words.toArray(String[]::new))).startsWith("+OK");
        server.command("CONFIG", "RESETSTAT");
    }

    private CacheCoordinator open(String l2) throws IOException {
        for (RedisProcess server : servers) {
            permit(server);
        }
        Path file = Files.writeString(
                folder.resolve("settings.yaml"), """
                distributed_cache:
                  distributed_cache:
                    enabled: true
                    timeout: 1500ms
                    username: app
                    password: secret
                    compare: {interval: 1s}
                %s
                  backplane: {external_writers: true}
                  caches:
                    accounts: {replication: quorum, consistency: strict}
                    ledger: {replication: sync, consistency: bounded, staleness_bound: 2s}
                """.formatted(l2.indent(4).stripTrailing()));
        CacheCoordinator node = CacheCoordinator.open(file);
        opened.add(node);
        return node;
    }

    private static String addresses(List<RedisProcess> of) {
        return of.stream().map(server -> "\"127.0.0.1:" + server.port() + "\"").collect(Collectors.joining(", "));
    }

    private static void work(CacheCoordinator node) {
        Cache<String, String> plain = node.cache("acme/plain", Codecs.stringKey(), Codecs.string());
        Cache<String, String> accounts = node.cache("accounts", Codecs.stringKey(), Codecs.string());
        Cache<String, String> ledger = node.cache("ledger", Codecs.stringKey(), Codecs.string());
        await().atMost(PATIENCE)
                .until(() -> node.tiers().stream().allMatch(tier -> tier.state() == TierStatus.State.READY));
        await().atMost(PATIENCE)
                .ignoreExceptionsInstanceOf(ReplicationException.class)
                .until(() -> ledger.put("k", "v").missed().isEmpty()
                        && accounts.put("k", "v").announced());
        plain.put("a", "1", WriteOptions.DEFAULTS.withTags("t"));
        plain.putAll(Map.of("b", "1", "c", "1"));
        assertThat(plain.getAll(List.of("b", "c", "d"))).hasSize(2);
        ReadResult<String> read = accounts.read("k", ReplicationMode.QUORUM);
        assertThat(accounts.replace("k", read.version(), "w").applied()).isTrue();
        assertThat(plain.putIfAbsent("new", "v").applied()).isTrue();
        assertThat(plain.increment("n", 2)).isEqualTo(2);
        assertThat(plain.get("loaded", key -> "l")).isEqualTo("l");
        assertThat(plain.explain("a").decision()).isNotEmpty();
        plain.invalidateTags(Set.of("t"));
        assertThat(plain.get("a")).isNull();
        accounts.invalidate("k");
        plain.clear();
        assertThat(plain.get("b")).isNull();
        assertThat(node.clearNamespace("acme").applied()).isTrue();
        await().atMost(PATIENCE).untilAsserted(() -> {
            CoherenceStatus status = node.coherence();
            assertThat(status).isNotNull();
            assertThat(status.trusted()).as(status.line()).isTrue();
            assertThat(status.channels()).allMatch(channel -> channel.trouble().isEmpty());
            assertThat(node.externalWriters()).allMatch(watch -> watch.trouble().isEmpty());
        });
    }

    /** Nothing was refused; what was called is remembered. */
    private void look() throws IOException {
        Set<String> permitted = new HashSet<>(documented());
        for (RedisProcess server : servers) {
            assertThat(REFUSED.matcher(server.command("ACL", "LOG")).results().map(found -> found.group(1)))
                    .as("refused by %s", server.port())
                    .allMatch(OF_REDISSON::contains);
            Matcher line = CALLED.matcher(server.command("INFO", "commandstats"));
            while (line.find()) {
                if (!NOT_OURS.contains(line.group(1)) && !line.group(2).equals("0")) {
                    called.add(line.group(1));
                }
            }
        }
        if (servers.get(0).version().startsWith("6.")) {
            return; // tells commands without their second words
        }
        assertThat(called.stream().filter(command -> !command.equals("auth")))
                .allMatch(command -> permitted.contains("+" + command), "is permitted");
    }

    @Test
    void whatIsDocumentedIsEnoughAndNotTooMuch() throws Exception {
        RedisProcess primary = server(RedisProcess.start());
        server(RedisProcess.start("--replicaof", "127.0.0.1", Integer.toString(primary.port())));
        await().atMost(PATIENCE)
                .until(() -> primary.command("INFO", "replication").contains("state=online"));
        work(open("cluster_nodes: [" + addresses(servers.subList(0, 1)) + "]"));
        await().atMost(PATIENCE).untilAsserted(() -> {
            look();
            assertThat(called).as("space is given back").contains("unlink");
        });
        closeAll();

        for (int i = 0; i < 3; i++) {
            server(RedisProcess.start());
        }
        CacheCoordinator node = open("""
                replication_factor: 3
                zones:
                  - {name: a, nodes: [%s]}
                  - {name: b, nodes: [%s]}
                  - {name: c, nodes: [%s]}
                """.formatted(
                addresses(servers.subList(0, 1)), addresses(servers.subList(1, 2)), addresses(servers.subList(2, 3))));
        work(node);
        servers.get(0).restartEmpty();
        permit(servers.get(0));
        await().atMost(PATIENCE)
                .until(() -> String.valueOf(node.metrics()
                                .getGauges()
                                .get("replication.zone.a.standing")
                                .getValue())
                        .equals("MEMBER"));
        servers.get(0).command("ACL", "LOG", "RESET");
        work(node);
        look();
        closeAll();

        RedisClusterProcesses cluster = RedisClusterProcesses.start(3);
        opened.add(cluster);
        servers.addAll(cluster.nodes());
        work(open("topology: cluster\ncluster_nodes: [" + addresses(servers) + "]"));
        look();

        Set<String> unused = documented().stream()
                .filter(rule -> rule.startsWith("+"))
                .map(rule -> rule.substring(1))
                .filter(command -> !called.contains(command) && !ELSEWHERE.contains(command))
                .collect(Collectors.toCollection(TreeSet::new));
        if (!servers.get(0).version().startsWith("6.")) {
            assertThat(unused)
                    .as("documented and never called; called: %s", called)
                    .isEmpty();
        }
    }

    private void closeAll() throws Exception {
        close();
        opened.clear();
        servers.clear();
    }
}
