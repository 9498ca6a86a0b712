package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.node.cli.Terrace;
import dev.terrace.testkit.redis.RedisProcess;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The ladder over HTTP and on the command line. */
class LadderHttpIT {
    @TempDir
    Path folder;

    @Test
    void a_node_is_pinned_shown_and_let_go() {
        try (RedisProcess redis = RedisProcess.start();
                NodeFixture node = new NodeFixture(redis.port(), folder.resolve("l3"), null, null)) {
            node.awaitReady();
            String url = "http://127.0.0.1:" + node.port();
            assertThat(node.send("PUT", "/ladder", "{\"rung\": \"read-only\", \"for\": \"30m\", \"why\": \"test\"}")
                            .body())
                    .contains("\"rung\":\"read-only\"", "\"why\":\"test\"");
            assertThat(node.get("/ladder").body()).contains("read-only", "signals", "spent_millis", "until");
            assertThat(node.get("/health/ready").body()).contains("\"rung\":\"read-only\"", "rung_lift");
            HttpResponse<String> refused = node.send("PUT", "/v1/caches/demo/entries/k", "v");
            assertThat(refused.statusCode()).isEqualTo(503);
            assertThat(refused.body()).contains("read-only", "test");

            assertThat(Terrace.run("ladder", "set", "reject", "--for", "10m", "--why", "drill", "--url", url))
                    .isZero();
            HttpResponse<String> rejected = node.get("/v1/caches/demo/entries/k");
            assertThat(rejected.statusCode()).isEqualTo(503);
            assertThat(rejected.headers().firstValue("Retry-After")).isPresent();
            assertThat(node.get("/health/ready").statusCode()).isEqualTo(503);
            assertThat(Terrace.run("ladder", "unset", "--url", url)).isZero();
            assertThat(Terrace.run("ladder", "show", "--url", url)).isZero();
            assertThat(Terrace.run("ladder", "set", "reject", "--url", url)).isEqualTo(2);
            await().atMost(Duration.ofSeconds(40))
                    .untilAsserted(() ->
                            assertThat(node.get("/ladder").body()).contains("\"rung\":\"normal\"", "\"pin\":null"));
            for (String wrong : new String[] {
                "{\"rung\": \"up\", \"for\": \"30m\", \"why\": \"test\"}",
                "{\"rung\": \"direct\", \"for\": \"soon\", \"why\": \"test\"}",
                "{\"rung\": \"direct\", \"for\": \"30m\"}",
                "{\"rung\": \"direct\", \"for\": \"30m\", \"why\": \"test\", \"until\": \"never\"}"
            }) {
                assertThat(node.send("PUT", "/ladder", wrong).statusCode())
                        .as(wrong)
                        .isEqualTo(400);
            }
        }
    }
}
