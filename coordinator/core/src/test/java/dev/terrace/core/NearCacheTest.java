package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import com.sun.management.ThreadMXBean;
import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.ClosedException;
import dev.terrace.api.Codec;
import dev.terrace.api.Codecs;
import dev.terrace.api.KeyCodec;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Policies;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Version;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The near cache answers what L1 would, and nothing else. */
class NearCacheTest {
    private static Stack stack(int entries, Duration ttl) {
        return Stack.ofThree(Stack.withNearCache(new NearCacheSettings(entries, ttl)));
    }

    private static void warm(Cache<String, String> cache, String key) {
        assertThat(cache.read(key).source()).isEqualTo(Source.L1);
        assertThat(cache.read(key).source()).isEqualTo(Source.NEAR);
    }

    @Test
    void aSecondReadIsAnsweredWithTheSameObjectAndWithoutDecoding() {
        AtomicInteger decoded = new AtomicInteger();
        Codec<StringBuilder> counting = new Codec<>() {
            @Override
            public byte[] encode(StringBuilder value) {
                return value.toString().getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public StringBuilder decode(byte[] bytes, int offset, int length) {
                decoded.incrementAndGet();
                return new StringBuilder(new String(bytes, offset, length, StandardCharsets.UTF_8));
            }
        };
        try (Stack stack = stack(10, null)) {
            Cache<String, StringBuilder> cache = stack.coordinator.cache("quotes", Codecs.stringKey(), counting);
            Version written = cache.put("k", new StringBuilder("v")).version();
            StringBuilder first = cache.get("k");
            assertThat(cache.get("k")).isSameAs(first);
            assertThat(cache.get("k", key -> new StringBuilder("loaded"))).isSameAs(first);
            assertThat(cache.getAll(List.of("k", "absent"))).isEqualTo(Map.of("k", first));
            assertThat(cache.async().get("k").toCompletableFuture().join()).isSameAs(first);
            assertThat(decoded).hasValue(1);
            stack.clock.advance(Duration.ofSeconds(3));
            ReadResult<StringBuilder> read = cache.read("k");
            assertThat(read.source()).isEqualTo(Source.NEAR);
            assertThat(read.version()).isEqualTo(written);
            assertThat(read.age()).isEqualTo(Duration.ofSeconds(3));
            assertThat(stack.counter("cache.quotes.hits.near")).isEqualTo(5);
            assertThat(stack.counter("cache.quotes.hits.l1")).isEqualTo(1);
            assertThat(cache.explain("k").decision()).contains("near cache");
            assertThat(cache.explain("k").copies().get(0).detail()).contains("near cache");
        }
    }

    @Test
    void asynchronousReadsFillItTooWhateverTierAnswered() {
        try (Stack stack = stack(10, null)) {
            Cache<String, String> cache = stack.cache("quotes");
            cache.put("k", "v");
            assertThat(cache.async().get("k").toCompletableFuture().join()).isEqualTo("v");
            assertThat(cache.read("k").source()).isEqualTo(Source.NEAR);
            stack.local.wipe();
            cache.put("l", "w");
            stack.local.wipe();
            assertThat(cache.async().read("l").toCompletableFuture().join().source())
                    .isEqualTo(Source.L2);
            assertThat(cache.async().read("l").toCompletableFuture().join().source())
                    .isEqualTo(Source.NEAR);
            assertThat(cache.async()
                            .get("m", key -> "loaded")
                            .toCompletableFuture()
                            .join())
                    .isEqualTo("loaded");
            assertThat(cache.read("m").source()).isEqualTo(Source.NEAR);
            cache.put("m", "written");
            assertThat(cache.async().read("m").toCompletableFuture().join().value())
                    .isEqualTo("written");
        }
    }

    @Test
    void everyWriteAndInvalidationDropsIt() {
        try (Stack stack = stack(10, null)) {
            Cache<String, String> cache = stack.quotes();
            Version version = cache.put("k", "1").version();
            warm(cache, "k");
            cache.put("k", "2");
            assertThat(cache.get("k")).isEqualTo("2");
            warm(cache, "k", "2");
            cache.replace("k", cache.read("k").version(), "3");
            assertThat(cache.get("k")).isEqualTo("3");
            warm(cache, "k", "3");
            cache.invalidate("k");
            assertThat(cache.get("k")).isNull();
            cache.increment("k", 4);
            warm(cache, "k");
            assertThat(cache.increment("k", 1)).isEqualTo(5);
            assertThat(cache.get("k")).isEqualTo("5");
            warm(cache, "k", "5");
            cache.clear();
            assertThat(cache.get("k")).isNull();
            assertThat(version).isNotNull();
        }
    }

    private static void warm(Cache<String, String> cache, String key, String value) {
        cache.read(key);
        assertThat(cache.read(key).source()).isEqualTo(Source.NEAR);
        assertThat(cache.get(key)).isEqualTo(value);
    }

    @Test
    void itIsOverWithTheEntrysFreshnessOrItsOwnTime() {
        try (Stack stack = stack(10, Duration.ofSeconds(5))) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            warm(cache, "k");
            stack.clock.advance(Duration.ofMillis(4_999));
            assertThat(cache.read("k").source()).isEqualTo(Source.NEAR);
            stack.clock.advance(Duration.ofMillis(1));
            assertThat(cache.read("k").source()).isEqualTo(Source.L1);
            assertThat(cache.read("k").source()).isEqualTo(Source.NEAR);
            stack.clock.advance(Stack.TTL.minusSeconds(6));
            warm(cache, "k");
            stack.clock.advance(Duration.ofSeconds(1));
            assertThat(cache.get("k")).isNull();
        }
    }

