package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.cli.Terrace;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A node over three zones tells where they stand and how far it may be trusted. */
class FleetIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    static Path folder;

    private static final List<RedisProcess> SERVERS = new ArrayList<>();
    private static CacheCoordinator coordinator;
    private static HttpNode node;
    private static Path file;

    @BeforeAll
    static void start() throws IOException {
        for (int i = 0; i < 3; i++) {
            SERVERS.add(RedisProcess.start());
        }
        file = Files.writeString(folder.resolve("terrace.yaml"), """
                distributed_cache:
                  distributed_cache:
                    enabled: true
                    timeout: 500ms
                    replication_factor: 3
                    zones:
                      - {name: north, nodes: ["127.0.0.1:%d"]}
                      - {name: east, nodes: ["127.0.0.1:%d"]}
                      - {name: west, nodes: ["127.0.0.1:%d"]}
                  caches:
                    accounts: {replication: quorum, consistency: bounded, staleness_bound: 2s}
                    ledger: {replication: sync}
                  server: {port: 0}
                """.formatted(
                SERVERS.get(0).port(), SERVERS.get(1).port(), SERVERS.get(2).port()));
        Settings settings = SettingsLoader.read(file, Map.of()).settings();
        coordinator = CacheCoordinator.open(settings);
        node = new HttpNode(coordinator, settings.server(), null);
        node.start();
        await().atMost(PATIENCE).until(() -> states().equals(List.of("member", "member", "member")));
    }

    @AfterAll
    static void stop() {
        node.close();
        coordinator.close();
        SERVERS.forEach(RedisProcess::close);
    }

    private static HttpResponse<String> send(String method, String path, String body) {
        try {
            return CLIENT.send(
                    HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + node.port() + path))
                            .timeout(PATIENCE)
                            .method(method, HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    private static JsonNode json(HttpResponse<String> response) {
        try {
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new AssertionError(response.body(), e);
        }
    }

    private static List<String> states() {
        List<String> states = new ArrayList<>();
        json(send("GET", "/zones", ""))
                .path("zones")
                .forEach(zone -> states.add(zone.path("state").asText()));
        return states;
    }

    private record Said(int exitCode, String out, String err) {}

    private static Said terrace(String... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Terrace.commandLine();
        line.setOut(new PrintWriter(out));
        line.setErr(new PrintWriter(err));
        return new Said(line.execute(arguments), out.toString(), err.toString());
    }

    private static String url() {
        return "http://127.0.0.1:" + node.port();
    }

    @Test
    void aReceiptNamesTheZonesThatHaveTheWrite() {
        HttpResponse<String> put = send("PUT", "/v1/caches/accounts/entries/k", "v");
        assertThat(put.statusCode()).isEqualTo(200);
        JsonNode receipt = json(put);
        assertThat(receipt.path("announced").asBoolean()).isTrue();
        assertThat(receipt.path("durable").asBoolean()).isFalse();
        JsonNode acks = receipt.path("acknowledgements");
        assertThat(acks.path("mode").asText()).isEqualTo("quorum");
        assertThat(acks.path("required").asInt()).isEqualTo(2);
        assertThat(acks.path("zones").size()).isGreaterThanOrEqualTo(2);
        assertThat(json(send("DELETE", "/v1/caches/accounts/entries/k", ""))
                        .path("acknowledgements")
                        .path("acked")
                        .asInt())
                .isGreaterThanOrEqualTo(2);
        assertThat(terrace("put", "accounts", "k", "v", "--url", url()).out()).contains("quorum by ");
    }

    @Test
    void aZoneThatIsAwayIsSeenByTheNodeAndByWhoeverAsksTheZones() {
        Said well = terrace("zones", "--url", url());
        assertThat(well.exitCode()).as(well.toString()).isZero();
        assertThat(well.out()).contains("breaker").contains("closed");
        Said asked = terrace("zones", "--config", file.toString());
        assertThat(asked.exitCode()).as(asked.toString()).isZero();
        assertThat(asked.out()).contains("north").contains("member");

        RedisProcess west = SERVERS.get(2);
        west.freeze();
        try {
            await().atMost(PATIENCE).until(() -> states().equals(List.of("member", "member", "unreachable")));
            JsonNode acks = json(send("PUT", "/v1/caches/accounts/entries/k", "without west"))
                    .path("acknowledgements");
            assertThat(acks.path("acked").asInt()).isEqualTo(2);
            assertThat(acks.path("zones").toString()).doesNotContain("west");

            HttpResponse<String> refused = send("PUT", "/v1/caches/ledger/entries/k", "all or none");
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.headers().firstValue("Retry-After")).isPresent();
            JsonNode problem = json(refused);
            assertThat(problem.path("outcome").asText()).isEqualTo("unknown");
            assertThat(problem.path("receipt").path("applied").asBoolean()).isFalse();
            assertThat(problem.path("receipt")
                            .path("acknowledgements")
                            .path("required")
                            .asInt())
                    .isEqualTo(3);

            await().atMost(PATIENCE)
                    .until(() -> json(send("GET", "/health/ready", ""))
                            .path("in_trouble")
                            .path("zone west")
                            .asText()
                            .startsWith("down: "));
            Said said = terrace("zones", "--url", url());
            assertThat(said.exitCode()).isEqualTo(1);
            assertThat(said.out()).contains("unreachable");
            assertThat(json(send("GET", "/zones", ""))
                            .path("zones")
                            .path(2)
                            .path("hints_pending")
                            .asInt())
                    .isPositive();
            assertThat(terrace("zones", "--config", file.toString(), "--json").out())
                    .contains("unreachable");
        } finally {
            west.thaw();
        }
        await().atMost(PATIENCE)
                .until(() -> json(send("GET", "/zones", ""))
                                .path("zones")
                                .path(2)
                                .path("hints_pending")
                                .asInt()
                        == 0);
    }

    private static JsonNode ok(String method, String path, String body) {
        HttpResponse<String> response = send(method, path, body);
        assertThat(response.statusCode())
                .as("%s %s: %s", method, path, response.body())
                .isEqualTo(200);
        return json(response);
    }

    private static void assertAbsent(String path) {
        assertThat(send("GET", path, "").statusCode()).as(path).isEqualTo(404);
    }

    @Test
    void aCallMayAskForMoreCopiesThanItsCacheDoes() {
        String path = "/v1/caches/plain/entries/k";
        // A busy machine may not answer within L2's timeout; such a write is kept for later, without acknowledgements.
        await().atMost(PATIENCE)
                .untilAsserted(() -> assertThat(ok("PUT", path, "v")
                                .path("acknowledgements")
                                .path("mode")
                                .asText())
                        .isEqualTo("async"));
        JsonNode acks = ok("PUT", path + "?mode=sync", "w").path("acknowledgements");
        assertThat(acks.path("mode").asText()).isEqualTo("sync");
        assertThat(acks.path("zones")).hasSize(3);
        HttpResponse<String> read = send("GET", path + "?mode=quorum", "");
        assertThat(read.body()).isEqualTo("w");
        assertThat(read.headers().firstValue("Terrace-Tier")).hasValue("L2");
        assertThat(ok("DELETE", path + "?mode=quorum", "")
                        .path("acknowledgements")
                        .path("mode")
                        .asText())
                .isEqualTo("quorum");
        assertThat(send("GET", path + "?mode=quorum", "").statusCode()).isEqualTo(404);

        assertThat(terrace("put", "plain", "k", "x", "--mode", "sync", "--url", url())
                        .out())
                .contains("sync by east north west");
        assertThat(terrace("get", "plain", "k", "--mode", "quorum", "--url", url())
                        .exitCode())
                .isZero();
        assertThat(terrace("invalidate", "plain", "k", "--mode", "sync", "--url", url())
                        .out())
                .contains("sync by");
        Said unknown = terrace("put", "plain", "k", "x", "--mode", "most", "--url", url());
        assertThat(unknown.exitCode()).isEqualTo(2);
        assertThat(unknown.err()).contains("async, quorum, sync").doesNotContain("\tat ");
    }

    @Test
    void tagsCachesAndNamespacesAreDroppedWhole() {
        String a = "/v1/caches/acme%2Ftagged/entries/a";
        String b = "/v1/caches/acme%2Ftagged/entries/b";
        String c = "/v1/caches/acme%2Ftagged/entries/c";
        ok("PUT", a + "?tags=red,round", "a");
        ok("PUT", b + "?tag=blue&tag=with%2Ccomma", "b");
        ok("PUT", c, "c");
        assertThat(ok("DELETE", "/v1/caches/acme%2Ftagged/tags/round", "")
                        .path("applied")
                        .asBoolean())
                .isTrue();
        assertAbsent(a);
        ok("GET", "/zones", "");
        assertThat(send("GET", b, "").statusCode()).isEqualTo(200);
        ok("PUT", a + "?tag=green", "a");
        ok("POST", "/invalidate", "{\"cache\": \"acme/tagged\", \"tags\": [\"green\", \"with,comma\"]}");
        assertAbsent(a);
        assertAbsent(b);
        assertThat(send("GET", c, "").body()).isEqualTo("c");
        ok("DELETE", "/v1/caches/acme%2Ftagged", "");
        assertAbsent(c);
        ok("PUT", c, "again");
        ok("DELETE", "/v1/namespaces/acme", "");
        assertAbsent(c);

        assertThat(terrace("put", "acme/tagged", "a", "v", "--tag", "t,1", "--ttl", "1h", "--url", url())
                        .exitCode())
                .isZero();
        assertThat(terrace("invalidate", "acme/tagged", "--tag", "t,1", "--url", url())
                        .out())
                .contains("invalidated 1 tags");
        assertAbsent(a);
        ok("PUT", a, "v");
        assertThat(terrace("invalidate", "--namespace", "acme", "--url", url()).out())
                .contains("namespace cleared");
        assertAbsent(a);
        assertThat(terrace("invalidate", "acme/tagged", "--namespace", "acme", "--url", url())
                        .exitCode())
                .isEqualTo(2);
    }

    @Test
    void whatACallAsksAndIsNotUnderstoodIsRefusedAndNotWeaker() {
        String path = "/v1/caches/plain/entries/refused";
        for (String query : List.of(
                "mode=most",
                "mod=sync",
                "mode=sync&mode=async",
                "ttl=soon",
                "ttl=0s",
                "durable=yes",
                "durable=true",
                "tags=a,,b",
                "tag=",
                "tag=" + "x".repeat(129),
                "tag=%FF")) {
            HttpResponse<String> refused = send("PUT", path + "?" + query, "v");
            assertThat(refused.statusCode()).as("%s: %s", query, refused.body()).isBetween(400, 413);
            assertThat(json(refused).path("detail").asText()).as(query).isNotEmpty();
        }
        assertAbsent(path);
        assertThat(send("GET", path + "?ttl=1s", "").statusCode()).isEqualTo(400);
        assertThat(send("DELETE", "/v1/caches/plain?key=a", "").statusCode()).isEqualTo(400);
        assertThat(send("DELETE", "/v1/caches/%FF", "").statusCode()).isEqualTo(400);
        assertThat(send("POST", "/invalidate", "{\"cache\": \"plain\", \"key\": \"a\", \"all\": true}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(send("DELETE", "/v1/namespaces/a%2Fb", "").statusCode()).isEqualTo(400);
    }

    @Test
    void coherenceSaysHowOldThisNodesKnowledgeIs() {
        send("PUT", "/v1/caches/accounts/entries/trust", "v");
        send("PUT", "/v1/caches/ledger/entries/trust", "v");
        await().atMost(PATIENCE).untilAsserted(() -> {
            JsonNode told = json(send("GET", "/coherence", ""));
            assertThat(told.path("channels").size()).isEqualTo(3);
            assertThat(told.path("trusted").asBoolean()).isTrue();
            assertThat(Instant.parse(told.path("trusted_since").asText())).isBeforeOrEqualTo(Instant.now());
            assertThat(told.path("heard_everything_up_to_millis_ago").isNumber())
                    .isTrue();
            JsonNode accounts = told.path("caches").path("accounts");
            assertThat(accounts.path("consistency").asText()).isEqualTo("bounded");
            assertThat(accounts.path("bound_millis").asLong()).isEqualTo(2_000);
            assertThat(accounts.path("trusted").asBoolean()).isTrue();
            assertThat(told.path("caches").path("ledger").path("bound_millis").isNull())
                    .isTrue();
            assertThat(told.path("metrics").path("notices_announced").asLong()).isPositive();
        });
    }
}
