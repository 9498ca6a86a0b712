package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.Consistency;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.WarmupSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Warm-ups of several nodes, of hot keys, and beside writes. */
class WarmupFleetTest {
    private static final int ENTRIES = 5_000;
    private static final WarmupPlan FAST = new WarmupPlan(Set.of(), Long.MAX_VALUE, 1_000_000, true);

    private final ManualClock clock = ManualClock.startingNow();

    private static void fill(Stack stack, int entries) {
        Cache<String, String> cache = stack.quotes();
        for (int i = 0; i < entries; i++) {
            cache.put("k" + i, "v" + i);
        }
    }

    @Test
    void threeNodesThatHoldTheSameCopyItOnceAndWhatOnlyOneHoldsToo() throws Exception {
        HeapTier first = new HeapTier(TierLevel.L3, clock);
        HeapTier second = new HeapTier(TierLevel.L3, clock);
        HeapTier third = new HeapTier(TierLevel.L3, clock);
        try (CacheCoordinator alone = CacheCoordinator.builder()
                .settings(Stack.settings())
                .clock(clock)
                .nodeId(9)
                .tier(new LastingTier(first))
                .build()) {
            Cache<String, String> quotes = alone.cache("quotes", Codecs.stringKey(), Codecs.string());
            for (int i = 0; i < ENTRIES; i++) {
                quotes.put("k" + i, "v" + i);
            }
            List<Entry> all = new ArrayList<>();
            await().until(() -> {
                all.clear();
                first.scan(all::add);
                return all.size() >= ENTRIES;
            });
            all.forEach(entry -> second.putAll(List.of(entry)));
            all.forEach(entry -> third.putAll(List.of(entry)));
            quotes.put("only here", "v");
            await().until(() -> {
                all.clear();
                first.scan(all::add);
                return all.size() > ENTRIES;
            });
        }
        HeapTier remote = new HeapTier(TierLevel.L2, clock);
        List<CacheCoordinator> nodes = new ArrayList<>();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Callable<WarmupReport>> jobs = new ArrayList<>();
            for (HeapTier backup : List.of(second, third, first)) {
                CacheCoordinator node = CacheCoordinator.builder()
                        .settings(Stack.settings())
                        .clock(clock)
                        .nodeId(nodes.size() + 1)
                        .tier(new HeapLocalTier(clock))
                        .tier(remote)
                        .tier(new LastingTier(backup))
                        .build();
                nodes.add(node);
                jobs.add(() -> node.warmUp(FAST, progress -> {}));
            }
            long copied = 0;
            for (Future<WarmupReport> report : threads.invokeAll(jobs)) {
                assertThat(report.get().outcome()).isEqualTo(WarmupReport.Outcome.EXHAUSTED);
                copied += report.get().progress().copied();
            }
            assertThat(copied).isEqualTo(ENTRIES + 1);
            for (String key : List.of("k0", "k" + (ENTRIES - 1), "only here")) {
                assertThat(remote.get(Stack.key(key)).toCompletableFuture().join())
                        .isInstanceOf(Lookup.Hit.class);
            }
        } finally {
            threads.shutdownNow();
            nodes.forEach(CacheCoordinator::close);
        }
    }

    @Test
    void theHottestKeysComeFirstAlsoAfterARestart() {
        WarmupSettings often = WarmupSettings.defaults().withHeat(100, Duration.ofMillis(20));
        List<String> hot = List.of("k7", "k77", "k777");
        try (Stack stack = Stack.of("123s", Stack.settings().withWarmup(often))) {
            fill(stack, 1_000);
            CacheKey note = CacheKey.of(HeatKeeper.CACHE, "1/0");
            await().until(() -> {
                for (int i = 0; i < 2_000; i++) {
                    hot.forEach(stack.quotes()::get);
                }
                return stack.backupHeap.get(note).toCompletableFuture().join() instanceof Lookup.Hit hit
                        && HeatNote.read(hit.entry().payload()).stream()
                                .map(HeatNote.Warm::key)
                                .limit(3)
                                .allMatch(key -> hot.stream().map(Stack::key).anyMatch(key::equals));
            });
            stack.remoteHeap.wipe();
            stack.local.wipe();
            WarmupReport report =
                    stack.coordinator.warmUp(new WarmupPlan(Set.of("quotes"), 3, 1_000_000, true), progress -> {});
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.REACHED_LIMIT);
            for (String key : hot) {
                assertThat(stack.heldBy(stack.remoteHeap, key)).isEqualTo("v" + key.substring(1));
            }
        }
    }

    @Test
    void anInvalidationOrAClearDuringAWarmUpWins() {
        AtomicReference<Runnable> once = new AtomicReference<>(() -> {});
        HeapTier heap = new HeapTier(TierLevel.L2, clock);
        ForwardingTier remote = new ForwardingTier(heap) {
            @Override
            public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
                once.getAndSet(() -> {}).run();
                return super.putAll(entries);
            }
        };
        HeapLocalTier local = new HeapLocalTier(clock);
        try (CacheCoordinator coordinator = CacheCoordinator.builder()
                .settings(Stack.settings())
                .clock(clock)
                .nodeId(1)
                .tier(local)
                .tier(remote)
                .tier(new HeapTier(TierLevel.L3, clock))
                .build()) {
            Cache<String, String> quotes = coordinator.cache("quotes", Codecs.stringKey(), Codecs.string());
            Cache<String, String> plain = coordinator.cache("plain", Codecs.stringKey(), Codecs.string());
            for (int i = 0; i < 100; i++) {
                quotes.put("k" + i, "old");
                plain.put("k" + i, "old");
            }
            heap.wipe();
            local.wipe();
            // With the first batch of entries already put together and on its way.
            once.set(() -> {
                for (int i = 0; i < 100; i++) {
                    quotes.invalidate("k" + i);
                }
                plain.clear();
            });
            coordinator.warmUp(FAST, progress -> {});
            for (int i = 0; i < 100; i++) {
                assertThat(quotes.get("k" + i)).isNull();
                assertThat(plain.get("k" + i)).isNull();
            }
        }
    }

    @Test
    void targetsOfBytesAndTimeEndIt() {
        try (Stack stack = Stack.of("123s")) {
            fill(stack, 500);
            stack.remoteHeap.wipe();
            WarmupPlan all = WarmupPlan.everything();
            WarmupPlan few = new WarmupPlan(
                    all.caches(), Long.MAX_VALUE, 1_000, 0, all.maxTime(), 1_000_000, 0, true, true, false, 1 << 20);
            WarmupReport report = stack.coordinator.warmUp(few, progress -> {});
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.REACHED_BYTES);
            assertThat(report.progress().bytes()).isPositive().isLessThanOrEqualTo(1_000);
            WarmupPlan brief = new WarmupPlan(
                    all.caches(),
                    Long.MAX_VALUE,
                    Long.MAX_VALUE,
                    0,
                    Duration.ofMillis(200),
                    10,
                    0,
                    true,
                    false,
                    false,
                    1 << 20);
            assertThat(stack.coordinator.warmUp(brief, progress -> {}).outcome())
                    .isEqualTo(WarmupReport.Outcome.REACHED_TIME);
        }
    }

    @Test
    void itEndsWhenEnoughReadsAreHits() {
        try (Stack stack = Stack.of("123s")) {
            fill(stack, 2_000);
            stack.remoteHeap.wipe();
            WarmupPlan all = WarmupPlan.everything();
            WarmupPlan plan = new WarmupPlan(
                    all.caches(),
                    Long.MAX_VALUE,
                    Long.MAX_VALUE,
                    0.9,
                    Duration.ofSeconds(30),
                    100,
                    0,
                    true,
                    false,
                    false,
                    1 << 20);
            WarmupReport report = stack.coordinator.warmUp(plan, progress -> {
                for (int i = 0; i < 200; i++) {
                    assertThat(stack.quotes().get("k5")).isEqualTo("v5");
                }
            });
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.REACHED_HIT_RATIO);
            assertThat(report.progress().read()).isLessThan(2_000);
        }
    }

    @Test
    void whatMayHaveBeenReplacedIsLeftAloneUnlessTheBackupIsTrusted() {
        CachePolicy bounded = new CachePolicy(Stack.TTL, Stack.STALE, Stack.NEGATIVE, null)
                .withConsistency(Consistency.BOUNDED, Duration.ofMillis(200));
        try (Stack stack =
                Stack.of("123s", Stack.withQuotes(bounded, Stack.settings().loading()))) {
            fill(stack, 20);
            stack.remoteHeap.wipe();
            stack.local.wipe();
            WarmupReport careful = stack.coordinator.warmUp(FAST, progress -> {});
            assertThat(careful.progress().doubted()).isEqualTo(20);
            assertThat(careful.progress().copied()).isZero();
            stack.remoteHeap.wipe();
            WarmupPlan trusting = new WarmupPlan(
                    FAST.caches(),
                    FAST.maxEntries(),
                    FAST.maxBytes(),
                    0,
                    FAST.maxTime(),
                    FAST.entriesPerSecond(),
                    0,
                    true,
                    true,
                    true,
                    FAST.memoryBytes());
            assertThat(stack.coordinator
                            .warmUp(trusting, progress -> {})
                            .progress()
                            .copied())
                    .isEqualTo(20);
        }
    }

    @Test
    void l1IsFilledOnlyAsFarAsItHasRoom() {
        try (Stack stack = Stack.of("13s", smallLocal(50))) {
            fill(stack, 2_000);
            stack.local.wipe();
            WarmupReport report =
                    stack.coordinator.warmUp(new WarmupPlan(Set.of(), Long.MAX_VALUE, 300, true), progress -> {});
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.LOCAL_FULL);
            assertThat(report.progress().copied()).isBetween(49L, 1_999L);
        }
    }

    private static Settings smallLocal(int capacity) {
        Settings settings = Stack.settings();
        LocalCacheSettings l1 = settings.localCache();
        return settings.withLocalCache(new LocalCacheSettings(
                l1.enabled(), capacity, l1.maxMemoryMib(), l1.ttl(), l1.evictionPolicy(), l1.sweepInterval()));
    }
}