    @Test
    void aTagThatWasInvalidatedHidesIt() {
        try (Stack stack = stack(10, null)) {
            Cache<String, String> cache = stack.quotes();
            cache.put("red", "1", WriteOptions.DEFAULTS.withTags("colour"));
            cache.put("loud", "2", WriteOptions.DEFAULTS.withTags("sound"));
            cache.put("plain", "3");
            warm(cache, "red");
            warm(cache, "loud");
            warm(cache, "plain");
            cache.invalidateTags(List.of("colour"));
            assertThat(cache.read("plain").source()).isEqualTo(Source.NEAR);
            assertThat(cache.get("red")).isNull();
            assertThat(cache.getAll(List.of("red", "loud"))).isEqualTo(Map.of("loud", "2"));
            cache.put("red", "4", WriteOptions.DEFAULTS.withTags("colour"));
            warm(cache, "red", "4");
        }
    }

    @Test
    void itHoldsNoMoreThanItMay() {
        try (Stack stack = stack(20, null)) {
            Cache<String, String> cache = stack.quotes();
            for (int i = 0; i < 500; i++) {
                cache.put("k" + i, "v" + i);
                cache.get("k" + i);
                assertThat(cache.get("k" + i)).isEqualTo("v" + i);
            }
            await().untilAsserted(() -> {
                assertThat((Integer) stack.metrics
                                .getGauges()
                                .get("cache.quotes.near.entries")
                                .getValue())
                        .isBetween(1, 20);
                assertThat(stack.counter("cache.quotes.near.evictions")).isBetween(400L, 1_000L);
            });
        }
    }

    @Test
    void viewsWithOtherCodecsNeverMixUp() {
        KeyCodec<String> ignoringCase = new KeyCodec<>() {
            @Override
            public void encode(String key, KeyBuffer into) {
                Codecs.stringKey().encode(key.toLowerCase(Locale.ROOT), into);
            }

            @Override
            public String decode(byte[] bytes) {
                return new String(bytes, StandardCharsets.UTF_8);
            }
        };
        try (Stack stack = stack(10, null)) {
            Cache<String, String> text = stack.quotes();
            Cache<String, Long> numbers = stack.coordinator.cache("quotes", Codecs.stringKey(), Codecs.decimal());
            Cache<String, String> folded = stack.coordinator.cache("quotes", ignoringCase, Codecs.string());
            text.put("k", "7");
            for (int i = 0; i < 3; i++) {
                assertThat(text.get("k")).isEqualTo("7");
                assertThat(numbers.get("k")).isEqualTo(7L);
                assertThat(folded.get("K")).isEqualTo("7");
                assertThat(folded.get("k")).isEqualTo("7");
            }
            folded.put("K", "8");
            assertThat(text.get("k")).isEqualTo("8");
            assertThat(numbers.get("k")).isEqualTo(8L);
            assertThat(folded.get("k")).isEqualTo("8");
            text.put("K", "capital");
            assertThat(text.get("K")).isEqualTo("capital");
            assertThat(text.get("K")).isEqualTo("capital");
            assertThat(folded.get("K")).isEqualTo("8");
            assertThat(folded.get("K")).isEqualTo("8");
        }
    }

    @Test
    void keysThatAreArraysAreAnsweredByL1() {
        try (Stack stack = stack(10, null)) {
            Cache<byte[], String> cache = stack.coordinator.cache("quotes", Codecs.bytesKey(), Codecs.string());
            byte[] key = {1, 2};
            cache.put(key, "v");
            cache.read(key);
            assertThat(cache.read(key).source()).isEqualTo(Source.L1);
            key[0] = 3;
            assertThat(cache.get(key)).isNull();
        }
    }

