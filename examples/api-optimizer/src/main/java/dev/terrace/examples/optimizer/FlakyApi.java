package dev.terrace.examples.optimizer;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

/** Somebody else's HTTP API: slow at the best of times, and at other times worse. Thread-safe. */
final class FlakyApi implements AutoCloseable {
    private static final int THREADS = 4;

    private final HttpServer server;
    private final ScheduledExecutorService answers = Executors.newScheduledThreadPool(THREADS);
    private final LongAdder calls = new LongAdder();
    private final LongAdder failures = new LongAdder();
    private final SplittableRandom random = new SplittableRandom(1);
    private volatile Mood mood = Mood.USUAL;

    /** How it is today. */
    enum Mood {
        USUAL(40, 0),
        SLOW(1_500, 0),
        FLAKY(40, 50),
        DEAD(0, 100);

        private final int latencyMillis;
        private final int percentFailing;

        Mood(int latencyMillis, int percentFailing) {
            this.latencyMillis = latencyMillis;
            this.percentFailing = percentFailing;
        }
    }

    FlakyApi() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 64);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.createContext("/rates/", this::take);
        server.start();
    }

    private void take(HttpExchange exchange) {
        calls.increment();
        Mood now = mood;
        boolean fails = percent() < now.percentFailing;
        // No thread is held meanwhile: slow, but never for want of threads.
        answers.schedule(() -> answer(exchange, now, fails), now.latencyMillis, TimeUnit.MILLISECONDS);
    }

    private synchronized int percent() {
        return random.nextInt(100);
    }

    private void answer(HttpExchange exchange, Mood when, boolean fails) {
        try (exchange) {
            if (fails) {
                failures.increment();
            }
            if (when == Mood.DEAD) {
                return; // It hangs up without a word.
            }
            String pair = exchange.getRequestURI().getPath().substring("/rates/".length());
            byte[] body = (fails ? "{}" : rate(pair)).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(fails ? 503 : 200, body.length);
            exchange.getResponseBody().write(body);
        } catch (IOException callerLeft) {
            failures.increment();
        }
    }

    private static String rate(String pair) {
        return String.format(
                Locale.ROOT, "{\"pair\":\"%s\",\"price\":%.4f}", pair, 1 + Math.floorMod(pair.hashCode(), 9_999) / 1e4);
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/rates/");
    }

    void be(Mood next) {
        mood = next;
    }

    /** How often it was asked. */
    long calls() {
        return calls.sum();
    }

    /** How often it failed whoever asked. */
    long failures() {
        return failures.sum();
    }

    @Override
    public void close() {
        server.stop(0);
        answers.shutdownNow();
    }
}
