package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Searches that go on without a tier that is slow, and what becomes of its answer. */
class TierPatienceTest {
    private static final Duration SOFT = Duration.ofMillis(50);

    /** So long that no test waits for it. */
    private static final Duration HARD = Duration.ofMinutes(1);

    private static Stack stack(String tiers) {
        Settings base = Stack.settings();
        return Stack.of(
                tiers,
                base.withDistributedCache(
                                base.distributedCache().withTimeout(HARD).withSoftTimeout(SOFT))
                        .withBackupStorage(base.backupStorage().withSoftTimeout(SOFT)));
    }

    private static boolean isHeldByL1(Stack stack, String key) {
        return stack.local.get(Stack.key(key)).toCompletableFuture().join() instanceof Lookup.Hit;
    }

    @Test
    void aSlowL2IsPassedOver() {
        try (Stack stack = stack("123")) {
            stack.quotes().put("k", "v");
            stack.quotes().put("l", "w");
            stack.local.wipe();
            stack.remote.hold();
            assertThat(stack.quotes().read("k"))
                    .satisfies(read -> assertThat(read.value()).isEqualTo("v"))
                    .satisfies(read -> assertThat(read.source()).isEqualTo(Source.L3));
            assertThat(stack.quotes().getAll(List.of("l", "none"))).isEqualTo(Map.of("l", "w"));
            assertThat(stack.counter("tier.l2.soft_timeouts")).isEqualTo(2);
            stack.remote.release();
        }
    }

    @Test
    void whatItSaysLateIsInL1ForTheNextReader() {
        try (Stack stack = stack("12")) {
            for (String key : List.of("k", "l", "m")) {
                stack.quotes().put(key, "v");
            }
            stack.local.wipe();
            stack.remote.hold();
            ReadResult<String> read = stack.quotes().read("k");
            assertThat(read.value()).isNull();
            assertThat(read.freshness()).isEqualTo(Freshness.UNKNOWN);
            assertThat(stack.quotes().getAll(List.of("l", "m"))).isEmpty();
            stack.remote.release();
            await().untilAsserted(() ->
                    assertThat(stack.counter("tier.l2.late_fills")).isEqualTo(3));
            assertThat(stack.quotes().read("k").source()).isEqualTo(Source.L1);
            assertThat(stack.quotes().read("m").source()).isEqualTo(Source.L1);
        }
    }

    @Test
    void aSlowL3IsPassedOverToo() {
        try (Stack stack = stack("13")) {
            stack.quotes().put("k", "v");
            await().untilAsserted(() ->
                    assertThat(stack.heldBy(stack.backupHeap, "k")).isEqualTo("v"));
            stack.local.wipe();
            stack.backup.hold();
            assertThat(stack.quotes().read("k").freshness()).isEqualTo(Freshness.UNKNOWN);
            stack.backup.release();
            await().until(() -> isHeldByL1(stack, "k"));
            assertThat(stack.counter("tier.l3.soft_timeouts")).isEqualTo(1);
        }
    }

    @Test
    void whatIsLoadedMeanwhileIsToldAtOnceAndReachesL2OverWhatThatHeld() {
        try (Stack stack = stack("12")) {
            Cache<String, String> cache = stack.quotes();
            cache.put("k", "old");
            stack.local.wipe();
            stack.clock.advance(Stack.TTL.plusSeconds(1));
            stack.remote.hold();
            AtomicInteger calls = new AtomicInteger();
            for (int i = 0; i < 3; i++) {
                assertThat(cache.get("k", key -> "new" + calls.incrementAndGet()))
                        .isEqualTo("new1");
            }
            stack.remote.release();
            await().untilAsserted(() ->
                    assertThat(stack.heldBy(stack.remoteHeap, "k")).isEqualTo("new1"));
            assertThat(cache.get("k")).isEqualTo("new1");
            assertThat(calls).hasValue(1);
        }
    }

    /** Asks at once, and hands on the answer when told to. */
    private static final class LateAnswers extends ForwardingTier {
        private final List<Runnable> pending = new CopyOnWriteArrayList<>();
        private volatile boolean late;

        LateAnswers(Tier tier) {
            super(tier);
        }

        @Override
        public CompletionStage<Lookup> get(CacheKey key) {
            Lookup now = super.get(key).toCompletableFuture().join();
            if (!late) {
                return CompletableFuture.completedStage(now);
            }
            CompletableFuture<Lookup> later = new CompletableFuture<>();
            pending.add(() -> later.complete(now));
            return later;
        }
    }

    @Test
    void whatAnotherNodeWroteMeanwhileIsNotUndoneByWhatItSaysLate() {
        HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
        LateAnswers slow = new LateAnswers(remote);
        HeapLocalTier local = new HeapLocalTier(InstantSource.system());
        MetricRegistry metrics = new MetricRegistry();
        HeapLog log = new HeapLog();
        Settings base = Settings.defaults();
        Settings soft = base.withDistributedCache(
                base.distributedCache().withTimeout(HARD).withSoftTimeout(SOFT));
        try (CacheCoordinator reads = CacheCoordinator.builder()
                        .settings(soft)
                        .nodeId(1)
                        .metrics(metrics)
                        .promises(SimulatedFleet.PROMISES)
                        .tier(local)
                        .tier(slow)
                        .backplane(log.open())
                        .build();
                CacheCoordinator writes = CacheCoordinator.builder()
                        .nodeId(2)
                        .promises(SimulatedFleet.PROMISES)
                        .tier(remote)
                        .backplane(log.open())
                        .build()) {
            Cache<String, String> mine = reads.cache("strict", Codecs.stringKey(), Codecs.string());
            Cache<String, String> theirs = writes.cache("strict", Codecs.stringKey(), Codecs.string());
            theirs.put("k", "old");
            await().until(() -> mine.read("k").source() == Source.L1);
            local.wipe();
            slow.late = true;
            assertThat(mine.read("k").value()).isNull();
            assertThat(theirs.put("k", "new").announced()).isTrue();
            slow.late = false;
            slow.pending.forEach(Runnable::run);
            assertThat(metrics.counter("tier.l2.late_fills").getCount()).isZero();
            assertThat(mine.get("k")).isEqualTo("new");
        }
    }

    @Test
    void aTierThatAnswersInTimeIsNeverPassedOver() {
        try (Stack stack = stack("123")) {
            stack.quotes().put("k", "v");
            stack.local.wipe();
            assertThat(stack.quotes().read("k").source()).isEqualTo(Source.L2);
            assertThat(stack.quotes().read("none").freshness()).isEqualTo(Freshness.ABSENT);
            assertThat(stack.counter("tier.l2.soft_timeouts")).isZero();
        }
    }
}
