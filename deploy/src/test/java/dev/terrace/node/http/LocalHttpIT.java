package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.node.cli.Terrace;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** L1 of a running node, over HTTP and on the command line. */
class LocalHttpIT {
    @TempDir
    Path folder;

    private static String run(int exitCode, String... arguments) {
        StringWriter out = new StringWriter();
        CommandLine command = Terrace.commandLine().setOut(new PrintWriter(out)).setErr(new PrintWriter(out));
        assertThat(command.execute(arguments)).as(out.toString()).isEqualTo(exitCode);
        return out.toString();
    }

    @Test
    void whatL1HoldsIsShownByCacheWithItsMemoryAndItsHottestKeys() throws IOException {
        try (RedisProcess redis = RedisProcess.start();
                NodeFixture node = new NodeFixture(redis.port(), folder.resolve("l3"), null, null)) {
            node.awaitReady();
            String url = "http://127.0.0.1:" + node.port();
            for (int i = 0; i < 20; i++) {
                node.send("PUT", "/v1/caches/demo/entries/k" + i, "value " + i);
                node.send("PUT", "/v1/caches/large/entries/k" + i, "x".repeat(5_000));
            }
            for (int i = 0; i < 300; i++) {
                assertThat(NodeFixture.tier(node.get("/v1/caches/demo/entries/k0")))
                        .isEqualTo("L1");
            }
            JsonNode local = Exchange.JSON.readTree(node.get("/local?hottest=3").body());
            assertThat(local.path("enabled").asBoolean()).isTrue();
            assertThat(local.path("entries").asInt()).isEqualTo(40);
            assertThat(local.path("parts")).hasSize(2);
            assertThat(local.path("parts").path(0).path("cache").asText()).isEqualTo("large");
            assertThat(local.path("parts").path(0).path("entries").asInt()).isEqualTo(20);
            JsonNode bytes = local.path("bytes");
            assertThat(bytes.path("live").asLong())
                    .isBetween(20 * 5_000L, bytes.path("limit").asLong());
            assertThat(bytes.path("reserved").asLong())
                    .isLessThanOrEqualTo(bytes.path("allowed").asLong());
            assertThat(local.path("hottest").path(0).path("key").asText()).isEqualTo("k0");
            assertThat(local.path("reads").path(0).path("l1").asLong()).isGreaterThanOrEqualTo(300);
            assertThat(node.get("/local?hottest=many").statusCode()).isEqualTo(400);
            assertThat(node.get("/local?coldest=1").statusCode()).isEqualTo(400);

            assertThat(run(0, "top", "--once", "--url", url))
                    .contains("entries   40 of 10,000", "large", "demo", "k0", "up to  8.0 KiB")
                    .doesNotContain("\u001b");
            assertThat(run(0, "top", "--interval", "100ms", "--count", "3", "--url", url)
                            .lines())
                    .hasSize(3)
                    .allMatch(line -> line.startsWith("entries=40 "));
            assertThat(Exchange.JSON
                            .readTree(run(0, "top", "--once", "--json", "--hottest", "1", "--url", url))
                            .path("hottest"))
                    .hasSize(1);
            assertThat(run(2, "top", "--interval", "soon", "--url", url)).contains("--interval", "100ms to 1h");
            assertThat(run(2, "top", "--rows", "0", "--url", url)).contains("--rows");
            assertThat(run(3, "top", "--url", "http://127.0.0.1:1")).contains("no node answers");
        }
    }
}
