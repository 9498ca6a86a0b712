package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codec;
import dev.terrace.api.CodecException;
import dev.terrace.api.Codecs;
import dev.terrace.api.SetupException;
import dev.terrace.config.LimitSettings;
import dev.terrace.config.LoadingSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Calls and codecs that cannot succeed are refused by name, and change nothing. */
class BadInputTest {
    private final Stack stack = Stack.ofThree(Stack.settings(
            new LoadingSettings(Duration.ofSeconds(2), 2),
            new LimitSettings(16, 100, Duration.ofMinutes(1), Duration.ofMinutes(10), Duration.ofSeconds(5))));
    private final Cache<String, String> cache = stack.quotes();

    @AfterEach
    void close() {
        stack.close();
    }

    @Test
    void nullsAreBadInputEverywhere() {
        List<ThrowingCallable> calls = List.of(
                () -> cache.get(null),
                () -> cache.get(null, key -> "v"),
                () -> cache.read(null),
                () -> cache.put(null, "v"),
                () -> cache.put("k", null),
                () -> cache.putIfAbsent("k", null),
                () -> cache.replace("k", null, "v"),
                () -> cache.invalidate((String) null),
                () -> cache.invalidate((List<String>) null),
                () -> cache.invalidate(Arrays.asList("k", null)),
                () -> cache.getAll(null),
                () -> cache.getAll(Arrays.asList("k", null)),
                () -> cache.putAll(null),
                () -> cache.putAll(withNull()),
                () -> cache.increment(null, 1),
                () -> cache.explain(null));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(BadInputException.class).hasMessageContaining("quotes");
        }
        assertThat(stack.remoteHeap.status().entries()).isZero();
        assertThat(cache.async().get(null).toCompletableFuture()).isCompletedExceptionally();
    }

    private static Map<String, String> withNull() {
        Map<String, String> map = new HashMap<>();
        map.put("k", null);
        return map;
    }

    @Test
    @Tag("F70")
    void emptyAndOversizeKeysAndValuesNameTheLimitAndTheWayOut() {
        assertThatThrownBy(() -> cache.get(""))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("empty key");
        assertThatThrownBy(() -> cache.put("k".repeat(17), "v"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("key of 17 bytes exceeds max_key_bytes 16 of cache 'quotes'")
                .hasMessageContaining("limits.max_key_bytes");
        assertThatThrownBy(() -> cache.put("k", "v".repeat(101)))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("value of 101 bytes exceeds max_value_bytes 100 of cache 'quotes'");
        cache.put("k".repeat(16), "v".repeat(100));
        assertThat(cache.get("k".repeat(16))).hasSize(100);
    }

    @Test
    @Tag("F70")
    void oddKeysAreStoredExactly() {
        for (String key : List.of("{a}b", "a:b", "%", "\u0000", " ", "żó", "🚀", "*", "\r\n", "a/b", "\"")) {
            cache.put(key, "value of " + key);
            stack.local.wipe();
            assertThat(cache.get(key)).isEqualTo("value of " + key);
        }
        assertThatThrownBy(() -> cache.put("\uD800", "v")).isInstanceOf(BadInputException.class);
    }

    @Test
    void aCodecThatThrowsOrGivesNothingIsNamed() {
        Cache<String, String> throwing = stack.coordinator.cache("quotes", Codecs.stringKey(), new Odd(true));
        Cache<String, String> silent = stack.coordinator.cache("quotes", Codecs.stringKey(), new Odd(false));
        assertThatThrownBy(() -> throwing.put("k", "v"))
                .isInstanceOf(CodecException.class)
                .hasMessageContaining("quotes");
        assertThatThrownBy(() -> silent.put("k", "v")).isInstanceOf(CodecException.class);
        assertThat(stack.counter("cache.quotes.codec.failures")).isEqualTo(2);
    }

    @Test
    void aCachedValueThatCannotBeDecodedIsAMissWhichALoaderHeals() {
        stack.coordinator.cache("quotes", Codecs.stringKey(), Codecs.bytes()).put("k", new byte[] {(byte) 0xFF});
        assertThat(cache.get("k")).isNull();
        assertThat(cache.read("k").isPresent()).isFalse();
        assertThat(cache.getAll(List.of("k"))).isEmpty();
        assertThat(cache.explain("k").copies())
                .anySatisfy(copy -> assertThat(copy.detail()).contains("codec"));
        assertThat(cache.get("k", key -> "text")).isEqualTo("text");
        assertThat(cache.get("k")).isEqualTo("text");
        stack.coordinator.cache("quotes", Codecs.stringKey(), Codecs.bytes()).put("l", new byte[] {(byte) 0xFF});
        assertThat(cache.getAll(List.of("l"), keys -> Map.of("l", "text"))).containsEntry("l", "text");
        assertThat(stack.counter("cache.quotes.codec.failures")).isPositive();
    }

    @Test
    void aCodecThatReadsTheCacheWhileItDecodesSeesItsOwnBytes() {
        Codec<String> nested = new Codec<>() {
            @Override
            public byte[] encode(String value) {
                return value.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] bytes, int offset, int length) {
                String mine = new String(bytes, offset, length, StandardCharsets.UTF_8);
                return mine.startsWith("outer") ? mine + "+" + cache.get("inner") : mine;
            }
        };
        Cache<String, String> outer = stack.coordinator.cache("quotes", Codecs.stringKey(), nested);
        outer.put("inner", "x".repeat(90));
        outer.put("outer", "outer");
        assertThat(outer.get("outer")).isEqualTo("outer+" + "x".repeat(90));
    }

    @Test
    void aTierThatIsEnabledButNotOnTheClassPathNamesTheArtifact() {
        assertThatThrownBy(() -> CacheCoordinator.open(dev.terrace.config.Settings.defaults()))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("dev.terrace:terrace-tier-local");
    }

    private record Odd(boolean throwing) implements Codec<String> {
        @Override
        public byte[] encode(String value) {
            if (throwing) {
                throw new IllegalStateException("odd");
            }
            return null;
        }

        @Override
        public String decode(byte[] bytes, int offset, int length) {
            return null;
        }
    }
}
