package dev.terrace.replication;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LeaseStore.Claim;
import dev.terrace.spi.LeaseStore.Claimed;
import dev.terrace.spi.LeaseStore.Released;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeapFleet;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class QuorumLeasesTest {
    private static final long SEED = Long.getLong("terrace.seed", 815);
    private static final Duration KEEP = Duration.ofSeconds(1);
    private static final CacheKey KEY = CacheKey.of("quotes", "k");

    private final ManualClock clock = ManualClock.startingNow();
    private final List<Zone> zones = new ArrayList<>(List.of(new Zone(), new Zone(), new Zone()));

    /** A zone that can be away, and answers when told to. */
    private final class Zone implements LeaseStore {
        Version held;
        final HeapFleet store = new HeapFleet(clock, key -> held);
        boolean away;
        final List<Runnable> pending = new ArrayList<>();
        boolean slow;

        private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> ours, T no) {
            if (away) {
                return CompletableFuture.completedStage(no);
            }
            if (!slow) {
                return ours.get();
            }
            CompletableFuture<T> later = new CompletableFuture<>();
            pending.add(() -> ours.get().thenAccept(later::complete));
            return later;
        }

        @Override
        public CompletionStage<Claimed> claim(Claim claim) {
            return call(() -> store.claim(claim), new Claimed.Unavailable(Unavailability.TIMEOUT, "away"));
        }

        @Override
        public CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep) {
            return call(() -> store.renew(key, owner, keep), new Claimed.Unavailable(Unavailability.TIMEOUT, "away"));
        }

        @Override
        public CompletionStage<Released> release(CacheKey key, String owner) {
            return call(() -> store.release(key, owner), Released.UNAVAILABLE);
        }
    }

    private final QuorumLeases leases = new QuorumLeases(List.copyOf(zones));

    private Claimed claim(String owner) {
        CompletableFuture<Claimed> answer =
                leases.claim(new Claim(KEY, owner, KEEP, Version.ZERO)).toCompletableFuture();
        assertThat(answer).isCompleted();
        return answer.join();
    }

    @Test
    void aMajorityIsEnoughAndLessIsNotHeldAgainstOthers() {
        zones.get(0).away = true;
        assertThat(claim("a")).isInstanceOf(Claimed.Granted.class);
        assertThat(claim("b"))
                .isInstanceOfSatisfying(
                        Claimed.Held.class, held -> assertThat(held.owner()).isEqualTo("a"));
        // Another node that reaches other zones meets the same owner, and what it got is given back.
        zones.get(0).away = false;
        zones.get(2).away = true;
        assertThat(claim("b")).isInstanceOf(Claimed.Held.class);
        assertThat(zones.get(0).store.owner(KEY)).isNull();
        assertThat(leases.release(KEY, "a").toCompletableFuture().join()).isEqualTo(Released.WANTED);
        assertThat(claim("b")).as("by the two that know").isInstanceOf(Claimed.Granted.class);
        assertThat(claim("c")).isInstanceOf(Claimed.Held.class);
        clock.advance(KEEP);
        assertThat(claim("c")).isInstanceOf(Claimed.Granted.class);
    }

    @Test
    void withoutAMajorityThereAreNoLeases() {
        zones.get(0).away = true;
        zones.get(1).away = true;
        assertThat(claim("a")).isInstanceOf(Claimed.Unavailable.class);
        assertThat(zones.get(2).store.owner(KEY)).isNull();
    }

    @Test
    void whatOneZoneHoldsIsReasonToLookAgain() {
        zones.get(1).held = new Version(5, 5);
        assertThat(claim("a")).isInstanceOf(Claimed.Changed.class);
        zones.forEach(zone -> assertThat(zone.store.owner(KEY)).isNull());
    }

    @Test
    void aFrozenZoneIsNotWaitedForAndWhatItGrantsLateIsGivenBack() {
        zones.get(0).slow = true;
        assertThat(claim("a")).isInstanceOf(Claimed.Granted.class);
        assertThat(claim("b")).as("refused by two").isInstanceOf(Claimed.Held.class);
        assertThat(leases.renew(KEY, "a", KEEP).toCompletableFuture())
                .isCompletedWithValueMatching(Claimed.Granted.class::isInstance);
        zones.get(1).store.release(KEY, "a");
        zones.get(2).store.release(KEY, "a");
        assertThat(leases.renew(KEY, "a", KEEP).toCompletableFuture())
                .isCompletedWithValueMatching(Claimed.Held.class::isInstance);
        Zone frozen = zones.get(0);
        while (!frozen.pending.isEmpty()) {
            frozen.pending.remove(0).run();
        }
        assertThat(frozen.store.owner(KEY)).isNotEqualTo("b");
    }

    /** Nodes that reach now these and now those zones, the zones' answers in any order. */
    @Test
    void thereAreNeverTwoOwnersWhileNoZoneForgets() {
        SplittableRandom random = new SplittableRandom(SEED);
        Set<String> owners = new HashSet<>();
        int granted = 0;
        zones.forEach(zone -> zone.slow = true);
        List<CompletableFuture<Claimed>> asked = new ArrayList<>();
        List<String> askers = new ArrayList<>();
        for (int step = 0; step < 20_000; step++) {
            Zone zone = zones.get(random.nextInt(3));
            switch (random.nextInt(8)) {
                case 0 -> {
                    String owner = "o" + step;
                    askers.add(owner);
                    asked.add(leases.claim(new Claim(KEY, owner, Duration.ofDays(1), Version.ZERO))
                            .toCompletableFuture());
                }
                case 1 -> zone.away = random.nextInt(3) == 0;
                case 2 -> {
                    zones.forEach(each -> each.away = false);
                    for (String owner : owners) {
                        leases.release(KEY, owner);
                    }
                    owners.clear();
                }
                default -> {
                    if (!zone.pending.isEmpty()) {
                        // In the order in which they were sent, as over a connection.
                        zone.pending.remove(0).run();
                    }
                }
            }
            for (int i = 0; i < asked.size(); i++) {
                if (asked.get(i).isDone()) {
                    if (asked.get(i).join() instanceof Claimed.Granted) {
                        owners.add(askers.get(i));
                        granted++;
                    }
                    asked.remove(i);
                    askers.remove(i--);
                }
            }
            assertThat(owners).as("seed %d, step %d", SEED, step).hasSizeLessThanOrEqualTo(1);
        }
        assertThat(granted).isGreaterThan(50);
    }
}
