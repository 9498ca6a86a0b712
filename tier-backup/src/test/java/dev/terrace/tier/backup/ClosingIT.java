package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.UnavailableException;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClosingIT {
    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();

    @Test
    @Tag("F74")
    void closingInAStormAnswersEveryCallKeepsWhatWasAcknowledgedAndNeverCrashes() throws Exception {
        for (int round = 0; round < 5; round++) {
            TestContext context = new TestContext(clock, Backups.plain(temp.resolve("storm-" + round)));
            RocksTier tier = Backups.open(context);
            Map<String, String> acknowledged = new ConcurrentHashMap<>();
            List<FutureTask<?>> callers = new ArrayList<>();
            List<CompletableFuture<?>> calls = Collections.synchronizedList(new ArrayList<>());
            CountDownLatch warm = new CountDownLatch(600);
            for (int t = 0; t < 6; t++) {
                int mine = t;
                FutureTask<?> caller = new FutureTask<>(() -> storm(tier, mine, acknowledged, calls, warm), null);
                callers.add(caller);
                new Thread(caller, "caller-" + t).start();
            }
            assertThat(warm.await(30, TimeUnit.SECONDS)).isTrue();
            tier.close();
            for (FutureTask<?> caller : callers) {
                caller.get(30, TimeUnit.SECONDS);
            }
            CompletableFuture.allOf(calls.toArray(CompletableFuture[]::new)).get(20, TimeUnit.SECONDS);
            RocksTier again = Backups.open(context);
            try {
                assertThat(acknowledged).isNotEmpty();
                acknowledged.forEach(
                        (key, value) -> assertThat(Backups.read(again, key)).isEqualTo(value));
            } finally {
                again.close();
            }
        }
    }

    private void storm(
            RocksTier tier,
            int mine,
            Map<String, String> acknowledged,
            List<CompletableFuture<?>> calls,
            CountDownLatch warm) {
        for (int i = 0; i < 100_000; i++) {
            String key = mine + "-" + i;
            if (i % 50 == 49 && mine == 0) {
                try {
                    tier.scan(entry -> true);
                } catch (UnavailableException e) {
                    return;
                }
            }
            CompletableFuture<StoreOutcome> put = tier.put(
                            Backups.entry(key, clock.millis(), i & 0xFFFF, key), WriteCondition.IF_NEWER)
                    .toCompletableFuture();
            CompletableFuture<Lookup> get = tier.get(Backups.key(key)).toCompletableFuture();
            calls.add(get);
            calls.add(put.thenAccept(outcome -> {
                if (outcome instanceof StoreOutcome.Applied) {
                    acknowledged.put(key, key);
                }
            }));
            warm.countDown();
            if (get.join() instanceof Lookup.Unavailable no && no.cause() == Unavailability.CLOSED) {
                return;
            }
        }
    }

    @Test
    void aQueuedWriteIsReadBackAtOnceAndWritesBeyondTheBoundAreRefused() {
        TestContext context = new TestContext(clock, Backups.plain(temp.resolve("queue")));
        RocksTier tier = Backups.open(context);
        try {
            int refused = 0;
            List<CompletableFuture<StoreOutcome>> outcomes = new ArrayList<>();
            for (int i = 0; i < 40_000; i++) {
                outcomes.add(tier.put(Backups.entry("k" + i, clock.millis(), i, "v" + i), WriteCondition.IF_NEWER)
                        .toCompletableFuture());
                if (i % 1_000 == 0 && !outcomes.get(i).isDone()) {
                    assertThat(Backups.read(tier, "k" + i)).isEqualTo("v" + i);
                }
            }
            for (CompletableFuture<StoreOutcome> outcome : outcomes) {
                StoreOutcome known = Backups.await(outcome);
                if (known instanceof StoreOutcome.Unavailable no) {
                    assertThat(no.cause()).isEqualTo(Unavailability.OVERLOADED);
                    assertThat(no.detail()).contains("of 10000 entries");
                    refused++;
                }
            }
            assertThat(context.metrics().counter("l3.overloaded").getCount()).isEqualTo(refused);
            for (int i = 0; i < 40_000; i += 111) {
                boolean stored = Backups.await(outcomes.get(i)) instanceof StoreOutcome.Applied;
                assertThat(Backups.read(tier, "k" + i)).isEqualTo(stored ? "v" + i : null);
            }
        } finally {
            tier.close();
        }
    }

    @Test
    @Tag("F73")
    void anInterruptedCallerStillClosesWhollyAndKeepsItsFlag() {
        TestContext context = new TestContext(clock, Backups.plain(temp.resolve("interrupted")));
        RocksTier tier = Backups.open(context);
        List<CompletableFuture<StoreOutcome>> outcomes = new ArrayList<>();
        for (int i = 0; i < 2_000; i++) {
            outcomes.add(tier.put(Backups.entry("k" + i, clock.millis(), i, "v"), WriteCondition.IF_NEWER)
                    .toCompletableFuture());
        }
        Thread.currentThread().interrupt();
        tier.close();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(outcomes).allMatch(outcome -> outcome.getNow(null) instanceof StoreOutcome.Applied);
        RocksTier again = Backups.open(context);
        assertThat(Backups.read(again, "k1999")).isEqualTo("v");
        again.close();
    }

    @Test
    @Tag("F70")
    void anEntryThatNoQueueCouldHoldIsRefusedByNameAndTheNextOneStored() {
        RocksTier tier = Backups.open(new TestContext(clock, Backups.plain(temp.resolve("large"))));
        try {
            StoreOutcome outcome = Backups.await(
                    tier.put(Backups.entry("large", clock.millis(), 1, "x".repeat(65 << 20)), WriteCondition.IF_NEWER));
            assertThat(outcome)
                    .isInstanceOfSatisfying(
                            StoreOutcome.Refused.class,
                            no -> assertThat(no.reason()).contains("67108864").contains("queue_mib"));
            Backups.store(tier, Backups.entry("large", clock.millis(), 2, "x".repeat(5 << 20)));
            assertThat(Backups.read(tier, "large")).hasSize(5 << 20);
        } finally {
            tier.close();
        }
    }

    @Test
    void theProviderIsFoundByName() {
        assertThat(ServiceLoader.load(TierProvider.class))
                .anyMatch(provider -> provider.name().equals("rocksdb") && provider.level() == TierLevel.L3);
    }
}
