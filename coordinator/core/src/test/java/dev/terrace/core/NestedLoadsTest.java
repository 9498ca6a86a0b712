package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.BulkLoadException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.LoaderException;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Settings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Loaders that ask the cache for something. */
@Tag("F64")
class NestedLoadsTest {
    private static final int THREADS = 2;
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static Stack stack() {
        Settings settings = Stack.settings(new LoadingSettings(TIMEOUT, THREADS), LimitSettings.defaults());
        return Stack.ofThree(settings);
    }

    private static Cache<String, String> parts(Stack stack) {
        return stack.coordinator.cache("parts", Codecs.stringKey(), Codecs.string());
    }

    @Test
    void loadersThatWaitForOtherLoadersLeaveThemAThread() throws Exception {
        try (Stack stack = stack()) {
            Cache<String, String> pages = stack.quotes();
            Cache<String, String> parts = parts(stack);
            CyclicBarrier allThreadsTaken = new CyclicBarrier(THREADS);
            List<CompletableFuture<String>> asked = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                String name = "k" + i;
                asked.add(pages.async()
                        .get(name, key -> {
                            allThreadsTaken.await(20, TimeUnit.SECONDS);
                            return "page of " + parts.get(key, part -> "inner " + parts.get(part + "'", deep -> deep));
                        })
                        .toCompletableFuture());
            }
            for (int i = 0; i < THREADS; i++) {
                assertThat(asked.get(i).get(20, TimeUnit.SECONDS)).isEqualTo("page of inner k" + i + "'");
            }
        }
    }

    @Test
    void aPlaceIsLentAsLongAsItsThreadWaitsAndNotWhenThereIsNothingToWaitFor() throws Exception {
        try (LoaderThreads lane = new LoaderThreads("lending", 1)) {
            CompletableFuture<String> inner = new CompletableFuture<>();
            CompletableFuture<String> outer = new CompletableFuture<>();
            lane.execute(() -> outer.complete(Patience.await(inner, TIMEOUT.toNanos(), "get", "cache 'pages'")));
            lane.execute(() -> inner.complete("from the place that was lent"));
            assertThat(outer.get(20, TimeUnit.SECONDS)).startsWith("from the place");
            await().untilAsserted(() -> assertThat(lane.load()).startsWith("1 run"));
            assertThat(LoaderThreads.lendWhile(new CompletableFuture<>()))
                    .as("no thread of a lane")
                    .isNull();
        }
    }

    @Test
    void aLoaderThatAsksForItsOwnKeyIsToldAtOnce() {
        try (Stack stack = stack()) {
            Cache<String, String> cache = stack.quotes();
            long began = System.nanoTime();
            assertThatThrownBy(() -> cache.get("k", key -> cache.get(key, again -> "inner")))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("'quotes'")
                    .hasMessageContaining("would wait for itself");
            assertThatThrownBy(() -> cache.getAll(List.of("m"), keys -> cache.getAll(keys, again -> Map.of())))
                    .isInstanceOf(BulkLoadException.class)
                    .hasMessageContaining("would wait for itself");
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(TIMEOUT.dividedBy(2));
            assertThat(cache.get("k", key -> "fine")).isEqualTo("fine");
        }
    }

    @Test
    void soIsOneThatComesBackToItsKeyByWayOfAnother() {
        try (Stack stack = stack()) {
            Cache<String, String> pages = stack.quotes();
            Cache<String, String> parts = parts(stack);
            long began = System.nanoTime();
            assertThatThrownBy(() -> pages.get("k", key -> parts.get(key, part -> pages.get(part, again -> "round"))))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("would wait for itself");
            assertThat(Duration.ofNanos(System.nanoTime() - began)).isLessThan(TIMEOUT.dividedBy(2));
        }
    }

    @Test
    void whatALoaderReadsWithoutALoaderOrWritesUnderItsKeyIsNoWaitForItself() {
        try (Stack stack = stack()) {
            Cache<String, String> cache = stack.quotes();
            assertThat(cache.get("k", key -> "had " + cache.get(key))).isEqualTo("had null");
            assertThat(cache.get("m", key -> {
                        cache.put(key, "put");
                        return cache.get(key, again -> "not asked");
                    }))
                    .isEqualTo("put");
        }
    }
}
