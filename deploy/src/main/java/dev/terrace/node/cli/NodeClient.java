package dev.terrace.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How client commands reach a node; a picocli mixin. */
final class NodeClient {
    static final ObjectMapper JSON = new ObjectMapper();
    private static final ObjectMapper ASCII =
            JsonMapper.builder().enable(JsonWriteFeature.ESCAPE_NON_ASCII).build();
    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(3);

    @Option(
            names = "--url",
            paramLabel = "URL",
            defaultValue = "${env:TERRACE_URL:-http://127.0.0.1:8080}",
            description = "The node (default: $TERRACE_URL or http://127.0.0.1:8080).")
    private String url = "";

    @Option(
            names = "--token-file",
            paramLabel = "FILE",
            description = "File with the node's token (default: $TERRACE_TOKEN).")
    private @Nullable Path tokenFile;

    @Option(
            names = "--timeout",
            paramLabel = "SECONDS",
            defaultValue = "30",
            description = "Longest wait (default: 30).")
    private int timeoutSeconds;

    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(CONNECT_TIMEOUT).build();

    static String entryPath(String cache, String key) {
        return "/v1/caches/" + encode(cache) + "/entries/" + encode(key);
    }

    /** A query of names, each with its value behind it. */
    static String query(String... namesAndValues) {
        StringBuilder query = new StringBuilder();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            query.append(query.isEmpty() ? '?' : '&')
                    .append(namesAndValues[i])
                    .append('=')
                    .append(encode(namesAndValues[i + 1]));
        }
        return query.toString();
    }

    static String encode(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }

    HttpResponse<byte[]> send(String method, String path, byte @Nullable [] body) {
        if (timeoutSeconds < 1) {
            throw new CommandFailure(ExitCodes.USAGE, "--timeout " + timeoutSeconds + " is less than a second");
        }
        HttpRequest.Builder request;
        try {
            request = HttpRequest.newBuilder(URI.create(url.replaceAll("/+$", "") + path));
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(ExitCodes.USAGE, "'" + url + "' is not an http address");
        }
        request.timeout(Duration.ofSeconds(timeoutSeconds))
                .method(
                        method,
                        body == null
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofByteArray(body));
        String token = token();
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        try {
            return client.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
        } catch (IOException e) {
            String why = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
            throw new CommandFailure(
                    ExitCodes.UNREACHABLE,
                    "no node answers at " + url + " (" + why + "); start one with 'terrace run' or give --url");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CommandFailure(ExitCodes.FAILED, "interrupted");
        }
    }

    private @Nullable String token() {
        if (tokenFile == null) {
            return System.getenv("TERRACE_TOKEN");
        }
        try {
            return Files.readString(tokenFile).strip();
        } catch (IOException e) {
            throw new CommandFailure(ExitCodes.USAGE, "token file " + tokenFile + " cannot be read");
        }
    }

    /** The answer's JSON; a problem answer ends the command with its detail. */
    JsonNode json(String method, String path, byte @Nullable [] body) {
        HttpResponse<byte[]> response = send(method, path, body);
        requireSuccess(response);
        return tree(response);
    }

    static void requireSuccess(HttpResponse<byte[]> response) {
        if (response.statusCode() >= 400) {
            String detail = response.body().length == 0
                    ? ""
                    : tree(response).path("detail").asText("");
            throw new CommandFailure(
                    ExitCodes.FAILED, detail.isEmpty() ? "the node answered " + response.statusCode() : detail);
        }
    }

    /** The same JSON in one line of ASCII: names in it come from whoever writes to the cache, and the line may go to a terminal. */
    static String ascii(JsonNode json) {
        try {
            return ASCII.writeValueAsString(json);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static JsonNode tree(HttpResponse<byte[]> response) {
        try {
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCodes.FAILED, "the answer (status " + response.statusCode() + ") is not a Terrace node's");
        }
    }
}
