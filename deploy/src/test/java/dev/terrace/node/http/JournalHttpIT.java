package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpServer;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.JournalSettings;
import dev.terrace.config.ServerSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.WritePolicy;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.cli.Terrace;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.HttpOriginWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** A node before an HTTP API that it also writes to: through, and behind with a journal that people look at. */
class JournalHttpIT {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path folder;

    private final Map<String, String> values = new ConcurrentHashMap<>();
    private final Map<String, String> tokens = new ConcurrentHashMap<>();
    private volatile int refusal;
    private HttpServer origin;

    @BeforeEach
    void start() throws IOException {
        origin = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        origin.setExecutor(Executors.newCachedThreadPool());
        origin.createContext("/", exchange -> {
            String path = exchange.getRequestURI().toString();
            byte[] body = exchange.getRequestBody().readAllBytes();
            int status = 204;
            byte[] answer = new byte[0];
            if (exchange.getRequestMethod().equals("GET")) {
                String value = values.get(path);
                status = value == null ? 404 : 200;
                answer = value == null ? answer : value.getBytes(StandardCharsets.UTF_8);
            } else if (refusal != 0) {
                status = refusal;
            } else if (exchange.getRequestMethod().equals("PUT")) {
                values.put(path, new String(body, StandardCharsets.UTF_8));
                tokens.put(path, exchange.getRequestHeaders().getFirst("Idempotency-Key"));
            } else {
                values.remove(path);
            }
            exchange.sendResponseHeaders(status, answer.length == 0 ? -1 : answer.length);
            if (answer.length > 0) {
                exchange.getResponseBody().write(answer);
            }
            exchange.close();
        });
        origin.start();
    }

    @AfterEach
    void stop() {
        origin.stop(0);
    }

    /** A node that writes so. */
    private final class Node implements AutoCloseable {
        private final CacheCoordinator coordinator;
        private final HttpNode http;

        Node(WritePolicy.Kind kind) {
            Settings settings = Settings.defaults()
                    .withServer(new ServerSettings("127.0.0.1", 0, null, 2 << 20))
                    .withJournal(JournalSettings.defaults().withPath(folder.resolve("journal")))
                    .withCaches(Map.of(
                            OriginEndpoints.CACHE,
                            CachePolicy.INHERIT.withWrite(WritePolicy.defaults()
                                    .withPolicy(kind)
                                    .withRetries(3, Duration.ofMillis(5), Duration.ofMillis(10)))));
            coordinator = CacheCoordinator.open(settings);
            HttpOrigin reads = new HttpOrigin(
                    URI.create("http://127.0.0.1:" + origin.getAddress().getPort()), Duration.ofSeconds(2), 1 << 20);
            http = new HttpNode(
                    coordinator, settings.server(), reads, new HttpOriginWriter(reads, Duration.ofSeconds(2)));
            http.start();
        }

        String url() {
            return "http://127.0.0.1:" + http.port();
        }

        HttpResponse<String> send(String method, String path, String body) throws Exception {
            HttpRequest request = HttpRequest.newBuilder(URI.create(url() + path))
                    .method(method, HttpRequest.BodyPublishers.ofString(body))
                    .timeout(Duration.ofSeconds(20))
                    .build();
            return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
        }

        JsonNode json(String method, String path) throws Exception {
            HttpResponse<String> response = send(method, path, "");
            assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
            return new ObjectMapper().readTree(response.body());
        }

        /** Runs a command against it; exit code and output. */
        String terrace(int exitCode, String... arguments) {
            StringWriter out = new StringWriter();
            CommandLine command =
                    Terrace.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
            String[] all = java.util.Arrays.copyOf(arguments, arguments.length + 2);
            all[arguments.length] = "--url";
            all[arguments.length + 1] = url();
            assertThat(command.execute(all)).as(out.toString()).isEqualTo(exitCode);
            return out.toString();
        }

        @Override
        public void close() {
            http.close();
            coordinator.close();
        }
    }

    @Test
    void whatGoesThroughIsAtTheOriginFirst() throws Exception {
        try (Node node = new Node(WritePolicy.Kind.THROUGH)) {
            HttpResponse<String> put = node.send("PUT", "/origin/prices/7", "12.50");
            assertThat(put.statusCode()).isEqualTo(200);
            assertThat(put.body()).contains("\"origin\":\"written\"");
            assertThat(values).containsEntry("/prices/7", "12.50");
            assertThat(new ObjectMapper().readTree(put.body()).path("version").asText())
                    .isEqualTo(tokens.get("/prices/7"));
            assertThat(node.send("GET", "/origin/prices/7", "").body()).isEqualTo("12.50");
            refusal = 422;
            HttpResponse<String> refused = node.send("PUT", "/origin/prices/7", "-1");
            assertThat(refused.statusCode()).isEqualTo(502);
            assertThat(refused.body()).contains("answered 422").contains("\"outcome\":\"failed\"");
            assertThat(node.send("GET", "/origin/prices/7", "").body()).isEqualTo("12.50");
            refusal = 0;
            assertThat(node.send("DELETE", "/origin/prices/7", "").statusCode()).isEqualTo(200);
            assertThat(values).isEmpty();
            assertThat(node.json("GET", "/journal").path("enabled").asBoolean()).isFalse();
            assertThat(node.terrace(0, "journal", "list")).contains("no journal");
        }
    }

    @Test
    @Tag("F75")
    void whatGoesBehindIsListedReplayedAndDroppedAndSurvivesARestart() throws Exception {
        try (Node node = new Node(WritePolicy.Kind.BEHIND)) {
            assertThat(node.send("PUT", "/origin/a", "1").body()).contains("\"origin\":\"journaled\"");
            await().untilAsserted(() -> assertThat(values).containsEntry("/a", "1"));
            refusal = 400;
            node.send("PUT", "/origin/b", "2");
            node.send("PUT", "/origin/c", "3");
            await().untilAsserted(() -> assertThat(
                            node.json("GET", "/journal").path("dead").asInt())
                    .isEqualTo(2));
            String listed = node.terrace(1, "journal", "list");
            assertThat(listed).contains("2 dead").contains("origin/b").contains("answered 400 to PUT");
        }
        refusal = 0;
        try (Node again = new Node(WritePolicy.Kind.BEHIND)) {
            JsonNode dead = again.json("GET", "/journal").path("dead_letters");
            assertThat(dead).hasSize(2);
            String first = dead.get(0).path("id").asText();
            String value = dead.get(0).path("key").asText().equals("b") ? "2" : "3";
            assertThat(again.terrace(0, "journal", "show", first))
                    .contains("state: dead")
                    .contains(value);
            assertThat(again.terrace(0, "journal", "drop", first)).contains("1 forgotten");
            assertThat(again.terrace(0, "journal", "retry", "--all")).contains("1 wait again");
            await().untilAsserted(() -> assertThat(values).hasSize(2));
            await().untilAsserted(() -> assertThat(
                            again.json("GET", "/journal").path("pending").asInt())
                    .isZero());
            assertThat(again.terrace(1, "journal", "show", first)).contains("nothing waits and nothing is dead");
            assertThat(again.terrace(1, "journal", "retry", first)).contains("there is no dead letter");
            assertThat(again.send("GET", "/journal?limit=x", "").statusCode()).isEqualTo(400);
        }
    }
}