    @Test
    void badKeysAndClosedCachesAreRefusedAsEver() {
        Stack stack = stack(10, null);
        Cache<String, String> cache = stack.quotes();
        assertThatThrownBy(() -> cache.get(null)).isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> cache.get("")).isInstanceOf(BadInputException.class);
        cache.put("k", "v");
        warm(cache, "k");
        stack.close();
        assertThatThrownBy(() -> cache.get("k")).isInstanceOf(ClosedException.class);
    }

    @Test
    void withoutL1ThereIsNone() {
        try (Stack stack = Stack.of("23", Stack.withNearCache(new NearCacheSettings(10, null)))) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            cache.get("k");
            assertThat(cache.read("k").source()).isEqualTo(Source.L2);
        }
    }

    private static NearCopy copy(String key, String value, long version) {
        return new NearCopy(
                key, Stack.key(key), "", value, new Version(version, 1), List.of(), 0, Long.MAX_VALUE, Long.MAX_VALUE);
    }

    @Test
    void whatWasCopiedWhileEverythingWasDroppedIsNotAnswered() {
        NearCache near = new NearCache("quotes", new NearCacheSettings(10, null), new MetricRegistry());
        CacheKey key = Stack.key("k");
        Object before = near.era();
        near.dropAll();
        near.keep(copy("k", "old", 1), before);
        assertThat(near.find("k")).isNull();
        assertThat(near.peek(key)).isNull();
        NearCopy fresh = copy("k", "new", 2);
        near.keep(fresh, near.era());
        near.keep(copy("k", "old", 1), before);
        assertThat(near.find("k")).isSameAs(fresh);
        // By its encoded key too: a late copy must not take its place there.
        near.drop(key);
        assertThat(near.find("k")).isNull();
        near.keep(fresh, near.era());
        near.dropAll();
        assertThat(near.find("k")).isNull();
        assertThat(near.hottest(10)).isEmpty();
    }

    @Test
    void whatIsEvictedIsFoundByNoKey() {
        MetricRegistry metrics = new MetricRegistry();
        NearCache near = new NearCache("quotes", new NearCacheSettings(10, null), metrics);
        for (int i = 0; i < 1_000; i++) {
            near.keep(copy("k" + i, "v", 1), near.era());
        }
        int found = 0;
        for (int i = 0; i < 1_000; i++) {
            NearCopy copy = near.find("k" + i);
            assertThat(near.peek(Stack.key("k" + i))).isSameAs(copy);
            found += copy == null ? 0 : 1;
        }
        assertThat(found).isEqualTo(near.size()).isBetween(1, 10);
        assertThat(metrics.counter("cache.quotes.near.evictions").getCount()).isEqualTo(1_000 - found);
    }

    @Test
    void whatL1CannotDropIsDroppedHereAllTheSame() {
        NearCaches caches = new NearCaches(
                new Policies(Stack.withNearCache(new NearCacheSettings(10, null))), new MetricRegistry());
        NearCache near = Objects.requireNonNull(caches.open("quotes"));
        near.keep(copy("k", "old", 1), near.era());
        LocalTier failing = (LocalTier) Proxy.newProxyInstance(
                LocalTier.class.getClassLoader(), new Class<?>[] {LocalTier.class}, (proxy, method, arguments) -> {
                    throw new IllegalStateException("cannot be read");
                });
        HybridClock clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
        LocalCopies copies = new LocalCopies(failing, caches, new Flights(clock, System::nanoTime), Mutant.NONE);
        assertThatThrownBy(() -> copies.dropAll(clock.next())).isInstanceOf(IllegalStateException.class);
        assertThat(near.find("k")).isNull();
    }

    @Test
    void aHitAllocatesNothing() {
        try (Stack stack = stack(10, null)) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "v");
            warm(cache, "k");
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long thread = Thread.currentThread().getId();
            int calls = 20_000;
            long bytes = Long.MAX_VALUE;
            for (int round = 0; round < 4; round++) {
                long before = threads.getThreadAllocatedBytes(thread);
                for (int i = 0; i < calls; i++) {
                    cache.get("k");
                }
                bytes = threads.getThreadAllocatedBytes(thread) - before;
            }
            System.out.println("NearCacheTest bytes_per_hit=" + bytes / calls);
            assertThat(bytes / calls).isLessThanOrEqualTo(16);
        }
    }
}
