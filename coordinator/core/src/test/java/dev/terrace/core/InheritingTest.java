package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Persisted;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ForwardingLocalTier;
import dev.terrace.testkit.HeapBackplane;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a node believes of what its earlier process left in L1. */
class InheritingTest {
    private static final long STRANGER = 99;
    private static final String CACHE = "eventual";
    private static final int JUDGEMENTS = 5;

    private final InstantSource clock = InstantSource.system();
    private final HeapLog log = new HeapLog();
    private final HeapLocalTier heap = new HeapLocalTier(clock);
    private final HeapTier remote = new HeapTier(TierLevel.L2, clock);
    private @Nullable CacheCoordinator node;

    /** On the heap, which outlives the coordinators of this test. */
    private static final class Left extends ForwardingLocalTier implements Persisted {
        private final Inheritance inheritance;
        private final List<Notice.Marker> kept = new CopyOnWriteArrayList<>();
        private final AtomicInteger judged = new AtomicInteger();
        private volatile boolean confirmed;
        private volatile @Nullable Map<String, String> places;

        Left(HeapLocalTier local, Inheritance inheritance) {
            super(local);
            this.inheritance = inheritance;
        }

        @Override
        public Inheritance inherited() {
            return inheritance;
        }

        @Override
        public void confirm() {
            confirmed = true;
        }

        @Override
        public void keepPlaces(@Nullable Map<String, String> newPlaces) {
            places = newPlaces;
            judged.incrementAndGet();
        }

        /** Until it could have been confirmed several times: with each beat it is found out how far the logs were heard. */
        void awaitJudgements() {
            int before = judged.get();
            await().until(() -> confirmed || judged.get() >= before + JUDGEMENTS);
        }

        @Override
        public void keepMarker(Notice.Marker marker) {
            kept.add(marker);
        }

        @Override
        public void close() {
            // The heap is for the next process.
        }
    }

    private Left left(long entries, @Nullable Map<String, String> places, Notice.Marker... markers) {
        return new Left(heap, new Persisted.Inheritance(entries, places, List.of(markers), Version.ZERO));
    }

    private CacheCoordinator start(Left left, @Nullable HeapBackplane end) {
        CacheCoordinator.Builder builder = CacheCoordinator.builder()
                .nodeId(1)
                .promises(SimulatedFleet.PROMISES)
                .tier(left)
                .tier(remote);
        node = (end == null ? builder : builder.backplane(end)).build();
        return node;
    }

    private static Cache<String, String> cache(CacheCoordinator of, String name) {
        return of.cache(name, Codecs.stringKey(), Codecs.string());
    }

    private CacheKey put(String key) {
        long now = clock.millis();
        Entry entry = Entries.value(
                CacheKey.of(CACHE, key), Version.of(now - 1_000, 0, 1), now - 1_000, Duration.ofHours(1), "left");
        heap.store(entry, WriteCondition.IF_NEWER);
        return entry.key();
    }

    private boolean holds(CacheKey key) {
        return heap.get(key).toCompletableFuture().join() instanceof dev.terrace.spi.Lookup.Hit;
    }

    private Notice change(CacheKey key) {
        return new Notice.Changed(STRANGER, key, Version.of(clock.millis(), 0, STRANGER), false);
    }

    /** Where a process stops that has just heard all. */
    private Map<String, String> stop() {
        HeapBackplane earlier = log.open();
        Map<String, String> places = Map.of(earlier.name(), earlier.bookmark());
        earlier.close();
        return places;
    }

    @AfterEach
    void close() {
        if (node != null) {
            node.close();
        }
    }

    @Test
    @Tag("F35")
    void whatWasReplacedWhileNobodyWasThereIsDroppedAndTheRestIsConfirmed() {
        CacheKey replaced = put("replaced");
        CacheKey same = put("same");
        Map<String, String> places = stop();
        log.append(List.of(change(replaced)));
        Left left = left(2, places);
        start(left, log.open());
        await().until(() -> left.confirmed);
        assertThat(holds(replaced)).isFalse();
        assertThat(holds(same)).isTrue();
        await().until(() -> !places.equals(left.places) && left.places != null);
    }

