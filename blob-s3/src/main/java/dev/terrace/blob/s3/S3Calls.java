package dev.terrace.blob.s3;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.ResponseInputStream;
import software.amazon.awssdk.services.s3.S3Client;

/**
 * Runs calls of the SDK on threads of their own, because a thread that reads from a socket hears no interrupt: the caller leaves at the deadline, at an
 * interrupt, or when the store is closed; the call itself ends at the SDK's timeouts. There are as many threads as callers and parts. Thread-safe.
 */
final class S3Calls implements AutoCloseable {
    private static final Duration GRACE = Duration.ofSeconds(2);

    private final S3Place place;
    private final S3Client client;
    private final Deadlines deadlines;
    private final Counter failures;
    final Counter sent;
    final Counter received;
    private final ThreadPoolExecutor threads;
    private volatile boolean closed;

    /** What is to be done with the client. */
    interface Call<T> {
        T on(S3Client client) throws BlobException, InterruptedException;
    }

    S3Calls(S3Place place, S3Client client, Deadlines deadlines, MetricRegistry metrics) {
        this.place = place;
        this.client = client;
        this.deadlines = deadlines;
        failures = metrics.counter("blob.s3.failures");
        sent = metrics.counter("blob.s3.bytes.sent");
        received = metrics.counter("blob.s3.bytes.received");
        AtomicInteger numbers = new AtomicInteger();
        threads = new ThreadPoolExecutor(0, Integer.MAX_VALUE, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), task -> {
            Thread thread = new Thread(task, "terrace-s3-" + numbers.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
    }

    Deadlines deadlines() {
        return deadlines;
    }

    /** A small call. */
    <T> T small(String name, Call<T> call) throws BlobException {
        return run(name, deadlines.call(0), call);
    }

    /** The result, within the deadline. */
    <T> T run(String name, Duration deadline, Call<T> call) throws BlobException {
        return await(name, deadline, start(name, call));
    }

    /** A call under way. */
    record Started<T>(CompletableFuture<T> result, Future<?> task) {
        /** Nobody waits for it any longer. */
        void abandon() {
            result.cancel(false);
            task.cancel(true);
        }
    }

    <T> Started<T> start(String name, Call<T> call) throws BlobException {
        alive(name);
        CompletableFuture<T> result = new CompletableFuture<>();
        try {
            Future<?> task = threads.submit(() -> {
                try {
                    T value = call.on(client);
                    // Who has left does not close what came after.
                    if (!result.complete(value) && value instanceof ResponseInputStream<?> stream) {
                        stream.abort();
                    }
                } catch (BlobException | InterruptedException | RuntimeException | Error e) {
                    result.completeExceptionally(e);
                }
            });
            return new Started<>(result, task);
        } catch (RejectedExecutionException e) {
            throw closedAt(name, e);
        }
    }

    <T> T await(String name, Duration deadline, Started<T> started) throws BlobException {
        try {
            return started.result().get(deadline.plus(GRACE).toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            started.abandon();
            Thread.currentThread().interrupt();
            throw new BlobException(Kind.INTERRUPTED, "interrupted at " + place.shown(name), e);
        } catch (TimeoutException e) {
            started.abandon();
            failures.inc();
            throw new BlobException(
                    Kind.UNAVAILABLE, place.shown(name) + ": no answer within " + deadline.toMillis() + " ms", e);
        } catch (ExecutionException e) {
            if (closed) {
                throw closedAt(name, e);
            }
            failures.inc();
            throw S3Failures.of(place.shown(name), e.getCause() == null ? e : e.getCause());
        }
    }

    /** Throws when closed or interrupted. */
    void alive(String name) throws BlobException {
        if (closed) {
            throw closedAt(name, null);
        }
        if (Thread.currentThread().isInterrupted()) {
            throw new BlobException(Kind.INTERRUPTED, "interrupted at " + place.shown(name), null);
        }
    }

    private BlobException closedAt(String name, @Nullable Throwable cause) {
        return new BlobException(Kind.CLOSED, "the bucket was closed: " + place.shown(name), cause);
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            threads.shutdownNow();
            client.close();
        }
    }
}
