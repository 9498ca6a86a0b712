package dev.terrace.examples.optimizer;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The example and its script, run as the documents say, with two of the scenes and shorter pauses. */
class ApiOptimizerIT {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private static String get(ApiOptimizer example, String path) throws IOException, InterruptedException {
        HttpResponse<String> answer = CLIENT.send(
                HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + example.port() + path))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(path).isEqualTo(200);
        return answer.body();
    }

    @Test
    void theScriptBreaksThingsAndTheLadderMovesAsItShould() throws Exception {
        try (ApiOptimizer example = new ApiOptimizer(0, 100)) {
            ProcessBuilder script = new ProcessBuilder("bash", "break-things.sh", "api-flaky", "everything");
            script.environment().put("OPTIMIZER", "127.0.0.1:" + example.port());
            script.environment().put("HOLD", "0.5");
            Process running = script.redirectErrorStream(true).start();
            String printed = new String(running.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            System.out.println(printed);
            assertThat(running.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(running.exitValue()).as(printed).isZero();
            assertThat(printed).contains("read-only", "direct", " 0 failed", "writes refused");

            assertThat(get(example, "/status"))
                    .contains(
                            "\"rung\":\"normal\"",
                            "\"to\":\"read-only\"",
                            "\"to\":\"direct\"",
                            "\"to\":\"local-only\"");
            assertThat(get(example, "/metrics"))
                    .contains("ladder_at_normal 1", "ladder_at_read_only 0", "ladder_moves", "visitors_reads");
            assertThat(get(example, "/")).contains("<title>API optimizer</title>", "/status");
            assertThat(get(example, "/rates/EUR-1")).contains("\"pair\":\"EUR-1\"");
        }
    }
}
