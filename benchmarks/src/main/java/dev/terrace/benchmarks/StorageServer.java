package dev.terrace.benchmarks;

import dev.terrace.testkit.s3.S3Server;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/**
 * An S3 server (s3proxy, its objects in memory) in a process of its own, so that its garbage collector and its compiler are not the client's. Run by
 * itself it says where it listens and serves until its input ends.
 */
final class StorageServer implements AutoCloseable {
    static final String BUCKET = "bench";
    private static final int END_SECONDS = 10;

    private final Process process;
    private final URI endpoint;

    private StorageServer(Process process, URI endpoint) {
        this.process = process;
        this.endpoint = endpoint;
    }

    /** Serves until standard input ends. */
    public static void main(String[] arguments) throws Exception {
        try (S3Server server = S3Server.start()) {
            System.out.println(server.endpoint());
            while (System.in.read() >= 0) {
                // Nothing is said; the end of it is.
            }
        }
    }

    /** Starts one, with an empty bucket. */
    static StorageServer start() throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx3g",
                        "-cp",
                        System.getProperty("java.class.path"),
                        StorageServer.class.getName())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        String line = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))
                .readLine();
        if (line == null) {
            throw new IllegalStateException("the server did not start");
        }
        StorageServer server = new StorageServer(process, URI.create(line));
        HttpResponse<Void> made = HttpClient.newHttpClient()
                .send(
                        HttpRequest.newBuilder(server.endpoint.resolve("/" + BUCKET))
                                .PUT(HttpRequest.BodyPublishers.noBody())
                                .build(),
                        HttpResponse.BodyHandlers.discarding());
        if (made.statusCode() != 200) {
            server.close();
            throw new IllegalStateException("no bucket: " + made.statusCode());
        }
        return server;
    }

    URI endpoint() {
        return endpoint;
    }

    @Override
    public void close() throws IOException {
        process.getOutputStream().close();
        try {
            if (!process.waitFor(END_SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
