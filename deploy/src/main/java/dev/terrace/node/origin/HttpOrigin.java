package dev.terrace.node.origin;

import dev.terrace.api.AdaptiveLoader;
import dev.terrace.api.BadInputException;
import dev.terrace.api.LoadContext;
import dev.terrace.api.Loaded;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/**
 * Fetches from one HTTP origin. The key is path and query below the origin's own path; a key can neither climb above it
 * nor lead to another host, and redirects are not followed. What it holds with an {@code ETag} it asks for anew only if it changed.
 * Thread-safe.
 */
public final class HttpOrigin implements AdaptiveLoader<byte[], OriginResponse> {
    private static final Duration HEAD_TIMEOUT = Duration.ofMillis(1_500);

    private final URI base;
    private final Duration timeout;
    private final int maxBytes;
    private final HttpClient client;

    /**
     * Reads below {@code base}, http or https.
     *
     * @throws BadInputException when it is neither
     */
    public HttpOrigin(URI base, Duration timeout, int maxBytes) {
        boolean http = "http".equals(base.getScheme()) || "https".equals(base.getScheme());
        if (!http || base.getHost() == null || base.getRawQuery() != null || base.getUserInfo() != null) {
            throw new BadInputException(
                    "origin '" + base + "' is not an http or https address", "write it like http://localhost:9000/api");
        }
        String path = base.getRawPath() == null ? "" : base.getRawPath();
        this.base = URI.create(
                base.getScheme() + "://" + base.getRawAuthority() + (path.endsWith("/") ? path : path + "/"));
        this.timeout = timeout;
        this.maxBytes = maxBytes;
        this.client = HttpClient.newBuilder()
                .connectTimeout(timeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    /** The address that a key stands for. */
    URI address(byte[] key) {
        String path = new String(key, StandardCharsets.UTF_8);
        String plain = path.split("\\?", 2)[0].replace("%2e", ".").replace("%2E", ".");
        boolean climbs = ("/" + plain + "/").contains("/../") || ("/" + plain + "/").contains("/./");
        if (climbs || plain.startsWith("/") || plain.contains("\\")) {
            throw new BadInputException(
                    "origin path '" + path + "' has '..', '.', a backslash or a leading slash", "ask for a plain path");
        }
        try {
            URI address = URI.create(base + path);
            if (base.getRawAuthority().equals(address.getRawAuthority())) {
                return address;
            }
        } catch (IllegalArgumentException e) {
            // Said below, with the way out.
        }
        throw new BadInputException("origin path '" + path + "' is no path of an address", "percent-encode it");
    }

    @Override
    public Loaded<OriginResponse> load(LoadContext<byte[], OriginResponse> context)
            throws IOException, InterruptedException {
        HttpRequest.Builder asked =
                HttpRequest.newBuilder(address(context.key())).timeout(timeout).GET();
        OriginResponse old = context.oldValue();
        boolean conditional = old != null && !old.etag().isEmpty();
        if (old != null && conditional) {
            asked.header("If-None-Match", old.etag());
        }
        HttpRequest request = asked.build();
        HttpResponse<InputStream> response = client.send(request, HttpResponse.BodyHandlers.ofInputStream());
        try (InputStream body = response.body()) {
            if (response.statusCode() == 404 || response.statusCode() == 410) {
                return Loaded.notFound();
            }
            if (response.statusCode() == 304 && conditional) {
                return Loaded.notChanged();
            }
            if (response.statusCode() != 200) {
                throw new IOException("the origin answered " + response.statusCode());
            }
            byte[] bytes = body.readNBytes(maxBytes + 1);
            if (bytes.length > maxBytes) {
                throw new IOException("the origin's body exceeds max_value_bytes " + maxBytes);
            }
            return Loaded.value(new OriginResponse(
                    response.headers().firstValue("Content-Type").orElse("application/octet-stream"),
                    bytes,
                    response.headers().firstValue("ETag").orElse("")));
        }
    }

    /** Asks for nothing but whether anybody answers; returns the status. */
    int head() throws IOException, InterruptedException {
        HttpRequest asked = HttpRequest.newBuilder(base)
                .timeout(HEAD_TIMEOUT)
                .method("HEAD", HttpRequest.BodyPublishers.noBody())
                .build();
        return client.send(asked, HttpResponse.BodyHandlers.discarding()).statusCode();
    }

    @Override
    public String toString() {
        return base.toString();
    }
}
