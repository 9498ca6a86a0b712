package dev.terrace.examples.optimizer;

import com.codahale.metrics.MetricRegistry;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.terrace.api.ReadResult;
import dev.terrace.api.TerraceException;
import io.prometheus.metrics.expositionformats.PrometheusTextFormatWriter;
import io.prometheus.metrics.instrumentation.dropwizard.DropwizardExports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/** The example's own HTTP server, on loopback. Thread-safe. */
final class Pages implements AutoCloseable {
    private static final String TEXT = "text/plain; charset=utf-8";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final ExecutorService threads = Executors.newFixedThreadPool(8);
    private final Rates rates;
    private final Surroundings surroundings;
    private final Supplier<Map<String, Object>> status;
    private final DropwizardExports exports;

    Pages(
            int port,
            Rates rates,
            Surroundings surroundings,
            MetricRegistry metrics,
            Supplier<Map<String, Object>> status)
            throws IOException {
        this.rates = rates;
        this.surroundings = surroundings;
        this.status = status;
        this.exports = new DropwizardExports(metrics);
        this.server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 64);
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
    }

    int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String[] path = exchange.getRequestURI().getPath().substring(1).split("/", -1);
            String line = exchange.getRequestMethod() + " " + path[0];
            switch (line) {
                case "GET " -> answer(exchange, 200, "text/html; charset=utf-8", page());
                case "GET status" -> answer(exchange, 200, "application/json", JSON.writeValueAsBytes(status.get()));
                case "GET status.txt" -> text(exchange, 200, plainValues());
                case "GET metrics" -> answer(exchange, 200, PrometheusTextFormatWriter.CONTENT_TYPE, metrics());
                case "GET rates" -> rate(exchange, path.length == 2 ? path[1] : "");
                case "POST break" -> breakIt(exchange, path);
                default ->
                    text(
                            exchange,
                            404,
                            "there is GET /, /status, /status.txt, /metrics, /rates/PAIR, and POST /break/WHAT/HOW\n");
            }
        }
    }

    private byte[] page() throws IOException {
        try (InputStream page = Pages.class.getResourceAsStream("page.html")) {
            if (page == null) {
                throw new IOException("page.html is not on the class path");
            }
            return page.readAllBytes();
        }
    }

    private String plainValues() {
        StringBuilder text = new StringBuilder();
        status.get().forEach((name, value) -> {
            if (value instanceof String || value instanceof Number) {
                text.append(name).append('=').append(value).append('\n');
            }
        });
        return text.toString();
    }

    private byte[] metrics() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        PrometheusTextFormatWriter.create().write(out, exports.collect());
        return out.toByteArray();
    }

    private void rate(HttpExchange exchange, String pair) throws IOException {
        try {
            ReadResult<Rates.Rate> rate = rates.rate(pair);
            exchange.getResponseHeaders().set("Terrace-Tier", rate.source().name());
            exchange.getResponseHeaders()
                    .set("Terrace-Freshness", rate.freshness().name());
            answer(exchange, 200, "application/json", JSON.writeValueAsBytes(rate.value()));
        } catch (TerraceException e) {
            text(exchange, 503, e.getMessage() + "\n");
        }
    }

    private void breakIt(HttpExchange exchange, String[] path) throws IOException {
        String site = exchange.getRequestHeaders().getFirst("Origin");
        if (site != null
                && !site.equals("http://" + exchange.getRequestHeaders().getFirst("Host"))) {
            text(exchange, 403, "pages of other sites break nothing here\n");
        } else if (path.length == 3 && surroundings.apply(path[1], path[2])) {
            text(exchange, 200, "done\n");
        } else {
            text(exchange, 404, "what can be done: " + Surroundings.CHOICES + "\n");
        }
    }

    private static void text(HttpExchange exchange, int status, String text) throws IOException {
        answer(exchange, status, TEXT, text.getBytes(StandardCharsets.UTF_8));
    }

    private static void answer(HttpExchange exchange, int status, String type, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", type);
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
