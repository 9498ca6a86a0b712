package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A node is killed in the middle of a warm-up: after a restart it goes on where it was. */
class WarmupKillIT {
    private static final Duration PATIENCE = Duration.ofSeconds(90);
    private static final int ENTRIES = 2_000;
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path given;

    private static JsonNode send(String method, String url, String body) {
        try {
            HttpResponse<byte[]> answer = CLIENT.send(
                    HttpRequest.newBuilder(URI.create(url))
                            .timeout(PATIENCE)
                            .method(method, HttpRequest.BodyPublishers.ofString(body))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            assertThat(answer.statusCode())
                    .as(new String(answer.body(), StandardCharsets.UTF_8))
                    .isLessThan(300);
            return NodeClient.JSON.readTree(answer.body());
        } catch (IOException e) {
            throw new AssertionError(url, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private static void fill(String url) {
        String value = Base64.getEncoder().encodeToString("value".getBytes(StandardCharsets.UTF_8));
        for (int from = 0; from < ENTRIES; from += 500) {
            ObjectNode body = NodeClient.JSON.createObjectNode();
            ObjectNode entries = body.putObject("entries");
            for (int i = from; i < from + 500; i++) {
                entries.put("k" + i, value);
            }
            send("POST", url + "/v1/caches/demo/bulk/put", body.toString());
        }
    }

    @Test
    void aNodeThatIsKilledInTheMiddleOfAWarmUpGoesOnWhereItWas() throws Exception {
        Path folder = given.toRealPath();
        try (RedisProcess redis = RedisProcess.start()) {
            Files.writeString(folder.resolve("terrace.yaml"), """
                    distributed_cache:
                      distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:%d"], timeout: 5s}
                      backup_storage: {enabled: true, path: backup, durable: true, timeout: 20s}
                      server: {port: 0}
                    """.formatted(redis.port()));
            try (CommandProcess first = new CommandProcess(folder, "run", "--config", "terrace.yaml")) {
                String url = first.awaitUrl();
                fill(url);
                redis.command("FLUSHALL");
                String job = send("POST", url + "/warmup", "{\"entries_per_second\": 150, \"yield\": false}")
                        .path("id")
                        .asText();
                await().atMost(PATIENCE)
                        .until(() -> send("GET", url + "/jobs/" + job, "")
                                        .path("progress")
                                        .path("parts")
                                        .asInt()
                                >= 50);
                first.kill();
            }
            try (CommandProcess second = new CommandProcess(folder, "run", "--config", "terrace.yaml")) {
                String url = second.awaitUrl();
                String job = send("POST", url + "/warmup", "{\"yield\": false}")
                        .path("id")
                        .asText();
                await().atMost(PATIENCE)
                        .until(() -> send("GET", url + "/jobs/" + job, "")
                                .path("state")
                                .asText()
                                .equals("done"));
                JsonNode progress = send("GET", url + "/jobs/" + job, "").path("progress");
                assertThat(progress.path("outcome").asText()).isEqualTo("exhausted");
                assertThat(progress.path("read").asLong()).isEqualTo(ENTRIES);
                // Of 50 finished parts of 256, nothing was sent again.
                assertThat(progress.path("superseded").asLong()).isBetween(200L, (long) ENTRIES);
                assertThat(progress.path("copied").asLong()
                                + progress.path("superseded").asLong())
                        .isEqualTo(ENTRIES);
                for (int i = 0; i < ENTRIES; i += 97) {
                    assertThat(redis.command("EXISTS", "terrace:demo:k" + i)).startsWith(":1");
                }
            }
        }
    }
}
