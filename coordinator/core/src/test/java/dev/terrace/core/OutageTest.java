package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Freshness;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Tiers that fail are skipped by reads, and what they missed is neither forgotten nor contradicted. */
class OutageTest {
    private final Stack stack = Stack.ofThree();
    private final Cache<String, String> cache = stack.quotes();

    @AfterEach
    void close() {
        stack.close();
    }

    @ParameterizedTest
    @EnumSource(Unavailability.class)
    void readsSkipATierThatCannotAnswer(Unavailability cause) {
        cache.put("k", "v");
        stack.local.wipe();
        stack.remote.failWith(cause);
        assertThat(cache.read("k").source()).isEqualTo(Source.L3);
        assertThat(cache.getAll(List.of("k", "other"))).containsOnlyKeys("k");
        stack.local.wipe();
        stack.backup.failWith(cause);
        assertThat(cache.get("k")).isNull();
        assertThat(cache.get("k", key -> "loaded")).isEqualTo("loaded");
    }

    @Test
    void whatMayLieInATierThatDoesNotAnswerIsNotCalledAbsent() {
        cache.put("k", "v");
        cache.invalidate("gone");
        assertThat(cache.read("none").freshness()).isEqualTo(Freshness.ABSENT);
        assertThat(cache.read("gone").freshness()).isEqualTo(Freshness.ABSENT);
        stack.remote.failWith(Unavailability.TIMEOUT);
        assertThat(cache.read("none").freshness()).isEqualTo(Freshness.UNKNOWN);
        assertThat(cache.read("k").freshness()).isEqualTo(Freshness.FRESH);
        assertThat(cache.read("none", key -> "loaded").freshness()).isEqualTo(Freshness.FRESH);
        stack.remote.release();
        stack.backup.failWith(Unavailability.STORAGE);
        assertThat(cache.read("never").freshness()).isEqualTo(Freshness.UNKNOWN);
        stack.backup.release();
        assertThat(cache.read("never").freshness()).isEqualTo(Freshness.ABSENT);
    }