    @Test
    @Tag("F26")
    void aLogThatHasForgottenDropsEverything() {
        CacheKey key = put("k");
        Map<String, String> places = stop();
        log.append(List.of(change(put("other")), change(put("another"))));
        log.trim(0);
        Left left = left(3, places);
        start(left, log.open());
        await().until(() -> left.confirmed && left.places != null);
        assertThat(holds(key)).isFalse();
    }

    @Test
    void whoDoesNotKnowWhereItStoppedDropsEverything() {
        for (Map<String, String> places : new Map[] {null, Map.of(), Map.of("log-other", "1:0")}) {
            CacheKey key = put("k");
            try (CacheCoordinator started = start(left(1, places), log.open())) {
                assertThat(holds(key)).as("%s", places).isFalse();
            }
        }
        CacheKey key = put("k");
        start(left(1, null), null);
        assertThat(holds(key)).as("nor without logs, when it was in doubt").isFalse();
    }

    @Test
    void whileTheLogCannotBeHeardNothingIsConfirmed() {
        CacheKey key = put("k");
        HeapBackplane end = log.open();
        end.cut();
        Left left = left(1, stop());
        start(left, end);
        left.awaitJudgements();
        assertThat(left.confirmed).isFalse();
        log.append(List.of(change(key)));
        end.mend();
        await().until(() -> left.confirmed);
        assertThat(holds(key)).isFalse();
    }

    @Test
    void withoutLogsWhatWasLeftIsAsGoodAsInAProcessThatRanOn() {
        CacheKey key = put("k");
        Left left = left(1, Map.of());
        start(left, null);
        assertThat(left.confirmed).isTrue();
        assertThat(holds(key)).isTrue();
        assertThat(left.places).isEmpty();
    }

    @Test
    void whoDidNotListenLeavesNoPlaceToGoOnFrom() {
        put("k");
        Left left = left(1, stop());
        start(left, null);
        assertThat(left.confirmed).isTrue();
        assertThat(left.places).isEmpty();
    }

    @Test
    void whatIsWrittenAfterTheClockWentBackIsNewerThanWhatWasLeft() {
        long before = clock.millis() + 30_000;
        CacheKey key = CacheKey.of(CACHE, "k");
        Version version = Version.of(before, 7, 1);
        heap.store(Entries.value(key, version, before, Duration.ofHours(1), "left"), WriteCondition.IF_NEWER);
        CacheCoordinator after =
                start(new Left(heap, new Persisted.Inheritance(1, Map.of(), List.of(), version)), null);
        assertThat(cache(after, CACHE).put("k", "new").applied()).isTrue();
        assertThat(cache(after, CACHE).get("k")).isEqualTo("new");
    }

    @Test
    void whatIsTooFarAheadOfTheClockIsDropped() {
        CacheKey key = put("k");
        Version version = Version.of(clock.millis() + Duration.ofDays(1).toMillis(), 0, 1);
        start(new Left(heap, new Persisted.Inheritance(1, Map.of(), List.of(), version)), null);
        assertThat(holds(key)).isFalse();
    }

    @Test
    void whatWasClearedStaysHiddenAndIsKeptForTheNextProcess() {
        put("k");
        Version now = Version.of(clock.millis(), 0, STRANGER);
        Left left = left(1, Map.of(), new Notice.Marker(STRANGER, CACHE, null, now, false));
        assertThat(cache(start(left, null), CACHE).get("k")).isNull();
        cache(start(left, null), "bounded").clear();
        cache(start(left, null), "bounded").invalidateTags(List.of("red"));
        assertThat(left.kept).anyMatch(marker -> marker.cache().equals("bounded") && marker.tag() == null);
        assertThat(left.kept).anyMatch(marker -> "red".equals(marker.tag()));
        HeapBackplane end = log.open();
        try (CacheCoordinator listening = start(left, end)) {
            log.append(List.of(new Notice.Marker(STRANGER, "never opened", null, now, false)));
            assertThat(left.kept).anyMatch(marker -> marker.cache().equals("never opened"));
        }
    }
}
