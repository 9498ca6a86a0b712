package dev.terrace.node.origin;

import dev.terrace.api.BadInputException;
import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.WriteContext;
import dev.terrace.api.Writer;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Writes to an HTTP origin: PUT and DELETE at the address that {@link HttpOrigin} reads from. The write's token goes along as {@code
 * Idempotency-Key}. Answers 2xx mean that it was taken, as do 404 and 410 to a DELETE; of the others 408, 425, 429 and 5xx may be tried
 * again, and the rest are final. Thread-safe.
 */
public final class HttpOriginWriter implements Writer<byte[], OriginResponse> {
    private final HttpOrigin origin;
    private final Duration timeout;
    private final HttpClient client;

    /** Writes to where {@code origin} reads from. */
    public HttpOriginWriter(HttpOrigin origin, Duration timeout) {
        this.origin = origin;
        this.timeout = timeout;
        this.client = HttpClient.newBuilder()
                .connectTimeout(timeout)
                .followRedirects(HttpClient.Redirect.NEVER)
                .version(HttpClient.Version.HTTP_1_1)
                .build();
    }

    @Override
    public void write(byte[] key, OriginResponse value, WriteContext context) throws IOException, InterruptedException {
        send("PUT", key, value, context);
    }

    @Override
    public void delete(byte[] key, WriteContext context) throws IOException, InterruptedException {
        send("DELETE", key, null, context);
    }

    private void send(String method, byte[] key, @Nullable OriginResponse value, WriteContext context)
            throws IOException, InterruptedException {
        HttpRequest.Builder request;
        try {
            request = HttpRequest.newBuilder(origin.address(key));
        } catch (BadInputException e) {
            throw new RejectedWriteException(String.valueOf(e.getMessage()), e);
        }
        request.timeout(timeout).header("Idempotency-Key", context.token());
        if (value == null) {
            request.method(method, HttpRequest.BodyPublishers.noBody());
        } else {
            request.header("Content-Type", value.contentType())
                    .method(method, HttpRequest.BodyPublishers.ofByteArray(value.body()));
        }
        int status = client.send(request.build(), HttpResponse.BodyHandlers.discarding())
                .statusCode();
        boolean gone = value == null && (status == 404 || status == 410);
        if (status / 100 == 2 || gone) {
            return;
        }
        String what = "the origin answered " + status + " to " + method;
        if (status >= 500 || status == 408 || status == 425 || status == 429) {
            throw new IOException(what);
        }
        throw new RejectedWriteException(what);
    }
}
