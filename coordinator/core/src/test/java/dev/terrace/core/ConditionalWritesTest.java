package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.Cache;
import dev.terrace.api.CodecException;
import dev.terrace.api.Codecs;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** putIfAbsent, replace and increment, decided by L2, or by this process where there is none. */
class ConditionalWritesTest {
    @ParameterizedTest
    @ValueSource(strings = {"123", "12", "13", "1", "3", "23"})
    void putIfAbsentStoresOnlyWhereThereIsNoFreshValue(String tiers) {
        try (Stack stack = Stack.of(tiers)) {
            Cache<String, String> cache = stack.quotes();
            WriteReceipt first = cache.putIfAbsent("k", "1");
            assertThat(first.applied()).isTrue();
            WriteReceipt second = cache.putIfAbsent("k", "2");
            assertThat(second.applied()).isFalse();
            assertThat(second.version()).isEqualTo(first.version());
            cache.invalidate("k");
            assertThat(cache.putIfAbsent("k", "3").applied()).isTrue();
            stack.clock.advance(Stack.TTL);
            assertThat(cache.putIfAbsent("k", "4").applied()).isTrue();
            cache.clear();
            assertThat(cache.putIfAbsent("k", "5").applied()).isTrue();
            assertThat(cache.get("k")).isEqualTo("5");
            assertThat(cache.get("none", key -> null)).isNull();
            assertThat(cache.putIfAbsent("none", "now").applied()).isTrue();
        }
    }

    /** An hour behind, a node takes nothing that others write for real; it must not say that there is nothing, nor write below it. */
    @ParameterizedTest
    @ValueSource(strings = {"123", "12", "2"})
    @Tag("F17")
    void aNodeWhoseClockIsAnHourBehindRefusesToDecide(String tiers) {
        try (Stack stack = Stack.of(tiers);
                CacheCoordinator other = CacheCoordinator.builder()
                        .nodeId(2)
                        .clock(InstantSource.offset(InstantSource.system(), Duration.ofHours(1)))
                        .tier(stack.remote)
                        .build()) {
            Cache<String, String> cache = stack.quotes();
            Cache<String, String> theirs = other.cache("quotes", Codecs.stringKey(), Codecs.string());
            theirs.put("k", "1");
            theirs.invalidate("gone");
            assertThatThrownBy(() -> cache.read("k", ReplicationMode.QUORUM))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("max_clock_drift");
            assertThatThrownBy(() -> cache.putIfAbsent("gone", "2"))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("nothing was changed");
            stack.clock.advance(Duration.ofHours(1));
            assertThat(cache.read("k", ReplicationMode.QUORUM).value()).isEqualTo("1");
            assertThat(cache.putIfAbsent("gone", "2").applied()).isTrue();
            assertThat(theirs.read("gone", ReplicationMode.QUORUM).value()).isEqualTo("2");
        }
    }

