package dev.terrace.node.drill;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Talks to whatever node of the drill runs now. Every call has a deadline. Thread-safe. */
final class NodeCalls {
    static final String CACHE = "drill";
    static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final Duration LONG_PATIENCE = Duration.ofSeconds(60);

    private final HttpClient client = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(Duration.ofSeconds(2))
            .build();
    private volatile String url = "http://127.0.0.1:1";

    /** From now on that one. */
    void use(String newUrl) {
        url = newUrl;
    }

    /** What a read said: HTTP's status, and the value with its version when there is one. */
    static final class Answer {
        private final int status;
        private final byte @Nullable [] value;
        private final @Nullable Version version;

        Answer(int status, byte @Nullable [] value, @Nullable Version version) {
            this.status = status;
            this.value = value;
            this.version = version;
        }

        int status() {
            return status;
        }

        byte @Nullable [] value() {
            return value;
        }

        @Nullable
        Version version() {
            return version;
        }
    }

    private HttpRequest.Builder request(String path, Duration patience) {
        return HttpRequest.newBuilder(URI.create(url + path)).timeout(patience);
    }

    /** Reads; the future fails when no node answers. */
    CompletableFuture<Answer> get(int index, String query) {
        HttpRequest get = request("/v1/caches/" + CACHE + "/entries/" + Values.key(index) + query, PATIENCE)
                .GET()
                .build();
        return client.sendAsync(get, HttpResponse.BodyHandlers.ofByteArray()).thenApply(NodeCalls::answer);
    }

    private static Answer answer(HttpResponse<byte[]> response) {
        if (response.statusCode() != 200) {
            return new Answer(response.statusCode(), null, null);
        }
        return new Answer(
                200,
                response.body(),
                response.headers()
                        .firstValue("Terrace-Version")
                        .map(Version::parse)
                        .orElse(null));
    }

    /** Writes and waits until L3 has it; the version, or null when that was not acknowledged. */
    @Nullable
    Version put(int index, byte[] value) throws IOException, InterruptedException {
        HttpRequest put = request("/v1/caches/" + CACHE + "/entries/" + Values.key(index) + "?durable=true", PATIENCE)
                .PUT(HttpRequest.BodyPublishers.ofByteArray(value))
                .build();
        HttpResponse<byte[]> response = client.send(put, HttpResponse.BodyHandlers.ofByteArray());
        return response.statusCode() == 200 ? durable(JSON.readTree(response.body())) : null;
    }

    /** Writes many, by index, and waits until L3 has them; the versions of those that were acknowledged. */
    Map<Integer, Version> putAll(Map<Integer, byte[]> entries) throws IOException, InterruptedException {
        ObjectNode body = JSON.createObjectNode();
        ObjectNode texts = body.putObject("entries");
        entries.forEach((index, value) ->
                texts.put(Values.key(index), Base64.getEncoder().encodeToString(value)));
        HttpRequest put = request("/v1/caches/" + CACHE + "/bulk/put?durable=true", LONG_PATIENCE)
                .POST(HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)))
                .build();
        HttpResponse<byte[]> response = client.send(put, HttpResponse.BodyHandlers.ofByteArray());
        Map<Integer, Version> versions = new HashMap<>();
        if (response.statusCode() == 200) {
            JSON.readTree(response.body()).path("receipts").properties().forEach(receipt -> {
                Version version = durable(receipt.getValue());
                if (version != null) {
                    versions.put(Values.index(receipt.getKey()), version);
                }
            });
        }
        return versions;
    }

    private static @Nullable Version durable(JsonNode receipt) {
        return receipt.path("durable").asBoolean() && receipt.path("applied").asBoolean()
                ? Version.parse(receipt.path("version").asText())
                : null;
    }

    /** The JSON of an answer, whatever its status. */
    JsonNode json(String method, String path, @Nullable String body) throws IOException, InterruptedException {
        HttpRequest call = request(path, LONG_PATIENCE)
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .build();
        return JSON.readTree(
                client.send(call, HttpResponse.BodyHandlers.ofByteArray()).body());
    }
}
