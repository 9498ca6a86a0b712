package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NodeHttpIT {
    private static final ObjectMapper JSON = new ObjectMapper();

    @TempDir
    static Path folder;

    private static RedisProcess redis;
    private static NodeFixture node;

    @BeforeAll
    static void start() {
        redis = RedisProcess.start();
        node = new NodeFixture(redis.port(), folder.resolve("backup"), null, null);
        node.awaitReady();
    }

    @AfterAll
    static void stop() {
        node.close();
        redis.close();
    }

    private static JsonNode json(HttpResponse<String> response) {
        try {
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new AssertionError(response.body(), e);
        }
    }

    private static String entry(String cache, String key) {
        return "/v1/caches/" + cache + "/entries/" + key;
    }

    @Test
    void whatIsPutIsReadWithItsOrigins() {
        HttpResponse<String> put = node.send("PUT", entry("demo", "greeting"), "hello");
        assertThat(put.statusCode()).isEqualTo(200);
        assertThat(json(put).path("stored")).hasSize(3);
        HttpResponse<String> got = node.get(entry("demo", "greeting"));
        assertThat(got.body()).isEqualTo("hello");
        assertThat(NodeFixture.tier(got)).isEqualTo("L1");
        assertThat(got.headers().firstValue("Terrace-Freshness")).hasValue("fresh");
        assertThat(got.headers().firstValue("Age")).isPresent();
        assertThat(got.headers().firstValue("ETag"))
                .hasValue('"' + json(put).path("version").asText() + '"');
    }

    @Test
    void deletingMakesItNotFound() {
        node.send("PUT", entry("demo", "short"), "x");
        assertThat(json(node.send("DELETE", entry("demo", "short"), null))
                        .path("applied")
                        .asBoolean())
                .isTrue();
        HttpResponse<String> gone = node.get(entry("demo", "short"));
        assertThat(gone.statusCode()).isEqualTo(404);
        assertThat(gone.headers().firstValue("Content-Type")).hasValue("application/problem+json");
        assertThat(json(gone).path("status").asInt()).isEqualTo(404);
    }

    @Test
    void conditionsAreHonoured() {
        String path = entry("demo", "conditional");
        assertThat(node.send("PUT", path, "1", "If-None-Match", "*").statusCode())
                .isEqualTo(200);
        assertThat(node.send("PUT", path, "2", "If-None-Match", "*").statusCode())
                .isEqualTo(412);
        String etag = node.get(path).headers().firstValue("ETag").orElseThrow();
        assertThat(node.send("PUT", path, "3", "If-Match", etag).statusCode()).isEqualTo(200);
        assertThat(node.send("PUT", path, "4", "If-Match", etag).statusCode()).isEqualTo(412);
        assertThat(node.send("PUT", path, "5", "If-Match", "nonsense").statusCode())
                .isEqualTo(400);
        assertThat(node.get(path).body()).isEqualTo("3");
    }

    @Test
    void countersCount() {
        String path = entry("demo", "counter") + "/increment";
        assertThat(json(node.send("POST", path, "")).path("value").asLong()).isEqualTo(1);
        assertThat(json(node.send("POST", path + "?delta=41", "")).path("value").asLong())
                .isEqualTo(42);
        assertThat(node.send("POST", path + "?delta=x", "").statusCode()).isEqualTo(400);
        node.send("PUT", entry("demo", "text"), "no number");
        assertThat(node.send("POST", entry("demo", "text") + "/increment", "").statusCode())
                .isEqualTo(409);
    }

    @Test
    void manyAtOnce() {
        String a = Base64.getEncoder().encodeToString("A".getBytes(StandardCharsets.UTF_8));
        HttpResponse<String> put = node.send(
                "POST", "/v1/caches/bulk/bulk/put", "{\"entries\": {\"a\": \"" + a + "\", \"b\": \"" + a + "\"}}");
        assertThat(json(put).path("receipts")).hasSize(2);
        JsonNode got = json(node.send("POST", "/v1/caches/bulk/bulk/get", "{\"keys\": [\"a\", \"b\", \"c\"]}"));
        assertThat(got.path("entries")).hasSize(2);
        assertThat(got.path("entries").path("a").asText()).isEqualTo(a);
        assertThat(json(node.send("POST", "/invalidate", "{\"cache\": \"bulk\", \"keys\": [\"a\"]}"))
                        .path("receipts"))
                .hasSize(1);
        assertThat(node.get(entry("bulk", "a")).statusCode()).isEqualTo(404);
        node.send("POST", "/invalidate", "{\"cache\": \"bulk\", \"all\": true}");
        assertThat(node.get(entry("bulk", "b")).statusCode()).isEqualTo(404);
    }

    @Test
    @Tag("F70")
    void keysAreAnyBytes() {
        for (String key :
                List.of("a%2Fb", "%01", "%FF%FE", "%C3%28", "..", "%2e%2e", "a+b", "a%20b", "%7Bslot%7D", "%25")) {
            assertThat(node.send("PUT", entry("odd", key), "value of " + key).statusCode())
                    .as(key)
                    .isEqualTo(200);
        }
        assertThat(node.get(entry("odd", "%00")).statusCode())
                .as("HTTP itself forbids it in a path; the bulk requests take it")
                .isEqualTo(400);
        assertThat(node.get(entry("odd", "a%2fb")).body()).isEqualTo("value of a%2Fb");
        assertThat(node.get(entry("odd", "%ff%fe")).body()).isEqualTo("value of %FF%FE");
        assertThat(node.get(entry("odd", "%7Bslot%7D")).body()).isEqualTo("value of %7Bslot%7D");
        assertThat(node.get(entry("odd", "a+b")).body()).isEqualTo("value of a+b");
    }

    @Test
    @Tag("F70")
    void whatDoesNotFitIsRefusedByName() {
        assertThat(node.get(entry("demo", "")).statusCode()).isEqualTo(400);
        HttpResponse<String> longKey = node.get(entry("demo", "k".repeat(1_025)));
        assertThat(longKey.statusCode()).isEqualTo(413);
        assertThat(longKey.body()).contains("key of 1025 bytes exceeds max_key_bytes 1024 of cache 'demo'");
        HttpResponse<String> longValue = node.send("PUT", entry("demo", "big"), "v".repeat((1 << 20) + 1));
        assertThat(longValue.statusCode()).isEqualTo(413);
        assertThat(longValue.body()).contains("value of 1048577 bytes exceeds max_value_bytes 1048576");
        HttpResponse<String> longBody = node.send("PUT", entry("demo", "bigger"), "v".repeat((2 << 20) + 1));
        assertThat(longBody.statusCode()).isEqualTo(413);
        assertThat(longBody.body()).contains("exceeds max_body_bytes 2097152");
        assertThat(node.get(entry("terrace.markers", "x")).body()).contains("reserved");
    }

    @Test
    void whatIsNotThereIsAProblem() {
        assertThat(node.get("/nowhere").statusCode()).isEqualTo(404);
        HttpResponse<String> wrongMethod = node.send("POST", entry("demo", "x"), "");
        assertThat(wrongMethod.statusCode()).isEqualTo(405);
        assertThat(wrongMethod.headers().firstValue("Allow")).hasValue("DELETE, GET, PUT");
        for (String body : List.of("", "[]", "{", "{\"keys\": 1}", "{\"keys\": [1]}", "{} {}")) {
            assertThat(node.send("POST", "/v1/caches/demo/bulk/get", body).statusCode())
                    .as(body)
                    .isEqualTo(400);
        }
        assertThat(node.get("/jobs/999").statusCode()).isEqualTo(404);
    }

    private static String raw(String request) throws IOException {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), node.port())) {
            socket.setSoTimeout(15_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        }
    }

    /** More than fits into the buffers on the way, from a client that reads nothing before it has sent everything. */
    @Test
    @Tag("F70")
    void whoSendsABodyThatWasRefusedHearsTheAnswer() throws IOException {
        int bytes = 16 << 20;
        String head = " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: " + bytes + "\r\n\r\n";
        String body = "v".repeat(bytes);
        assertThat(raw("PUT " + entry("demo", "biggest") + head + body))
                .startsWith("HTTP/1.1 413")
                .contains("Connection: close")
                .contains("body of 16777216 bytes exceeds max_body_bytes 2097152");
        assertThat(raw("POST /nowhere" + head + body))
                .startsWith("HTTP/1.1 404")
                .contains("Connection: close");
    }

    @Test
    void rubbishOnTheWireIsAnsweredAndTheNodeLivesOn() throws IOException {
        assertThat(raw("GET " + entry("demo", "%ZZ") + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"))
                .contains(" 400 ")
                .doesNotContain("\tat ");
        assertThat(raw("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "y".repeat(40_000) + "\r\n\r\n"))
                .contains(" 431 ");
        assertThat(raw("\u0000\u0001\u0002 rubbish\r\n\r\n")).contains(" 400 ");
        String chunked = "PUT " + entry("demo", "chunked")
                + " HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n";
        String chunk = "10000\r\n" + "z".repeat(0x10000) + "\r\n";
        assertThat(raw(chunked + chunk.repeat(40) + "0\r\n\r\n")).contains(" 413 ");
        assertThat(node.get("/health/live").statusCode()).isEqualTo(200);
    }

    @Test
    void pagesOfOtherSitesCannotReachIn() throws IOException {
        assertThat(raw("GET / HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"))
                .contains(" 403 ");
        assertThat(raw("POST /invalidate HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://evil.example\r\n"
                        + "Content-Length: 0\r\nConnection: close\r\n\r\n"))
                .contains(" 403 ");
    }

    @Test
    @Tag("F70")
    void keysThatLookAlikeAreKeptApart() {
        String rocket = "%F0%9F%9A%80";
        node.send("PUT", entry("emoji", rocket), "rocket");
        node.send("PUT", entry("emoji", "%F0%9F%8E%89"), "party");
        assertThat(node.get(entry("emoji", rocket)).body()).isEqualTo("rocket");
        assertThat(node.send("POST", "/v1/caches/emoji/bulk/get", "{\"keys\": [\"\\ud800\"]}")
                        .statusCode())
                .isEqualTo(400);
    }

    @Test
    void requestsThatContradictThemselvesChangeNothing() {
        node.send("PUT", entry("demo", "kept"), "kept");
        assertThat(node.send("POST", "/invalidate", "{\"cache\": \"demo\", \"keys\": [\"x\"], \"all\": true}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(node.send("PUT", entry("demo", "kept"), "2", "If-None-Match", "\"tag\"")
                        .statusCode())
                .isEqualTo(400);
        assertThat(node.send("DELETE", entry("demo", "kept"), null, "If-Match", "\"tag\"")
                        .statusCode())
                .isEqualTo(400);
        assertThat(node.send("POST", "/warmup", "{\"max_entrys\": 1}").statusCode())
                .isEqualTo(400);
        assertThat(node.send("POST", "/warmup", "{").statusCode()).isEqualTo(400);
        assertThat(node.send("POST", "/warmup", "{\"hit_ratio\": 2}").body()).contains("above 0, at most 1");
        assertThat(node.send("POST", "/v1/caches/demo/bulk/put", "{\"entries\": {\"a\": \"QQ==\", \"a\": \"Qg==\"}}")
                        .statusCode())
                .isEqualTo(400);
        assertThat(node.get(entry("demo", "kept")).body()).isEqualTo("kept");
    }

    @Test
    void explainsAndMeasuresItself() {
        node.send("PUT", entry("demo", "explained"), "x");
        JsonNode explanation = json(node.get(entry("demo", "explained") + "/explain"));
        assertThat(explanation.path("copies")).hasSize(3);
        assertThat(explanation.path("decision").asText()).contains("fresh value in L1");
        node.get(entry("demo", "explained"));
        assertThat(json(node.get("/cache-metrics"))
                        .path("metrics")
                        .path("cache.demo.hits.l1")
                        .asLong())
                .isPositive();
        HttpResponse<String> prometheus = node.get("/metrics");
        assertThat(prometheus.body()).contains("cache_demo_hits_l1");
        assertThat(prometheus.headers().firstValue("Content-Type").orElseThrow())
                .startsWith("text/plain");
        assertThat(node.get("/health/ready").statusCode()).isEqualTo(200);
        assertThat(node.get("/").body()).contains("/v1/caches/");
    }

    @Test
    void aWarmUpIsAJobThatRefillsWhatRedisLost() {
        for (int i = 0; i < 50; i++) {
            node.send("PUT", entry("warm", "key-" + i), "value " + i);
        }
        redis.command("FLUSHALL");
        HttpResponse<String> started = node.send("POST", "/warmup", "{\"caches\": [\"warm\"]}");
        assertThat(started.statusCode()).isEqualTo(202);
        String job = started.headers().firstValue("Location").orElseThrow();
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> json(node.get(job)).path("state").asText().equals("done"));
        assertThat(json(node.get(job)).path("progress").path("copied").asLong()).isEqualTo(50);
        assertThat(redis.command("DBSIZE")).startsWith(":");
        assertThat(redis.command("EXISTS", "terrace:warm:key-7")).startsWith(":1");
    }

    @Test
    void aWarmUpIsStoppedByDeletingItsJob() {
        for (int i = 0; i < 50; i++) {
            node.send("PUT", entry("slow", "key-" + i), "value " + i);
        }
        HttpResponse<String> started =
                node.send("POST", "/warmup", "{\"caches\": [\"slow\"], \"entries_per_second\": 1, \"shared\": false}");
        String job = started.headers().firstValue("Location").orElseThrow();
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> json(node.get(job)).path("progress").path("read").asLong() > 0);
        assertThat(node.send("DELETE", job, null).statusCode()).isEqualTo(202);
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> json(node.get(job)).path("state").asText().equals("stopped"));
        assertThat(json(node.get(job)).path("progress").path("outcome").asText())
                .isEqualTo("stopped");
        assertThat(node.send("DELETE", "/jobs/no-such", null).statusCode()).isEqualTo(404);
    }

    @Test
    void aTokenGuardsEverythingButLiveness() {
        try (NodeFixture guarded = new NodeFixture(redis.port(), folder.resolve("guarded"), null, "open-sesame")) {
            assertThat(guarded.get("/health/live").statusCode()).isEqualTo(200);
            assertThat(guarded.get("/health/ready").statusCode()).isEqualTo(401);
            assertThat(guarded.get(entry("demo", "x")).statusCode()).isEqualTo(401);
            assertThat(guarded.get("/nowhere").statusCode()).isEqualTo(401);
            assertThat(guarded.send("GET", "/", null, "Authorization", "Bearer wrong")
                            .statusCode())
                    .isEqualTo(401);
            assertThat(guarded.send("GET", "/", null, "Authorization", "Bearer open-sesame")
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void withoutRedisTheNodeGoesOnAndRejoins() {
        RedisProcess own = RedisProcess.start();
        try (NodeFixture alone = new NodeFixture(own.port(), folder.resolve("alone"), null, null)) {
            alone.awaitReady();
            alone.send("PUT", entry("demo", "before"), "x");
            own.kill();
            HttpResponse<String> put = alone.send("PUT", entry("demo", "during"), "y");
            assertThat(put.statusCode()).isEqualTo(200);
            assertThat(json(put).path("missed").get(0).asText()).isEqualTo("L2");
            assertThat(alone.get(entry("demo", "before")).body()).isEqualTo("x");
            assertThat(alone.get(entry("demo", "during")).body()).isEqualTo("y");
            assertThat(alone.send("POST", entry("demo", "n") + "/increment", "").statusCode())
                    .as("nobody can decide it for the fleet")
                    .isEqualTo(503);
            own.restart();
            Awaitility.await()
                    .atMost(Duration.ofSeconds(40))
                    .untilAsserted(() -> assertThat(own.command("EXISTS", "terrace:demo:during"))
                            .as(
                                    "the missed write is replayed; tiers: %s",
                                    alone.coordinator().tiers())
                            .startsWith(":1"));
            assertThat(alone.coordinator().tiers().get(1).state()).isEqualTo(TierStatus.State.READY);
        } finally {
            own.close();
        }
    }
}
