package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkLoadException;
import dev.terrace.api.Cache;
import dev.terrace.api.Freshness;
import dev.terrace.api.LoadContext;
import dev.terrace.api.Loaded;
import dev.terrace.api.LoaderException;
import dev.terrace.api.Loading;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.CacheClass;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Settings;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Loaders that see what the cache holds and say how what they bring is kept; asynchronous ones; bulk ones that fail in part. */
@Tag("F64")
class LoadedTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    @Test
    void theLoaderSeesTheOldValueAndMayAnswerThatNothingChanged() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            AtomicReference<LoadContext<String, String>> seen = new AtomicReference<>();
            Loading<String, String> first = Loading.by(context -> {
                seen.set(context);
                return Loaded.value("v1").withTags("market:eu");
            });
            assertThat(cache.get("k", first)).isEqualTo("v1");
            assertThat(seen.get().oldValue()).isNull();
            assertThat(seen.get().key()).isEqualTo("k");
            assertThat(seen.get().timeout()).isEqualTo(Duration.ofSeconds(2));
            ReadResult<String> before = cache.read("k");

            stack.clock.advance(Stack.TTL);
            Loading<String, String> same = Loading.by(context -> {
                seen.set(context);
                return Loaded.notChanged();
            });
            ReadResult<String> after = cache.read("k", same);
            assertThat(seen.get().oldValue()).isEqualTo("v1");
            assertThat(seen.get().oldVersion()).isEqualTo(before.version());
            assertThat(seen.get().oldAge()).isEqualTo(Stack.TTL);
            assertThat(seen.get().oldTags()).containsExactly("market:eu");
            assertThat(after.value()).isEqualTo("v1");
            assertThat(after.freshness()).isEqualTo(Freshness.FRESH);
            assertThat(after.age()).isZero();
            assertThat(cache.read("k").source()).isEqualTo(Source.L1);

            // The tags go on too.
            cache.invalidateTags(List.of("market:eu"));
            assertThat(cache.get("k")).isNull();
            assertThatThrownBy(() -> cache.get("k", same))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("no old value");
        }
    }

    @Test
    void whatWasInvalidatedIsNotAnOldValue() {
        try (Stack stack = Stack.ofThree()) {
            stack.quotes().put("k", "v");
            stack.quotes().invalidate("k");
            assertThat(stack.quotes().get("k", Loading.by(context -> Loaded.value("" + context.oldValue()))))
                    .isEqualTo("null");
        }
    }

    @Test
    void theLoaderSaysHowLongWhatItBringsIsKeptAndWhetherItIsMissing() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.cache("plain");
            AtomicInteger calls = new AtomicInteger();
            Loading<String, String> brief = Loading.by(context -> {
                calls.incrementAndGet();
                return Loaded.value("v").withTtl(Duration.ofSeconds(3));
            });
            cache.get("k", brief);
            stack.clock.advance(Duration.ofMillis(2_999));
            cache.get("k", brief);
            assertThat(calls).hasValue(1);
            stack.clock.advance(Duration.ofMillis(1));
            cache.get("k", brief);
            assertThat(calls).hasValue(2);

            Loading<String, String> missing = Loading.by(context -> {
                calls.incrementAndGet();
                return Loaded.<String>notFound().withTtl(Duration.ofSeconds(7));
            });
            assertThat(cache.get("none", missing)).isNull();
            assertThat(cache.get("none", missing)).isNull();
            assertThat(calls).hasValue(3);
            stack.clock.advance(Duration.ofSeconds(7));
            assertThat(cache.get("none", missing)).isNull();
            assertThat(calls).hasValue(4);
            assertThatThrownBy(() -> Loaded.value("v").withTtl(Duration.ZERO)).isInstanceOf(BadInputException.class);
        }
    }

    @Test
    void theLoaderNamesAClassAndOneThatThereIsNotFailsTheLoad() {
        Settings base = Stack.settings();
        Settings settings = new Settings(
                base.localCache(),
                base.distributedCache(),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                base.loading(),
                base.limits(),
                base.caches(),
                List.of(new CacheClass("hot:*", "hot", new CachePolicy(Duration.ofSeconds(2), null, null, null))),
                base.server());
        try (Stack stack = Stack.ofThree(settings)) {
            Cache<String, String> cache = stack.quotes();
            cache.get("k", Loading.by(context -> Loaded.value("v").withClass("hot")));
            stack.clock.advance(Duration.ofSeconds(2));
            assertThat(cache.get("k")).isNull();
            assertThatThrownBy(() -> cache.get(
                            "x", Loading.by(context -> Loaded.value("v").withClass("cold"))))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("'cold'")
                    .hasMessageContaining("[hot]");
        }
    }

    @Test
    void anAsynchronousLoaderNeedsNoThreadAndItsFailuresAreShared() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            CompletableFuture<Loaded<String>> origin = new CompletableFuture<>();
            AtomicInteger calls = new AtomicInteger();
            List<Thread> asking = new ArrayList<>();
            Loading<String, String> async = Loading.byAsync(context -> {
                calls.incrementAndGet();
                asking.add(Thread.currentThread());
                return origin;
            });
            List<CompletableFuture<String>> callers = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                callers.add(cache.async().get("k", async).toCompletableFuture());
            }
            assertThat(asking).containsExactly(Thread.currentThread());
            origin.complete(Loaded.value("v"));
            callers.forEach(
                    caller -> assertThat(caller).succeedsWithin(PATIENCE).isEqualTo("v"));
            assertThat(calls).hasValue(1);
            for (Loading<String, String> bad : List.of(
                    Loading.<String, String>byAsync(context -> CompletableFuture.failedStage(new IOException("down"))),
                    Loading.<String, String>byAsync(context -> {
                        throw new IOException("down");
                    }))) {
                assertThatThrownBy(() -> cache.get("bad", bad))
                        .isInstanceOf(LoaderException.class)
                        .hasRootCauseInstanceOf(IOException.class);
            }
            assertThatThrownBy(() -> cache.get("bad", Loading.<String, String>byAsync(context -> null)))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("no stage");
            assertThatThrownBy(() -> cache.get("bad", Loading.<String, String>by(context -> null)))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("notFound");
        }
    }

    @Test
    void anAsynchronousLoaderThatNeverEndsIsCancelledAtTheTimeoutAndLeavesNothingBehind() {
        LoadingSettings brief = new LoadingSettings(Duration.ofMillis(1_500), 2);
        try (Stack stack = Stack.ofThree(Stack.loadingBy(LoadingPolicy.INHERIT, brief))) {
            CompletableFuture<Loaded<String>> origin = new CompletableFuture<>();
            assertThatThrownBy(() -> stack.quotes().get("k", Loading.byAsync(context -> origin)))
                    .isInstanceOf(LoaderException.class)
                    .hasMessageContaining("1500 ms");
            await().untilAsserted(() -> assertThat(origin).isCancelled());
            await().untilAsserted(() -> assertThat(
                            stack.metrics.getGauges().get("flights").getValue())
                    .isEqualTo(0));
            assertThat(stack.quotes().get("k", key -> "again")).isEqualTo("again");
        }
    }

    @Test
    void theFallbackIsAnsweredOnlyWhenThereIsNothingElseAndIsNotKept() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            Loading<String, String> down = Loading.<String, String>of(key -> {
                        throw new IOException("down");
                    })
                    .orElse("unknown");
            assertThat(cache.get("k", down)).isEqualTo("unknown");
            ReadResult<String> read = cache.read("k", down);
            assertThat(read.value()).isEqualTo("unknown");
            assertThat(read.freshness()).isEqualTo(Freshness.STALE);
            assertThat(read.source()).isEqualTo(Source.NONE);
            assertThat(cache.get("k")).isNull();
            cache.put("k", "v");
            stack.clock.advance(Stack.TTL);
            assertThat(cache.get("k", down)).isEqualTo("v");
            assertThat(cache.get(
                            "new", Loading.<String, String>of(key -> "loaded").orElse("unknown")))
                    .isEqualTo("loaded");
            assertThat(cache.get("none", Loading.<String, String>of(key -> null).orElse("unknown")))
                    .isNull();
        }
    }

    @Test
    void optionsOfTheCallHoldUnlessTheLoaderSaysOtherwise() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            Loading<String, String> tagged = Loading.<String, String>of(key -> "v")
                    .withOptions(WriteOptions.DEFAULTS.withTags("mine").withTtl(Duration.ofSeconds(5)));
            cache.get("k", tagged);
            cache.invalidateTags(List.of("mine"));
            assertThat(cache.get("k")).isNull();
            cache.get("k", tagged);
            stack.clock.advance(Duration.ofSeconds(5));
            assertThat(cache.get("k")).isNull();
        }
    }

    @Test
    void aBulkLoaderThatFailsForSomeKeysIsBelievedForTheOthers() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("stale", "old");
            stack.clock.advance(Stack.TTL);
            cache.put("held", "v");
            BulkLoadException failure = catchThrowableOfType(
                    BulkLoadException.class,
                    () -> cache.getAll(List.of("held", "a", "b", "c", "stale"), keys -> {
                        throw BulkLoadException.partial(
                                Map.of("a", "1", "b", "2"),
                                Map.of("c", new IOException("shard down"), "stale", new IOException("shard down")));
                    }));
            assertThat(failure.loaded())
                    .containsOnly(
                            Map.entry("held", "v"),
                            Map.entry("a", "1"),
                            Map.entry("b", "2"),
                            Map.entry("stale", "old"));
            assertThat(failure.failed()).containsOnlyKeys("c");
            assertThat(failure.failed().get("c")).hasRootCauseMessage("shard down");
            assertThat(failure).hasMessageContaining("1 of 5 keys").hasMessageContaining("quotes");
            // What was loaded is kept.
            assertThat(cache.getAll(List.of("a", "b"))).containsOnly(Map.entry("a", "1"), Map.entry("b", "2"));
        }
    }

    @Test
    void oneValueOfABulkLoadThatIsTooLargeFailsAlone() {
        try (Stack stack = Stack.ofThree()) {
            String large = "x".repeat((1 << 20) + 1);
            BulkLoadException failure = catchThrowableOfType(
                    BulkLoadException.class,
                    () -> stack.quotes().getAll(List.of("a", "b"), keys -> Map.of("a", "1", "b", large)));
            assertThat(failure.loaded()).containsOnly(Map.entry("a", "1"));
            assertThat(failure.failed()).containsOnlyKeys("b");
            assertThat(stack.quotes().get("a")).isEqualTo("1");
        }
    }
}
