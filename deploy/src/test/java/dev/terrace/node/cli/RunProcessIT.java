package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code terrace run} and {@code terrace replay} as processes that are told to stop. */
class RunProcessIT {
    private static final Duration STOP = Duration.ofSeconds(40);
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    @TempDir
    Path given;

    private Path folder;

    @BeforeEach
    void resolve() throws IOException {
        folder = given.toRealPath();
    }

    @AfterEach
    void nothingIsLeftBehind() {
        List<ProcessHandle> left = CommandProcess.serversOf(folder);
        left.forEach(ProcessHandle::destroyForcibly);
        assertThat(left).as("Redis servers left behind").isEmpty();
    }

    private static HttpResponse<String> send(String method, String url, String body)
            throws IOException, InterruptedException {
        return CLIENT.send(
                HttpRequest.newBuilder(URI.create(url))
                        .timeout(Duration.ofSeconds(20))
                        .method(method, HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }

    private CommandProcess node() throws IOException {
        return new CommandProcess(folder, "run", "--port", "0", "--data", "data");
    }

    private void stop(CommandProcess node) throws InterruptedException {
        node.terminate();
        node.awaitEnd(STOP);
        assertThat(node.out()).contains("stopping");
        assertThat(node.err()).doesNotContain("Exception");
        assertThat(CommandProcess.serversOf(folder)).isEmpty();
    }

    @Test
    void aNodeThatIsToldToStopFreesEverythingAndTheNextOneHasItsData() throws Exception {
        String entry = "/v1/caches/demo/entries/greeting";
        try (CommandProcess first = node()) {
            String url = first.awaitUrl();
            assertThat(send("PUT", url + entry, "hello").statusCode()).isEqualTo(200);
            stop(first);
            try (ServerSocket free = new ServerSocket(URI.create(url).getPort(), 1, InetAddress.getLoopbackAddress())) {
                assertThat(free.isBound()).isTrue();
            }
        }
        try (CommandProcess second = node()) {
            String url = second.awaitUrl();
            awaitL2(url);
            HttpResponse<String> read = send("GET", url + entry, "");
            assertThat(read.body()).isEqualTo("hello");
            assertThat(read.headers().firstValue("Terrace-Tier")).hasValue("L2");
            stop(second);
        }
        wipe(folder.resolve("data").resolve("redis"));
        try (CommandProcess third = node()) {
            HttpResponse<String> read = send("GET", third.awaitUrl() + entry, "");
            assertThat(read.body()).isEqualTo("hello");
            assertThat(read.headers().firstValue("Terrace-Tier")).hasValue("L3");
            stop(third);
        }
    }

    /** A node serves at once, and asks L2 as soon as it is connected. */
    private static void awaitL2(String url) {
        Awaitility.await()
                .atMost(Duration.ofSeconds(90))
                .untilAsserted(
                        () -> assertThat(send("GET", url + "/health/ready", "").body())
                                .contains("\"tier\":\"L2\",\"state\":\"ready\"", "\"rung\":\"normal\""));
    }

    private static void wipe(Path redis) throws IOException {
        try (Stream<Path> files = Files.walk(redis)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    @Test
    void aPortInUseIsOneLineAndAnExitCode() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
                CommandProcess node = new CommandProcess(
                        folder, "run", "--port", Integer.toString(taken.getLocalPort()), "--data", "data")) {
            assertThat(node.awaitEnd(Duration.ofSeconds(90))).isEqualTo(ExitCodes.USAGE);
            assertThat(node.err().strip().lines()).as(node.err()).hasSize(1);
            assertThat(node.err()).contains("cannot listen on 127.0.0.1:" + taken.getLocalPort(), "--port");
            assertThat(node.out()).doesNotContain("stopping");
        }
    }

    @Test
    void aSignalDuringTheStartLeavesNothingBehind() throws Exception {
        try (CommandProcess node = node()) {
            Awaitility.await()
                    .atMost(Duration.ofSeconds(90))
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> !CommandProcess.serversOf(folder).isEmpty());
            stop(node);
        }
    }

    @Test
    void aReplayThatIsToldToStopSaysHowFarItCameAndCleansUp() throws Exception {
        try (CommandProcess replay =
                new CommandProcess(folder, "replay", "--origin-latency", "50ms", "--threads", "2", "--json")) {
            Awaitility.await().atMost(Duration.ofSeconds(90)).until(() -> {
                try (Stream<Path> files = Files.list(folder)) {
                    return files.anyMatch(file -> Files.exists(file.resolve("backup")));
                }
            });
            replay.terminate();
            replay.awaitEnd(STOP);
            assertThat(replay.err()).contains("stopped by a signal").doesNotContain("Exception");
            if (replay.err().contains("signal after")) {
                assertThat(replay.out()).contains("\"adds_up\":true");
            }
            try (Stream<Path> files = Files.list(folder)) {
                assertThat(files.map(file -> file.getFileName().toString()))
                        .noneMatch(name -> name.startsWith("terrace-replay"));
            }
        }
    }

    @Test
    void aReplayUsesTheTiersOfASettingsFile() throws Exception {
        Files.writeString(folder.resolve("settings.yaml"), "distributed_cache: {local_cache: {capacity: 5000}}\n");
        try (CommandProcess replay =
                new CommandProcess(folder, "replay", "--config", "settings.yaml", "--limit", "2000", "--json")) {
            assertThat(replay.awaitEnd(Duration.ofSeconds(90))).as(replay.err()).isZero();
            assertThat(replay.out()).contains("\"adds_up\"");
        }
    }
}
