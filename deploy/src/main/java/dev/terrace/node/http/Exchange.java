package dev.terrace.node.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.io.Content;
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

    private static final int PART_BYTES = 16 << 10;
    private static final long LEAST_BYTES_PER_SECOND = 16 << 10;

    private final Request request;
    private final Response response;
    private final Callback callback;
    private @Nullable List<byte[]> segments;
    private final int maxBodyBytes;
    private final Duration bodyGrace;

    Exchange(Request request, Response response, Callback callback, int maxBodyBytes, Duration bodyGrace) {
        this.request = request;
        this.response = response;
        this.callback = callback;
        this.maxBodyBytes = maxBodyBytes;
        this.bodyGrace = bodyGrace;
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
        long declared = request.getLength();
        if (declared > maxBodyBytes) {
            throw tooLarge(declared + " bytes");
        }
        try (InputStream in = Content.Source.asInputStream(request)) {
            byte[] body = inTime(in);
            if (body.length > maxBodyBytes) {
                throw tooLarge("more than " + maxBodyBytes + " bytes");
            }
            return body;
        } catch (IOException e) {
            // Cut off, too slow, or no proper chunks; whatever it is, there is no request.
            response.getHeaders().put("Connection", "close");
            throw new HttpProblem(400, "Bad request", "the body could not be read to its end");
        }
    }

    /** A body that trickles in would hold a thread for as long as its sender likes: the idle timeout never strikes. */
    private byte[] inTime(InputStream in) throws IOException {
        long started = System.nanoTime();
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        byte[] part = new byte[PART_BYTES];
        int length;
        while ((length = in.read(part, 0, Math.min(PART_BYTES, maxBodyBytes + 1 - body.size()))) > 0) {
            body.write(part, 0, length);
            long allowed = bodyGrace.toNanos() + TimeUnit.SECONDS.toNanos(body.size()) / LEAST_BYTES_PER_SECOND;
            if (System.nanoTime() - started > allowed) {
                response.getHeaders().put("Connection", "close");
                throw new HttpProblem(
                        408,
                        "Request timeout",
                        "the body came too slowly: after " + bodyGrace.toMillis() + " ms at least "
                                + LEAST_BYTES_PER_SECOND + " bytes a second are expected");
            }
        }
        return body.toByteArray();
    }

    private HttpProblem tooLarge(String actual) {
        // What is not read would be taken for the next request.
        response.getHeaders().put("Connection", "close");
        return new HttpProblem(
                413,
                "Content too large",
                "body of " + actual + " exceeds max_body_bytes " + maxBodyBytes
                        + "; send less or raise server.max_body_bytes");
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
            throw new HttpProblem(400, "Bad request", "the body is not JSON: " + e.getOriginalMessage());
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
        byte[] body = body();
        return body.length == 0 ? JSON.createObjectNode() : json(body);
    }

    /** Sets a header of the answer. */
    Exchange with(String name, String value) {
        response.getHeaders().put(name, value);
        return this;
    }

    void bytes(int status, String contentType, byte[] body) {
        response.setStatus(status);
        response.getHeaders().put("Content-Type", contentType);
        response.getHeaders().put("Content-Length", body.length);
        response.write(true, ByteBuffer.wrap(body), callback);
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
