package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.HeapLocalTier;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** clear() hides everything older, everywhere, for good. */
class ClearTest {
    @ParameterizedTest
    @ValueSource(strings = {"123", "12", "13", "1", "23"})
    void hidesWhatWasThereAndNothingThatComesLaterNorOtherCaches(String tiers) {
        try (Stack stack = Stack.of(tiers)) {
            Cache<String, String> cache = stack.quotes();
            Cache<String, String> other = stack.cache("plain");
            cache.putAll(Map.of("a", "1", "b", "2"));
            other.put("a", "stays");
            assertThat(cache.clear().applied()).isTrue();
            assertThat(cache.getAll(List.of("a", "b"))).isEmpty();
            assertThat(cache.read("a").isPresent()).isFalse();
            cache.put("a", "new");
            assertThat(cache.get("a")).isEqualTo("new");
            assertThat(other.get("a")).isEqualTo("stays");
        }
    }

    @Test
    void aTierThatWasAwayDuringClearCannotBringAnythingBack() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("a", "old");
            stack.remote.failWith(Unavailability.DISCONNECTED);
            stack.backup.failWith(Unavailability.STORAGE);
            cache.clear();
            stack.remote.release();
            stack.backup.release();
            stack.local.wipe();
            assertThat(cache.get("a")).isNull();
        }
    }

    @Test
    void otherNodesSeeItWithinAboutASecondAndRestartedOnesAtOnce() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> mine = stack.quotes();
            HeapLocalTier theirLocal = new HeapLocalTier(stack.clock);
            try (CacheCoordinator other = CacheCoordinator.builder()
                    .settings(Stack.settings())
                    .clock(stack.clock)
                    .nodeId(2)
                    .tier(theirLocal)
                    .tier(stack.remoteHeap)
                    .build()) {
                Cache<String, String> theirs = other.cache("quotes", Codecs.stringKey(), Codecs.string());
                mine.put("a", "old");
                assertThat(theirs.get("a")).isEqualTo("old");
                mine.clear();
                await().untilAsserted(() -> assertThat(theirs.get("a")).isNull());
                theirs.put("a", "new");
                stack.local.wipe();
                assertThat(mine.get("a")).isEqualTo("new");
            }
        }
    }

    @Test
    void survivesARestartThroughL3Alone() {
        Stack before = Stack.withoutRemote();
        before.quotes().put("a", "old");
        var kept = before.backupHeap.get(Stack.key("a")).toCompletableFuture().join();
        before.quotes().clear();
        // A copy that reclaiming did not reach.
        before.backupHeap.put(((dev.terrace.spi.Lookup.Hit) kept).entry(), dev.terrace.spi.WriteCondition.IF_NEWER);
        try (CacheCoordinator after = CacheCoordinator.builder()
                .settings(Stack.settings())
                .clock(before.clock)
                .tier(new HeapLocalTier(before.clock))
                .tier(before.backupHeap)
                .build()) {
            Cache<String, String> cache = after.cache("quotes", Codecs.stringKey(), Codecs.string());
            assertThat(cache.get("a")).isNull();
            assertThat(cache.explain("a").copies()).anySatisfy(copy -> {
                assertThat(copy.tier()).isEqualTo(TierLevel.L3);
                assertThat(copy.detail()).contains("hidden by clear()");
            });
        }
    }

    @Test
    void reservedAndEmptyAndLongNamesAreRefused() {
        try (Stack stack = Stack.localOnly()) {
            assertThatThrownBy(() -> stack.cache("terrace.markers"))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("reserved");
            assertThatThrownBy(() -> stack.cache("")).isInstanceOf(BadInputException.class);
            assertThatThrownBy(() -> stack.cache("x".repeat(256))).isInstanceOf(BadInputException.class);
        }
    }
}
