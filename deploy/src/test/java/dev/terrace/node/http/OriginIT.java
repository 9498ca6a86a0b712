package dev.terrace.node.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loading;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.OriginResponse;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The first user's case: a node before a slow HTTP API. */
class OriginIT {
    @TempDir
    Path folder;

    private final AtomicInteger calls = new AtomicInteger();
    private final AtomicInteger unchanged = new AtomicInteger();
    private volatile int status = 200;
    private HttpServer origin;
    private RedisProcess redis;

    @BeforeEach
    void start() throws IOException {
        redis = RedisProcess.start();
        origin = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        origin.setExecutor(Executors.newCachedThreadPool());
        origin.createContext("/api/", exchange -> {
            calls.incrementAndGet();
            exchange.getResponseHeaders().add("ETag", "\"v1\"");
            if ("\"v1\"".equals(exchange.getRequestHeaders().getFirst("If-None-Match"))) {
                unchanged.incrementAndGet();
                exchange.sendResponseHeaders(304, -1);
                exchange.close();
                return;
            }
            byte[] body = ("answer to " + exchange.getRequestURI()).getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "text/x-answer");
            exchange.sendResponseHeaders(status, status == 200 ? body.length : -1);
            if (status == 200) {
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        origin.start();
    }

    @AfterEach
    void stop() {
        origin.stop(0);
        redis.close();
    }

    private NodeFixture node() {
        NodeFixture node = new NodeFixture(
                redis.port(),
                folder.resolve("backup"),
                URI.create("http://127.0.0.1:" + origin.getAddress().getPort() + "/api"),
                null);
        node.awaitReady();
        return node;
    }

    @Test
    void theOriginIsAskedOnceAndThenL1AnswersAndAfterARestartL2AndAfterLosingThatL3() {
        try (NodeFixture node = node()) {
            HttpResponse<String> first = node.get("/origin/prices/7?currency=eur");
            assertThat(first.statusCode()).isEqualTo(200);
            assertThat(first.body()).isEqualTo("answer to /api/prices/7?currency=eur");
            assertThat(first.headers().firstValue("Content-Type")).hasValue("text/x-answer");
            assertThat(NodeFixture.tier(first)).isEqualTo("LOADER");
            assertThat(NodeFixture.tier(node.get("/origin/prices/7?currency=eur")))
                    .isEqualTo("L1");
        }
        try (NodeFixture restarted = node()) {
            assertThat(NodeFixture.tier(restarted.get("/origin/prices/7?currency=eur")))
                    .isEqualTo("L2");
        }
        redis.command("FLUSHALL");
        try (NodeFixture wiped = node()) {
            HttpResponse<String> third = wiped.get("/origin/prices/7?currency=eur");
            assertThat(NodeFixture.tier(third)).isEqualTo("L3");
            assertThat(third.body()).isEqualTo("answer to /api/prices/7?currency=eur");
        }
        assertThat(calls).hasValue(1);
    }

    @Test
    @Tag("F16")
    void whatAFrozenL2MayHoldIsUnknownAndNotAbsent() {
        try (NodeFixture node = node()) {
            assertThat(node.get("/v1/caches/demo/entries/none").statusCode()).isEqualTo(404);
            redis.freeze();
            try {
                HttpResponse<String> answer = node.get("/v1/caches/demo/entries/none");
                assertThat(answer.statusCode()).isEqualTo(503);
                assertThat(answer.headers().firstValue("Retry-After")).isPresent();
                assertThat(answer.body()).contains("not known").contains("/health/ready");
            } finally {
                redis.thaw();
            }
        }
    }

    @Test
    void whatTheOriginSaysDidNotChangeIsFreshAgainWithoutBeingSent() throws Exception {
        HttpOrigin http = new HttpOrigin(
                URI.create("http://127.0.0.1:" + origin.getAddress().getPort() + "/api"),
                Duration.ofSeconds(5),
                1 << 20);
        byte[] key = "prices/7".getBytes(StandardCharsets.UTF_8);
        CachePolicy brief = new CachePolicy(Duration.ofMillis(1), Duration.ofMinutes(5), null, null);
        Settings base = Settings.defaults();
        Settings settings = new Settings(
                base.localCache(),
                base.distributedCache(),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                base.loading(),
                base.limits(),
                Map.of("origin", brief),
                base.classes(),
                base.server());
        try (CacheCoordinator coordinator = CacheCoordinator.open(settings)) {
            Cache<byte[], OriginResponse> cache = coordinator.cache("origin", Codecs.bytesKey(), OriginResponse.CODEC);
            Loading<byte[], OriginResponse> loading = Loading.by(http);
            OriginResponse first = Objects.requireNonNull(cache.get(key, loading));
            Awaitility.await().until(() -> cache.get(key) == null);
            OriginResponse again = Objects.requireNonNull(cache.get(key, loading));
            assertThat(again.body()).isEqualTo(first.body());
            assertThat(again.etag()).isEqualTo("\"v1\"");
            assertThat(unchanged).hasValue(1);
        }
    }

    @Test
    void aFailingOriginIsABadGatewayAndAMissingThingIsNotFound() {
        try (NodeFixture node = node()) {
            status = 500;
            HttpResponse<String> failed = node.get("/origin/broken");
            assertThat(failed.statusCode()).isEqualTo(502);
            assertThat(failed.body()).contains("answered 500").doesNotContain("Exception:");
            status = 404;
            assertThat(node.get("/origin/missing").statusCode()).isEqualTo(404);
            status = 200;
            assertThat(node.get("/origin/broken").statusCode())
                    .as("a failure is not remembered")
                    .isEqualTo(200);
        }
    }

    @Test
    void aKeyNeitherClimbsNorLeavesTheOrigin() {
        try (NodeFixture node = node()) {
            for (String path : new String[] {
                "/origin/../secret",
                "/origin/a/%2e%2e/b",
                "/v1/caches/origin/entries/..%2Fsecret",
                "/v1/caches/origin/entries/http:%2F%2Fevil.example%2F",
                "/v1/caches/origin/entries/%2Fabsolute"
            }) {
                int answered = node.get(path).statusCode();
                assertThat(answered).as(path).isIn(200, 400);
                if (answered == 200) {
                    assertThat(node.get(path).body()).as(path).startsWith("answer to /api/");
                }
            }
            assertThat(node.send("PUT", "/v1/caches/origin/entries/x", "mine").statusCode())
                    .isEqualTo(409);
        }
    }
}
