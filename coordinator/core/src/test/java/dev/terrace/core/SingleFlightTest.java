package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.LoaderException;
import dev.terrace.spi.EntryKind;
import dev.terrace.testkit.Entries;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** One search and one load per key, whoever asks. */
class SingleFlightTest {
    private final Stack stack = Stack.ofThree();
    private final Cache<String, String> cache = stack.quotes();
    private final ExecutorService threads = Executors.newFixedThreadPool(200);

    @AfterEach
    void close() {
        threads.shutdownNow();
        stack.close();
    }

    @Test
    void twoHundredCallersShareOneLoad() throws Exception {
        AtomicInteger loads = new AtomicInteger();
        CountDownLatch goOn = new CountDownLatch(1);
        List<Future<String>> callers = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            callers.add(threads.submit(() -> cache.get("hot", key -> {
                loads.incrementAndGet();
                assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                return "value";
            })));
        }
        await().untilAsserted(() ->
                assertThat(stack.counter("cache.quotes.loads.shared")).isEqualTo(199));
        goOn.countDown();
        for (Future<String> caller : callers) {
            assertThat(caller.get(10, TimeUnit.SECONDS)).isEqualTo("value");
        }
        assertThat(loads).hasValue(1);
        // Callers are answered a moment before the flight is put away.
        await().untilAsserted(() ->
                assertThat(stack.metrics.getGauges().get("flights").getValue()).isEqualTo(0));
    }

    @Test
    void callersWhoShareALoadShareItsFailureAndTheNextOneTriesAgain() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        List<Future<String>> callers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            callers.add(threads.submit(() -> cache.get("bad", key -> {
                assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
                throw new IllegalStateException("origin is down");
            })));
        }
        await().untilAsserted(() ->
                assertThat(stack.counter("cache.quotes.loads.shared")).isEqualTo(9));
        goOn.countDown();
        for (Future<String> caller : callers) {
            assertThatThrownBy(() -> caller.get(10, TimeUnit.SECONDS))
                    .hasCauseInstanceOf(LoaderException.class)
                    .hasRootCauseMessage("origin is down");
        }
        assertThat(stack.counter("cache.quotes.load.failures")).isEqualTo(1);
        assertThat(cache.get("bad", key -> "better")).isEqualTo("better");
    }

    @Test
    void aReaderWithoutLoaderIsNotHeldUpByALoadAndDoesNotSpoilOne() throws Exception {
        stack.backup.hold();
        CompletableFuture<String> without = cache.async().get("k").toCompletableFuture();
        CompletableFuture<String> with = cache.async().get("k", key -> "loaded").toCompletableFuture();
        assertThat(stack.backup.waiting()).isEqualTo(1);
        stack.backup.release();
        assertThat(without.get(5, TimeUnit.SECONDS)).isNull();
        assertThat(with.get(5, TimeUnit.SECONDS)).isEqualTo("loaded");
    }

    @Test
    void whileALoadRunsReadersWithoutLoaderSeeWhatOtherNodesWrite() throws Exception {
        CountDownLatch goOn = new CountDownLatch(1);
        Future<String> loading = threads.submit(() -> cache.get("k", key -> {
            assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
            return "old";
        }));
        await().untilAsserted(
                        () -> assertThat(stack.counter("cache.quotes.loads")).isEqualTo(1));
        assertThat(cache.get("k")).isNull();
        long now = stack.clock.millis();
        stack.remoteHeap.put(
                Entries.value(Stack.key("k"), Entries.version(now + 1, 0), now, Stack.TTL, "from another node"),
                dev.terrace.spi.WriteCondition.IF_NEWER);
        assertThat(cache.get("k")).isEqualTo("from another node");
        goOn.countDown();
        assertThat(loading.get(10, TimeUnit.SECONDS)).isEqualTo("old");
        assertThat(cache.get("k")).isEqualTo("from another node");
    }

    @Test
    void overlappingReadersDoNotKeepAnOldSearchAlive() throws Exception {
        CountDownLatch stop = new CountDownLatch(1);
        List<Future<?>> readers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            readers.add(threads.submit(() -> {
                while (stop.getCount() > 0) {
                    cache.get("busy");
                }
            }));
        }
        long now = stack.clock.millis();
        stack.remoteHeap.put(
                Entries.value(Stack.key("busy"), Entries.version(now, 7), now, Stack.TTL, "here"),
                dev.terrace.spi.WriteCondition.IF_NEWER);
        await().untilAsserted(() -> assertThat(cache.get("busy")).isEqualTo("here"));
        stop.countDown();
        for (Future<?> reader : readers) {
            reader.get(10, TimeUnit.SECONDS);
        }
    }

    @Test
    void aBulkLoadAsksOnceForAllThatIsMissingAndWaitsForLoadsOfOthers() throws Exception {
        cache.put("a", "1");
        CountDownLatch goOn = new CountDownLatch(1);
        Future<String> other = threads.submit(() -> cache.get("b", key -> {
            assertThat(goOn.await(10, TimeUnit.SECONDS)).isTrue();
            return "2";
        }));
        await().untilAsserted(
                        () -> assertThat(stack.counter("cache.quotes.loads")).isEqualTo(1));
        List<Set<String>> asked = new ArrayList<>();
        Future<Map<String, String>> bulk = threads.submit(() -> cache.getAll(List.of("a", "b", "c", "d", "e"), keys -> {
            asked.add(Set.copyOf(keys));
            return Map.of("c", "3", "d", "4", "unasked", "9");
        }));
        await().untilAsserted(() -> assertThat(asked).hasSize(1));
        goOn.countDown();
        assertThat(bulk.get(10, TimeUnit.SECONDS))
                .containsOnly(Map.entry("a", "1"), Map.entry("b", "2"), Map.entry("c", "3"), Map.entry("d", "4"));
        assertThat(asked).containsExactly(Set.of("c", "d", "e"));
        assertThat(other.get(10, TimeUnit.SECONDS)).isEqualTo("2");
        assertThat(cache.getAll(List.of("a", "b", "c", "d", "e", "unasked"))).hasSize(4);
        // That e has no value is remembered.
        assertThat(cache.read("e").version()).isNotNull();
        assertThat(stack.local.get(Stack.key("e")).toCompletableFuture().join())
                .isInstanceOfSatisfying(
                        dev.terrace.spi.Lookup.Hit.class,
                        hit -> assertThat(hit.entry().kind()).isEqualTo(EntryKind.NOT_FOUND));
    }

    @Test
    void aBulkReadAsksEachTierOnce() {
        cache.putAll(Map.of("a", "1", "b", "2", "c", "3"));
        stack.local.wipe();
        stack.remoteHeap.evict(Stack.key("c"));
        int remoteCalls = stack.remote.calls();
        int backupCalls = stack.backup.calls();
        assertThat(cache.getAll(List.of("a", "b", "c", "d"))).containsOnlyKeys("a", "b", "c");
        // Two for the reads, one for c on its way up into L2.
        assertThat(stack.remote.calls() - remoteCalls).isEqualTo(2);
        assertThat(stack.backup.calls() - backupCalls).isEqualTo(1);
        assertThat(stack.heldBy(stack.remoteHeap, "c")).isEqualTo("3");
    }
}
