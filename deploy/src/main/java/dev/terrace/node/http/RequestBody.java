package dev.terrace.node.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.util.Blocker;
import org.eclipse.jetty.util.BufferUtil;
import org.eclipse.jetty.util.Callback;

/** The body of one request: read within limits, or refused and then let go by. Used by one thread at a time. */
final class RequestBody {
    private static final long LEAST_BYTES_PER_SECOND = 16 << 10;
    private static final long MOST_LEFT_BYTES = 64L << 20;
    private static final long AT_ONCE_BYTES = 64 << 10;
    private static final long LINGER_MILLIS = 5_000;

    private final Request request;
    private final int maxBytes;
    private final Duration grace;
    private boolean begun;
    private boolean ended;
    private long skipped;

    /** @param grace how long a body may take before its rate is looked at */
    RequestBody(Request request, int maxBytes, Duration grace) {
        this.request = request;
        this.maxBytes = maxBytes;
        this.grace = grace;
    }

    /** The whole body, refused when it is longer than the limit before more of it is read. */
    byte[] read() {
        long declared = request.getLength();
        if (declared > maxBytes) {
            throw tooLarge(declared + " bytes");
        }
        begun = true;
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        long started = System.nanoTime();
        try {
            while (!ended) {
                append(next(), body);
                if (body.size() > maxBytes) {
                    throw tooLarge("more than " + maxBytes + " bytes");
                }
                inTime(body.size(), started);
            }
        } catch (IOException e) {
            // Cut off, too slow, or no proper chunks; whatever it is, there is no request.
            throw new HttpProblem(400, "Bad request", "the body could not be read to its end");
        }
        return body.toByteArray();
    }

    private Content.Chunk next() throws IOException {
        while (true) {
            Content.Chunk chunk = request.read();
            if (chunk != null) {
                return chunk;
            }
            // Bounded by the connection's idle timeout, which arrives as a failure.
            try (Blocker.Runnable arrival = Blocker.runnable()) {
                request.demand(arrival);
                arrival.block();
            }
        }
    }

    private void append(Content.Chunk chunk, ByteArrayOutputStream body) throws IOException {
        if (Content.Chunk.isFailure(chunk)) {
            throw new IOException(chunk.getFailure());
        }
        ended = chunk.isLast();
        if (chunk.hasRemaining()) {
            BufferUtil.writeTo(chunk.getByteBuffer(), body);
        }
        chunk.release();
    }

    /** A body that trickles in would hold a thread for as long as its sender likes: the idle timeout never strikes. */
    private void inTime(int bytes, long started) {
        long allowed = grace.toNanos() + TimeUnit.SECONDS.toNanos(bytes) / LEAST_BYTES_PER_SECOND;
        if (!ended && System.nanoTime() - started > allowed) {
            throw new HttpProblem(
                    408,
                    "Request timeout",
                    "the body came too slowly: after " + grace.toMillis() + " ms at least " + LEAST_BYTES_PER_SECOND
                            + " bytes a second are expected");
        }
    }

    private HttpProblem tooLarge(String actual) {
        return new HttpProblem(
                413,
                "Content too large",
                "body of " + actual + " exceeds max_body_bytes " + maxBytes
                        + "; send less or raise server.max_body_bytes");
    }

    /** True when some of the body has neither been read nor arrived. What is not read would be taken for the next request. */
    boolean isLeft() {
        boolean has = request.getLength() > 0 || request.getHeaders().contains(HttpHeader.TRANSFER_ENCODING);
        if (has && mayBeRead()) {
            skip(AT_ONCE_BYTES);
        }
        return has && !ended;
    }

    /** Who asked whether it may send has not sent, and reading would say yes. */
    private boolean mayBeRead() {
        return begun || !request.getHeaders().contains(HttpHeader.EXPECT);
    }

    /** Throws away what has arrived, until {@code most} bytes are exceeded; false when more has to arrive before that. */
    private boolean skip(long most) {
        for (long bytes = 0; !ended && bytes <= most; ) {
            Content.Chunk chunk = request.read();
            if (chunk == null) {
                return false;
            }
            ended = chunk.isLast() || Content.Chunk.isFailure(chunk);
            bytes += chunk.remaining();
            skipped += chunk.remaining();
            chunk.release();
        }
        return true;
    }

    /**
     * To follow the answer to a request whose body {@linkplain #isLeft is left}. A connection that is closed while its sender still
     * writes is reset, and takes the answer with it (RFC 9112, 9.6): so the rest is read and thrown away before the request ends,
     * up to {@value #MOST_LEFT_BYTES} bytes, for about {@value #LINGER_MILLIS} ms, and no longer than that after the sender said
     * its last. No thread waits for it.
     */
    Callback letGoBy(Callback end) {
        return mayBeRead() ? Callback.from(() -> letGoBy(end, System.nanoTime()), end::failed) : end;
    }

    private void letGoBy(Callback end, long started) {
        request.getConnectionMetaData().getConnection().getEndPoint().setIdleTimeout(LINGER_MILLIS);
        while (!ended
                && skipped <= MOST_LEFT_BYTES
                && System.nanoTime() - started < TimeUnit.MILLISECONDS.toNanos(LINGER_MILLIS)) {
            if (!skip(AT_ONCE_BYTES)) {
                request.demand(() -> letGoBy(end, started));
                return;
            }
        }
        end.succeeded();
    }
}
