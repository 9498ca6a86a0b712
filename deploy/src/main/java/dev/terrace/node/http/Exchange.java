package dev.terrace.node.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.Fields;
import org.jspecify.annotations.Nullable;

/** One request and its answer. Used by one thread. */
final class Exchange {
    static final ObjectMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            // Two values for one key: neither is the right one.
            .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build();

    private final Request request;
    private final Response response;
    private final Callback callback;
    private @Nullable List<byte[]> segments;
    private final RequestBody body;

    Exchange(Request request, Response response, Callback callback, int maxBodyBytes, Duration bodyGrace) {
        this.request = request;
        this.response = response;
        this.callback = callback;
        this.body = new RequestBody(request, maxBodyBytes, bodyGrace);
    }

    String method() {
        return request.getMethod();
    }

    /** Percent-decoded bytes of the path's parts. */
    List<byte[]> segments() {
        if (segments == null) {
            String path = request.getHttpURI().getPath();
            segments = RawPath.segments(path == null ? "/" : path);
        }
        return segments;
    }

    /** The part of the path at {@code index} as text; bytes that are none are refused, so that names do not melt into one. */
    String segment(int index) {
        byte[] bytes = segments().get(index);
        String text = RawPath.text(bytes);
        if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), bytes)) {
            throw new HttpProblem(400, "Bad request", "names in the path must be UTF-8; only keys may be any bytes");
        }
        return text;
    }

    /** Everything after the path's first slash, undecoded, with the query. */
    String rawPathAndQuery() {
        return String.valueOf(request.getHttpURI().getPathQuery());
    }

    /** The name by which the caller knows this server, without port and brackets; null when it did not say. */
    @Nullable
    String host() {
        String host = request.getHttpURI().getHost();
        return host == null ? null : host.replace("[", "").replace("]", "");
    }

    @Nullable
    String header(String name) {
        return request.getHeaders().get(name);
    }

    @Nullable
    String query(String name) {
        List<String> values = queries(name);
        if (values.size() > 1) {
            throw new HttpProblem(400, "Bad request", "the query has '" + name + "' " + values.size() + " times");
        }
        return values.isEmpty() ? null : values.get(0);
    }

    /** All values that the query has for {@code name}. */
    List<String> queries(String name) {
        Fields.Field field = fields().get(name);
        List<String> values = field == null ? List.of() : List.copyOf(field.getValues());
        if (values.stream().anyMatch(value -> value.indexOf(RawPath.UNDECODABLE) >= 0)) {
            throw new HttpProblem(400, "Bad request", "'" + name + "' in the query is not UTF-8");
        }
        return values;
    }

    /** Refuses a query that asks for anything else. */
    void onlyQueries(Set<String> known) {
        for (String name : fields().getNames()) {
            if (!known.contains(name)) {
                throw new HttpProblem(
                        400,
                        "Bad request",
                        "'" + name + "' in the query is not understood; this path takes "
                                + (known.isEmpty() ? "none" : String.join(", ", new TreeSet<>(known))));
            }
        }
    }

    private Fields fields() {
        try {
            return Request.extractQueryParameters(request);
        } catch (RuntimeException e) {
            throw new HttpProblem(400, "Bad request", "the query is not percent-encoded UTF-8");
        }
    }

    /** The whole body, refused when it is longer than the limit before more of it is read. */
    byte[] body() {
        return body.read();
    }

    /** The body as a JSON object. */
    JsonNode json() {
        return json(body());
    }

    private static JsonNode json(byte[] body) {
        JsonNode node;
        try {
            node = JSON.readTree(body);
        } catch (JsonProcessingException e) {
            throw new HttpProblem(400, "Bad request", "the body is not JSON: " + JsonFlaw.of(e));
        } catch (IOException e) {
            throw new HttpProblem(400, "Bad request", "the body is not JSON in UTF-8");
        }
        if (node == null || !node.isObject()) {
            throw new HttpProblem(400, "Bad request", "the body must be a JSON object");
        }
        return node;
    }

    /** As {@link #json()}; an empty object when there is no body. */
    JsonNode jsonOrEmpty() {
        byte[] bytes = body();
        return bytes.length == 0 ? JSON.createObjectNode() : json(bytes);
    }

    /** Sets a header of the answer. */
    Exchange with(String name, String value) {
        response.getHeaders().put(name, value);
        return this;
    }

    void bytes(int status, String contentType, byte[] content) {
        boolean left = body.isLeft();
        if (left) {
            response.getHeaders().put("Connection", "close");
        }
        response.setStatus(status);
        response.getHeaders().put("Content-Type", contentType);
        response.getHeaders().put("Content-Length", content.length);
        response.write(true, ByteBuffer.wrap(content), left ? body.letGoBy(callback) : callback);
    }

    void text(int status, String text) {
        bytes(status, "text/plain; charset=utf-8", text.getBytes(StandardCharsets.UTF_8));
    }

    void json(int status, Object tree) throws IOException {
        bytes(status, "application/json", JSON.writeValueAsBytes(tree));
    }

    void problem(int status, String title, String detail) {
        problem(status, title, detail, Map.of());
    }

    /** With members of its own besides those that every problem has. */
    void problem(int status, String title, String detail, Map<String, Object> more) {
        Map<String, Object> problem = new LinkedHashMap<>();
        problem.put("type", "about:blank");
        problem.put("title", title);
        problem.put("status", status);
        problem.put("detail", detail);
        String path = request.getHttpURI().getPath();
        if (path != null) {
            problem.put("instance", path);
        }
        problem.putAll(more);
        try {
            bytes(status, "application/problem+json", JSON.writeValueAsBytes(problem));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a map of plain values is always JSON", e);
        }
    }
}