    @Test
    void aTierThatNeverAnswersHoldsNobodyLongerThanTheOuterDeadline() {
        cache.put("k", "v");
        stack.local.wipe();
        stack.remote.hang();
        long started = System.nanoTime();
        assertThat(cache.get("k")).isEqualTo("v");
        assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(3));
        assertThat(cache.put("k", "w").missed()).containsExactly(TierLevel.L2);
        stack.remote.release();
    }

    @Test
    void aWriteThatL2MissedShadowsItsOlderCopyAndIsHandedOver() {
        cache.put("k", "old");
        stack.remote.failWith(Unavailability.DISCONNECTED);
        WriteReceipt receipt = cache.put("k", "new");
        assertThat(receipt.applied()).isTrue();
        assertThat(receipt.missed()).containsExactly(TierLevel.L2);
        assertThat(receipt.stored()).contains(TierLevel.L1);
        stack.local.wipe();
        assertThat(cache.get("k")).isEqualTo("new");
        // L2 answers again, but has not been told yet.
        stack.remote.hold();
        stack.local.wipe();
        var read = cache.async().get("k").toCompletableFuture();
        stack.remote.release();
        assertThat(read).succeedsWithin(Duration.ofSeconds(5)).isEqualTo("new");
        await().untilAsserted(
                        () -> assertThat(stack.heldBy(stack.remoteHeap, "k")).isEqualTo("new"));
        await().untilAsserted(() -> assertThat(stack.metrics
                        .getGauges()
                        .get("missed_writes.l2.pending")
                        .getValue())
                .isEqualTo(0));
    }

    @Test
    void anInvalidationDuringAnOutageOfL2HoldsAfterwards() {
        cache.put("k", "old");
        stack.remote.failWith(Unavailability.TIMEOUT);
        assertThat(cache.invalidate("k").applied()).isTrue();
        assertThat(cache.invalidate(List.of("k")).get("k").missed()).containsExactly(TierLevel.L2);
        stack.local.wipe();
        assertThat(cache.get("k")).isNull();
        stack.remote.release();
        stack.local.wipe();
        assertThat(cache.get("k")).isNull();
        await().untilAsserted(() -> assertThat(stack.remoteHeap
                        .get(Stack.key("k"))
                        .toCompletableFuture()
                        .join())
                .isInstanceOfSatisfying(
                        Lookup.Hit.class, hit -> assertThat(hit.entry().kind()).isEqualTo(EntryKind.TOMBSTONE)));
    }

    @Test
    void anInvalidationThatL3MissedIsNotUndoneByIt() {
        cache.put("k", "old");
        stack.backup.failWith(Unavailability.STORAGE);
        assertThat(cache.invalidate("k").missed()).containsExactly(TierLevel.L3);
        stack.local.wipe();
        stack.remoteHeap.wipe();
        stack.backup.release();
        assertThat(cache.get("k")).isNull();
        await().untilAsserted(
                        () -> assertThat(stack.heldBy(stack.backupHeap, "k")).isNull());
    }

    @Test
    void aReplayNeverOverwritesWhatAnotherNodeWroteLater() {
        stack.remote.failWith(Unavailability.DISCONNECTED);
        cache.put("k", "mine");
        long later = stack.clock.millis() + 1;
        stack.remoteHeap.put(
                dev.terrace.testkit.Entries.value(
                        Stack.key("k"), dev.terrace.testkit.Entries.version(later, 0), later, Stack.TTL, "theirs"),
                dev.terrace.spi.WriteCondition.IF_NEWER);
        stack.remote.release();
        await().untilAsserted(() ->
                assertThat(stack.counter("missed_writes.l2.replayed")).isPositive());
        stack.local.wipe();
        assertThat(cache.get("k")).isEqualTo("theirs");
    }

    @Test
    void aDurableWriteFailsWhenL3DoesNotHaveItAndSaysWhereItIs() {
        Cache<String, String> durable = stack.cache("durable");
        assertThat(durable.put("k", "v").stored()).contains(TierLevel.L1, TierLevel.L2, TierLevel.L3);
        stack.backup.failWith(Unavailability.STORAGE);
        assertThatThrownBy(() -> durable.put("k", "w"))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("not durable")
                .hasMessageContaining("L2");
    }

    @Test
    void writersWaitForL3OnceItIsFarBehind() {
        stack.backup.hold();
        int limit = stack.coordinator.settings().backupStorage().queueEntries() / 2;
        for (int i = 0; i < limit - 1; i++) {
            assertThat(cache.async().put("k" + i, "v").toCompletableFuture()).isDone();
        }
        var waits = cache.async().put("one more", "v").toCompletableFuture();
        assertThat(waits).isNotDone();
        stack.backup.release();
        assertThat(waits).succeedsWithin(Duration.ofSeconds(5));
    }

    @Test
    void conditionalWritesNeedL2AndSayWhetherTheyMayHaveHappened() {
        Cache<String, String> plain = stack.cache("plain");
        stack.remote.failWith(Unavailability.DISCONNECTED);
        assertThatThrownBy(() -> plain.putIfAbsent("k", "v"))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("nothing was changed");
        assertThatThrownBy(() -> plain.increment("n", 1))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("nothing was changed");
        stack.remote.release();
        assertThat(plain.putIfAbsent("k", "v").applied()).isTrue();
    }

    @Test
    void putIfAbsentFindsWhatL2LostButL3StillHas() {
        cache.put("k", "v");
        stack.local.wipe();
        stack.remoteHeap.wipe();
        assertThat(cache.putIfAbsent("k", "other").applied()).isFalse();
        assertThat(cache.putAll(Map.of("n", "41")).get("n").applied()).isTrue();
        stack.remoteHeap.wipe();
        assertThat(cache.increment("n", 1)).isEqualTo(42);
        assertThat(stack.heldBy(stack.remoteHeap, "n")).isEqualTo("42");
    }

    @Test
    void aVersionFromFarInTheFutureIsNotBelieved() {
        long future = stack.clock.millis() + Duration.ofHours(1).toMillis();
        stack.remoteHeap.put(
                dev.terrace.testkit.Entries.value(
                        Stack.key("k"),
                        dev.terrace.testkit.Entries.version(future, 0),
                        future,
                        Stack.TTL,
                        "from tomorrow"),
                dev.terrace.spi.WriteCondition.IF_NEWER);
        assertThat(cache.get("k")).isNull();
        assertThat(stack.counter("versions.refused")).isPositive();
    }
}
