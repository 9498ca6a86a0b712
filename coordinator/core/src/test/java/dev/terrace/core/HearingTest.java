package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteOptions;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Notice;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapBackplane;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What one node does with its copies when it hears of a stranger's writes. */
class HearingTest {
    private static final long STRANGER = 99;
    private static final String CACHE = "eventual";
    private static final Lookup NO_ANSWER = new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "too late");

    private final InstantSource clock = InstantSource.system();
    private final HeapLog log = new HeapLog();
    private final HeapBackplane end = log.open();
    private final HeapLocalTier local = new HeapLocalTier(clock);
    private final HeapTier remoteHeap = new HeapTier(TierLevel.L2, clock);
    private final HeapTier backupHeap = new HeapTier(TierLevel.L3, clock);
    private final FaultyTier remote = new FaultyTier(remoteHeap);
    private final MetricRegistry metrics = new MetricRegistry();
    private @Nullable CacheCoordinator node;

    private CacheCoordinator.Builder builder() {
        return CacheCoordinator.builder()
                .nodeId(1)
                .metrics(metrics)
                .promises(SimulatedFleet.PROMISES)
                .backplane(end)
                .tier(local);
    }

    private Cache<String, String> open(CacheCoordinator.Builder builder, String name) {
        node = builder.build();
        return cache(node, name);
    }

    private static Cache<String, String> cache(CacheCoordinator node, String name) {
        return node.cache(name, Codecs.stringKey(), Codecs.string());
    }

    private void hear(Notice notice) {
        log.append(List.of(notice)); // delivered on this thread
    }

    /** Newer than what this node has written so far. */
    private Version newer() {
        return Version.of(clock.millis() + 100, 0, STRANGER);
    }

    private static Lookup heldBy(HeapTier tier, CacheKey key) {
        return tier.get(key).toCompletableFuture().join();
    }

    @AfterEach
    void close() {
        if (node != null) {
            node.close();
        }
    }

    @Test
    @Tag("F17")
    void aVersionThatIsRefusedDropsTheCopyAllTheSame() {
        Cache<String, String> cache = open(builder().tier(remote), CACHE);
        cache.put("k", "mine");
        assertThat(cache.read("k").source()).isEqualTo(Source.L1);
        Version tomorrow = Version.of(clock.millis() + Duration.ofDays(1).toMillis(), 0, STRANGER);
        hear(new Notice.Changed(STRANGER, CacheKey.of(CACHE, "k"), tomorrow, false));
        assertThat(metrics.counter("versions.refused").getCount()).isEqualTo(1);
        assertThat(cache.read("k").source()).as("what L2 holds counts").isEqualTo(Source.L2);
        assertThat(cache.put("k", "again").applied()).isTrue();
        assertThat(cache.get("k")).isEqualTo("again");
    }

    /** Over L2, which does not say in time which markers there are of some groups. */
    private CacheCoordinator.Builder withoutMarkers(Predicate<CacheKey> silent) {
        return builder().tier(new ForwardingTier(remoteHeap) {
            @Override
            public CompletionStage<Lookup> get(CacheKey key) {
                return silent.test(key) ? CompletableFuture.completedStage(NO_ANSWER) : super.get(key);
            }

            @Override
            public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
                return super.getAll(keys).thenApply(found -> {
                    Map<CacheKey, Lookup> said = new HashMap<>(found);
                    said.replaceAll((key, lookup) -> silent.test(key) ? NO_ANSWER : lookup);
                    return said;
                });
            }
        });
    }

    private static void requireUnknown(Cache<String, String> cache) {
        assertThatThrownBy(() -> cache.read("k", ReplicationMode.QUORUM))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("what was cleared");
    }

    /** A node that slept asks L2 what was cleared meanwhile; L2 answers that too late, and the key in time. */
    @Test
    @Tag("F77")
    void whoAsksForSureDoesNotHearOfNothingWhenWhatWasClearedCannotBeLearned() {
        Cache<String, String> cache =
                open(withoutMarkers(key -> key.cache().startsWith(MarkerKeys.RESERVED_PREFIX)), CACHE);
        cache.put("k", "there");
        requireUnknown(cache);
    }

    @Test
    void norWhenTheMarkersOfItsTagsCannotBeLearned() {
        try (CacheCoordinator other = CacheCoordinator.builder()
                .nodeId(2)
                .promises(SimulatedFleet.PROMISES)
                .tier(new LastingTier(remoteHeap))
                .build()) {
            cache(other, CACHE).put("k", "there", WriteOptions.DEFAULTS.withTags("t"));
            cache(other, CACHE).invalidateTags(List.of("another"));
        }
        CacheKey tag = MarkerKeys.ofTag(CACHE, "t");
        Cache<String, String> cache = open(withoutMarkers(tag::equals), CACHE);
        requireUnknown(cache);
    }

    @Test
    void aMissedWriteThatWasOvertakenElsewhereDoesNotComeBack() {
        Cache<String, String> cache = open(builder().tier(remote), CACHE);
        CacheKey key = CacheKey.of(CACHE, "k");
        remote.failWith(Unavailability.DISCONNECTED);
        cache.put("k", "mine");
        cache.put("other", "mine");
        assertThat(missedWrites()).isEqualTo(2);
        hear(new Notice.Changed(STRANGER, key, newer(), false));
        assertThat(missedWrites()).isEqualTo(1);
        // The stranger's value has been evicted from L2 by the time it is back.
        remote.release();
        assertThat(cache.get("k")).isNull();
        await().until(() -> heldBy(remoteHeap, CacheKey.of(CACHE, "other")) instanceof Lookup.Hit);
        assertThat(heldBy(remoteHeap, key)).isEqualTo(Lookup.MISS);
    }

    private int missedWrites() {
        return (Integer) metrics.getGauges().get("missed_writes.l2.pending").getValue();
    }

    @Test
    @Tag("F26")
    void afterAGapWhatL3HoldsIsNotFreshByItself() {
        Cache<String, String> cache = open(builder().tier(remote).tier(backupHeap), "bounded");
        CacheKey key = CacheKey.of("bounded", "k");
        cache.put("k", "old");
        await().until(() ->
                heldBy(backupHeap, key) instanceof Lookup.Hit hit && hit.entry().isValue());
        remote.failWith(Unavailability.DISCONNECTED);
        // Without a gap L3 has the newest of this node's knowledge.
        await().until(() -> fromL3(cache, key) == Freshness.FRESH);
        remote.release();
        end.delay();
        log.reset();
        end.mend();
        await().until(() -> trusted("bounded"));
        remote.failWith(Unavailability.DISCONNECTED);
        await().until(() -> {
            boolean before = trusted("bounded");
            Freshness told = fromL3(cache, key);
            boolean judged = before && trusted("bounded"); // else it may have been for want of trust in copies
            assertThat(judged && told == Freshness.FRESH).isFalse();
            return judged;
        });
    }

    private boolean trusted(String name) {
        return node != null && node.consistencies().get(name).trusted();
    }

    private Freshness fromL3(Cache<String, String> cache, CacheKey key) {
        local.drop(key);
        return cache.read("k").freshness();
    }

    @Test
    void aMarkerThatCameBeforeItsCacheWasOpenedCounts() {
        long now = clock.millis();
        Version before = Version.of(now, 0, STRANGER);
        for (String name : List.of(CACHE, "bounded")) {
            local.store(
                    Entries.value(CacheKey.of(name, "k"), before, now, Duration.ofMinutes(1), "old"),
                    WriteCondition.IF_NEWER);
        }
        Cache<String, String> other = open(builder(), "bounded");
        hear(new Notice.Marker(STRANGER, CACHE, null, newer(), false));
        assertThat(other.get("k")).isEqualTo("old");
        assertThat(cache(Objects.requireNonNull(node), CACHE).get("k")).isNull();
    }

    @ParameterizedTest
    @CsvSource({"acme/c,", "acme/c,red", MarkerKeys.NAMESPACES + ",acme"})
    void aMarkerThatWasHeardHoldsAfterARestartWithoutL2(String what, @Nullable String tag) {
        Cache<String, String> cache = open(builder().tier(remote).tier(new LastingTier(backupHeap)), "acme/c");
        WriteOptions red = WriteOptions.DEFAULTS.withTags("red");
        cache.put("k", "old", red);
        hear(new Notice.Marker(STRANGER, what, tag, newer(), false));
        assertThat(cache.get("k")).isNull();
        close(); // hands L3 what it has yet to store
        try (CacheCoordinator again = CacheCoordinator.builder()
                .nodeId(2)
                .tier(new HeapTier(TierLevel.L2, clock))
                .tier(new LastingTier(backupHeap))
                .build()) {
            assertThat(heldBy(backupHeap, CacheKey.of("acme/c", "k"))).isInstanceOf(Lookup.Hit.class);
            assertThat(cache(again, "acme/c").get("k")).isNull();
        }
    }
}