    @Test
    @Tag("F17")
    void whatANodeWritesAfterItsClockWasSetBackIsNotOverForOthers() {
        try (Stack stack = Stack.of("2");
                CacheCoordinator other =
                        CacheCoordinator.builder().nodeId(2).tier(stack.remote).build()) {
            Cache<String, String> cache = stack.quotes();
            Cache<String, String> theirs = other.cache("quotes", Codecs.stringKey(), Codecs.string());
            cache.put("before", "1");
            stack.clock.advance(Duration.ofHours(-1));
            cache.put("after", "2");
            assertThat(theirs.get("after")).isEqualTo("2");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"123", "12", "13", "1"})
    void replaceIsCompareAndSetByVersion(String tiers) {
        try (Stack stack = Stack.of(tiers)) {
            Cache<String, String> cache = stack.quotes();
            Version first = cache.put("k", "1").version();
            WriteReceipt replaced = cache.replace("k", first, "2");
            assertThat(replaced.applied()).isTrue();
            WriteReceipt late = cache.replace("k", first, "3");
            assertThat(late.applied()).isFalse();
            assertThat(late.version()).isEqualTo(replaced.version());
            assertThat(cache.get("k")).isEqualTo("2");
            assertThat(cache.replace("absent", first, "x").applied()).isFalse();
            cache.clear();
            assertThat(cache.replace("k", replaced.version(), "x").applied()).isFalse();
            assertThat(cache.get("k")).isNull();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"123", "12", "13", "1"})
    void concurrentIncrementsAllCount(String tiers) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        try (Stack stack = Stack.of(tiers)) {
            Cache<String, String> cache = stack.quotes();
            List<Future<?>> workers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                workers.add(threads.submit(() -> {
                    for (int n = 0; n < 200; n++) {
                        cache.increment("n", 1);
                    }
                }));
            }
            for (Future<?> worker : workers) {
                worker.get(20, TimeUnit.SECONDS);
            }
            assertThat(cache.increment("n", -600)).isEqualTo(1_000);
            cache.clear();
            assertThat(cache.increment("n", 5)).isEqualTo(5);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Redis and the node's disk are lost, the backup is on its way. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    @Tag("F47")
    void whatARestoreCannotTellYetIsNotDecidedAbout(boolean withRemote) {
        HeapTier lost = new HeapTier(TierLevel.L3, InstantSource.system());
        try (CacheCoordinator before =
                CacheCoordinator.builder().nodeId(1).tier(new LastingTier(lost)).build()) {
            before.cache("quotes", Codecs.stringKey(), Codecs.string()).put("n", "41");
        }
        ComingTier coming = new ComingTier(
                lost, key -> key.equals(Stack.key("n")) || key.equals(Stack.key("new")), Unavailability.DISCONNECTED);
        CacheCoordinator.Builder builder = CacheCoordinator.builder()
                .nodeId(2)
                .tier(new HeapLocalTier(InstantSource.system()))
                .tier(coming);
        if (withRemote) {
            builder.tier(new HeapTier(TierLevel.L2, InstantSource.system()));
        }
        try (CacheCoordinator after = builder.build()) {
            Cache<String, String> cache = after.cache("quotes", Codecs.stringKey(), Codecs.string());
            assertThatThrownBy(() -> cache.increment("n", 1))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("being restored")
                    .hasMessageContaining("nothing was changed");
            assertThatThrownBy(() -> cache.putIfAbsent("n", "mine")).isInstanceOf(UnavailableException.class);
            assertThatThrownBy(() -> cache.putIfAbsent("new", "mine")).isInstanceOf(UnavailableException.class);
            cache.put("other", "1");
            assertThat(cache.increment("other", 1)).isEqualTo(2);
            coming.becomesWhole();
            assertThat(cache.increment("n", 1)).isEqualTo(42);
            assertThat(cache.putIfAbsent("new", "mine").applied()).isTrue();
        }
    }

    @Test
    void anL3ThatIsMerelyAwayDoesNotDecide() {
        try (Stack stack = Stack.ofThree()) {
            stack.backup.failWith(Unavailability.DISCONNECTED);
            assertThat(stack.quotes().increment("n", 1)).isEqualTo(1);
            assertThat(stack.quotes().putIfAbsent("k", "1").applied()).isTrue();
        }
    }

    @Test
    void withoutL2PlainWritesAndIncrementsOfOneKeyDoNotOverwriteEachOther() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (Stack stack = Stack.withoutRemote()) {
            Cache<String, String> cache = stack.quotes();
            Future<?> adder = threads.submit(() -> {
                for (int n = 0; n < 2_000; n++) {
                    cache.increment("n", 1);
                }
            });
            long last = 0;
            for (int n = 1; n <= 20; n++) {
                last = n * 1_000_000L;
                cache.putAll(Map.of("n", Long.toString(last)));
            }
            adder.get(20, TimeUnit.SECONDS);
            assertThat(cache.increment("n", 0)).isBetween(last, last + 2_000);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void incrementRefusesTextAndOverflowAndChangesNothing() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("text", "seven");
            assertThatThrownBy(() -> cache.increment("text", 1))
                    .isInstanceOf(CodecException.class)
                    .hasMessageContaining("not a decimal number");
            cache.put("big", Long.toString(Long.MAX_VALUE));
            assertThatThrownBy(() -> cache.increment("big", 1))
                    .isInstanceOf(CodecException.class)
                    .hasMessageContaining("64 bits");
            assertThat(cache.get("big")).isEqualTo(Long.toString(Long.MAX_VALUE));
            assertThat(cache.increment("big", -1)).isEqualTo(Long.MAX_VALUE - 1);
        }
    }

    @Test
    void anIncrementWhoseReplyWasLostIsReportedAsUnknownAndNotTriedAgain() {
        try (Stack stack = Stack.ofThree()) {
            Cache<String, String> cache = stack.quotes();
            cache.put("n", "1");
            stack.remote.loseReplies();
            assertThatThrownBy(() -> cache.increment("n", 1))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("unknown")
                    .hasMessageContaining("read the value before trying again");
            // Reading tells: L1 no longer answers what may be outdated.
            assertThat(cache.get("n")).isEqualTo("2");
            stack.remote.release();
            assertThat(cache.increment("n", 1)).isEqualTo(3);
        }
    }
}
