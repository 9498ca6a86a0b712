package dev.terrace.node.storm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.terrace.testkit.redis.RedisProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.io.TempDir;

/** Three node processes over one Redis, and an origin that counts who asks it for what. */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Tag("alone")
class StampedeIT {
    private static final long PATIENCE_MILLIS = 60_000;
    private static final int CALLERS = 10_000;

    @TempDir
    static Path folder;

    private static final ExecutorService THREADS = Executors.newCachedThreadPool();
    private static final List<NodeProcess> NODES = new ArrayList<>();

    /** When each call came, by key. */
    private static final Map<String, List<Long>> CALLS = new ConcurrentHashMap<>();

    /** Calls of keys that begin with {@code held} end when told to; all others take 300 ms. */
    private static final Map<String, CountDownLatch> HELD = new ConcurrentHashMap<>();

    private static RedisProcess redis;
    private static HttpServer origin;

    @BeforeAll
    static void start() throws Exception {
        redis = RedisProcess.start();
        origin = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        origin.setExecutor(THREADS);
        origin.createContext("/", StampedeIT::answer);
        origin.start();
        Path settings = Files.writeString(folder.resolve("stampede.yaml"), """
                distributed_cache:
                  local_cache: {enabled: false}
                  distributed_cache: {enabled: true, cluster_nodes: ["127.0.0.1:%d"], topology: standalone, timeout: 2s}
                  loading: {timeout: 30s}
                  caches:
                    quotes: {ttl: 5m}
                """.formatted(redis.port()));
        for (String name : List.of("a", "b", "c")) {
            NodeProcess node = new NodeProcess(name, StampedeNode.class, settings, folder);
            NODES.add(node);
            node.start();
        }
        for (NodeProcess node : NODES) {
            node.awaitReady();
            // The first load makes connections and classes.
            ask(node, "warm-" + node.name(), 1).get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @AfterAll
    static void stop() {
        NODES.forEach(NodeProcess::close);
        HELD.values().forEach(CountDownLatch::countDown);
        origin.stop(0);
        THREADS.shutdownNow();
        redis.close();
    }

    private static void answer(HttpExchange exchange) throws IOException {
        String key = exchange.getRequestURI().getPath().substring(1);
        CALLS.computeIfAbsent(key, fresh -> new CopyOnWriteArrayList<>()).add(System.nanoTime());
        try {
            if (key.startsWith("held")) {
                HELD.computeIfAbsent(key, fresh -> new CountDownLatch(1)).await(30, TimeUnit.SECONDS);
            } else {
                TimeUnit.MILLISECONDS.sleep(300); // what an origin does
            }
        } catch (InterruptedException stopping) {
            Thread.currentThread().interrupt();
        }
        byte[] value = ("value of " + key).getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(200, value.length);
        exchange.getResponseBody().write(value);
        exchange.close();
    }

    private static List<Long> calls(String key) {
        return CALLS.getOrDefault(key, List.of());
    }

    /** So many callers of a node; completes with how many were answered, and what. */
    private static CompletableFuture<String> ask(NodeProcess node, String key, int callers) {
        String address = "http://127.0.0.1:" + origin.getAddress().getPort() + "/";
        return CompletableFuture.supplyAsync(
                () -> {
                    try {
                        String[] words =
                                node.ask(PATIENCE_MILLIS, "crowd", "quotes", key, Integer.toString(callers), address);
                        return words[1].equals("ok") ? words[2] + " " + words[3] : String.join(" ", words);
                    } catch (IOException | InterruptedException e) {
                        return e.toString();
                    }
                },
                THREADS);
    }

    private static void assertAnswered(CompletableFuture<String> asked, int callers, String key) throws Exception {
        assertThat(asked.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isEqualTo(callers + " value of " + key);
    }

    @Test
    @Order(1)
    @Tag("F63")
    void tenThousandCallersOfOneColdKeyOverThreeNodesAreOneCallOfTheOrigin() throws Exception {
        List<CompletableFuture<String>> asked = new ArrayList<>();
        int[] crowds = {CALLERS / 3, CALLERS / 3, CALLERS - 2 * (CALLERS / 3)};
        for (int i = 0; i < 3; i++) {
            asked.add(ask(NODES.get(i), "hot", crowds[i]));
        }
        for (int i = 0; i < 3; i++) {
            assertAnswered(asked.get(i), crowds[i], "hot");
        }
        assertThat(calls("hot")).hasSize(1);
        assertThat(redis.command("KEYS", "*:lease")).as("leases left behind").doesNotContain("hot");
    }

    @Test
    @Order(2)
    @Tag("F77")
    void whenTheLoadingNodeIsKilledTheNextOneTakesOver() throws Exception {
        long tookMillis = takeOver(0);
        if (tookMillis >= 1_000) {
            // A machine that does much besides may hold up one of them.
            tookMillis = takeOver(1);
        }
        assertThat(tookMillis)
                .as("from the kill to the next call of the origin, ms")
                .isLessThan(1_000);
    }

    @Test
    @Order(4)
    @Tag("F16")
    void whenL2FreezesUnderALeaseOthersLoadForThemselvesAndNobodyIsStuck() throws Exception {
        CompletableFuture<String> holder = ask(NODES.get(0), "held-frozen", 1);
        await().until(() -> !calls("held-frozen").isEmpty());
        redis.freeze();
        try {
            CompletableFuture<String> other = ask(NODES.get(1), "held-frozen", 1);
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(calls("held-frozen")).hasSize(2));
            HELD.get("held-frozen").countDown();
            assertAnswered(other, 1, "held-frozen");
            assertAnswered(holder, 1, "held-frozen");
        } finally {
            redis.thaw();
        }
        assertAnswered(ask(NODES.get(2), "held-frozen", 1), 1, "held-frozen");
    }

    @Test
    @Order(3)
    @Tag("F77")
    void whileTheLoadingNodeStandsStillAnotherTakesOverAndNobodyIsStuckWhenItGoesOn() throws Exception {
        String key = "held-paused";
        CompletableFuture<String> paused = ask(NODES.get(0), key, 10);
        await().until(() -> !calls(key).isEmpty());
        NODES.get(0).freeze();
        try {
            CompletableFuture<String> other = ask(NODES.get(1), key, 100);
            await().atMost(Duration.ofSeconds(20))
                    .untilAsserted(() -> assertThat(calls(key)).hasSize(2));
            HELD.get(key).countDown();
            assertAnswered(other, 100, key);
        } finally {
            NODES.get(0).thaw();
        }
        assertAnswered(paused, 10, key);
        assertAnswered(ask(NODES.get(2), key, 10), 10, key);
        assertThat(calls(key)).as("the paused node's and one more").hasSize(2);
        await().untilAsserted(() -> assertThat(redis.command("KEYS", "*:lease"))
                .as("leases left behind")
                .doesNotContain(key));
    }

    private static long takeOver(int loading) throws Exception {
        String key = "held-by-" + loading;
        CompletableFuture<String> lost = ask(NODES.get(loading), key, 10);
        await().until(() -> !calls(key).isEmpty());
        List<CompletableFuture<String>> waiting = new ArrayList<>();
        for (NodeProcess node : NODES.subList(loading + 1, NODES.size())) {
            waiting.add(ask(node, key, 100));
        }
        await().untilAsserted(() -> assertThat(redis.command("GET", leaseOf(key)))
                .as("somebody waits")
                .contains("\n1"));
        NODES.get(loading).kill();
        long killed = System.nanoTime();
        await().pollInterval(Duration.ofMillis(5))
                .atMost(Duration.ofSeconds(20))
                .until(() -> calls(key).size() > 1);
        HELD.get(key).countDown();
        for (CompletableFuture<String> one : waiting) {
            assertAnswered(one, 100, key);
        }
        assertThat(lost.get(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).contains("IOException");
        assertThat(calls(key)).as("the dead node's and one more").hasSize(2);
        NODES.get(loading).start();
        NODES.get(loading).awaitReady();
        return TimeUnit.NANOSECONDS.toMillis(calls(key).get(1) - killed);
    }

    private static String leaseOf(String key) {
        return "{terrace:quotes:" + key + "}:lease";
    }
}
