package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node that writes behind is killed in the middle of writes: what it acknowledged reaches the origin after a restart. */
class JournalKillIT {
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int WRITES = 60;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path given;

    private final Map<String, String> origin = new ConcurrentHashMap<>();
    private final List<Integer> answers = new CopyOnWriteArrayList<>();
    private volatile boolean refuses = true;
    private HttpServer server;
    private Path folder;
    private Path settings;

    @BeforeEach
    void start() throws IOException {
        folder = given.toRealPath();
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setExecutor(Executors.newCachedThreadPool());
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            boolean write = exchange.getRequestMethod().equals("PUT");
            if (write && !refuses) {
                origin.put(exchange.getRequestURI().getPath().substring(1), body);
            }
            exchange.sendResponseHeaders(write && refuses ? 503 : 204, -1);
            exchange.close();
        });
        server.start();
        settings = Files.writeString(folder.resolve("terrace.yaml"), """
                distributed_cache:
                  distributed_cache: {enabled: false}
                  backup_storage: {enabled: false}
                  backplane: {enabled: false}
                  journal: {path: journal}
                  caches:
                    origin: {write: {policy: behind, max_attempts: 1000000, backoff: 20ms, longest_backoff: 100ms}}
                """);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private CommandProcess node() throws IOException {
        return new CommandProcess(
                folder,
                "run",
                "--config",
                settings.toString(),
                "--port",
                "0",
                "--origin",
                "http://127.0.0.1:" + server.getAddress().getPort(),
                "--origin-writes");
    }

    private static HttpRequest put(String url, String key, String value) {
        return HttpRequest.newBuilder(URI.create(url + "/origin/" + key))
                .timeout(Duration.ofSeconds(20))
                .PUT(HttpRequest.BodyPublishers.ofString(value))
                .build();
    }

    @Test
    @Tag("F75")
    void whatWasAcknowledgedReachesTheOriginAfterAKill() throws Exception {
        Map<String, String> acknowledged = new TreeMap<>();
        try (CommandProcess first = node()) {
            String url = first.awaitUrl();
            for (int i = 0; i < WRITES; i++) {
                HttpResponse<String> answer =
                        CLIENT.send(put(url, "k" + i % 40, "v" + i), HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                assertThat(answer.body()).contains("\"origin\":\"journaled\"");
                acknowledged.put("k" + i % 40, "v" + i);
            }
            // More are under way when it dies; of those nothing is promised.
            List<CompletableFuture<Void>> underWay = new CopyOnWriteArrayList<>();
            for (int i = 0; i < WRITES; i++) {
                underWay.add(CLIENT.sendAsync(put(url, "late" + i, "w"), HttpResponse.BodyHandlers.ofString())
                        .thenAccept(answer -> answers.add(answer.statusCode())));
            }
            await().atMost(PATIENCE).until(() -> !answers.isEmpty());
            first.kill();
            assertThat(origin).as("it refused all the time").isEmpty();
        }
        refuses = false;
        try (CommandProcess second = node()) {
            second.awaitUrl();
            await().atMost(PATIENCE).untilAsserted(() -> assertThat(origin).containsAllEntriesOf(acknowledged));
            second.terminate();
            second.awaitEnd(PATIENCE);
        }
    }
}
