package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.CacheClass;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.ForwardingTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Prolonging;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Lives that are lengthened by reads. */
class SlidingTest {
    private static final Duration TTL = Duration.ofMinutes(1);
    private static final CachePolicy SLIDES = new CachePolicy(TTL, Duration.ofSeconds(5), null, null)
            .withLoading(LoadingPolicy.INHERIT.withSliding(true));

    private final ManualClock clock = ManualClock.startingNow();
    private final HeapTier remote = new HeapTier(TierLevel.L2, clock);
    private final List<Node> nodes = new ArrayList<>();

    private final class Node {
        final MetricRegistry metrics = new MetricRegistry();
        final HeapLocalTier local = new HeapLocalTier(clock);
        final CacheCoordinator coordinator;

        Node(boolean withRemote) {
            this(withRemote ? remote : null);
        }

        Node(@Nullable Tier l2) {
            Settings base = Settings.defaults();
            Settings settings = new Settings(
                    base.localCache(),
                    base.distributedCache(),
                    base.backupStorage(),
                    base.circuitBreaker(),
                    base.failover(),
                    base.loading(),
                    base.limits(),
                    Map.of(
                            "sessions",
                            SLIDES,
                            "near",
                            SLIDES.withNearCache(new NearCacheSettings(100, null)),
                            "plain",
                            new CachePolicy(TTL, null, null, null)),
                    List.of(new CacheClass("plain:user:*", "user", SLIDES)),
                    base.server());
            CacheCoordinator.Builder builder = CacheCoordinator.builder()
                    .settings(settings)
                    .clock(clock)
                    .metrics(metrics)
                    .tier(local);
            if (l2 != null) {
                builder.tier(l2);
            }
            coordinator = builder.build();
            nodes.add(this);
        }

        Cache<String, String> cache(String name) {
            return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
        }

        long count(String metric) {
            return metrics.counter("sliding." + metric).getCount();
        }
    }

    @AfterEach
    void close() {
        nodes.forEach(node -> node.coordinator.close());
    }

    private Entry held(String cache, String key) {
        return ((Lookup.Hit) remote.get(CacheKey.of(cache, key))
                        .toCompletableFuture()
                        .join())
                .entry();
    }

    /** Reads once, and waits until that has had its effect. */
    private static void touch(Node node, Cache<String, String> cache, String key, String value) {
        long before = node.count("prolonged");
        await().untilAsserted(() -> {
            assertThat(cache.get(key)).isEqualTo(value);
            assertThat(node.count("prolonged")).isGreaterThan(before);
        });
    }

    @Test
    void whatIsReadLivesOnAndWhatIsNotEnds() {
        for (String name : List.of("sessions", "near")) {
            Node node = new Node(true);
            Cache<String, String> cache = node.cache(name);
            Version written = cache.put("read", "v").version();
            cache.put("left", "v");
            for (int i = 0; i < 4; i++) {
                clock.advance(TTL.multipliedBy(4).dividedBy(5));
                touch(node, cache, "read", "v");
            }
            assertThat(cache.get("left")).isNull();
            assertThat(cache.read("read").version()).isEqualTo(written);
            assertThat(held(name, "read").version()).isEqualTo(written);
            clock.advance(TTL.minusMillis(1));
            assertThat(cache.read("read").value())
                    .as("at least a whole time to live")
                    .isEqualTo("v");
            touch(node, cache, "read", "v");
            clock.advance(TTL.multipliedBy(2));
            assertThat(cache.get("read")).isNull();
        }
    }

    @Test
    void everyViewSlides() {
        Node node = new Node(true);
        Cache<String, String> cache = node.cache("sessions");
        cache.put("k", "v");
        List<Runnable> reads = List.of(
                () -> cache.get("k", key -> "never"),
                () -> cache.read("k"),
                () -> cache.async().get("k").toCompletableFuture().join(),
                () -> cache.getAll(List.of("k")),
                () -> cache.async()
                        .read("k", key -> "never")
                        .toCompletableFuture()
                        .join());
        for (Runnable read : reads) {
            clock.advance(TTL.dividedBy(2));
            long before = node.count("prolonged");
            await().untilAsserted(() -> {
                read.run();
                assertThat(node.count("prolonged")).isGreaterThan(before);
            });
            assertThat(held("sessions", "k").freshUntilMillis())
                    .isEqualTo(clock.millis() + TTL.toMillis() + TTL.toMillis() / 8);
        }
    }

    @Test
    void aReadOnOneNodeIsEnoughForTheOthers() {
        Node one = new Node(true);
        Node two = new Node(true);
        one.cache("sessions").put("k", "v");
        assertThat(two.cache("sessions").get("k")).isEqualTo("v");
        clock.advance(TTL.minusSeconds(1));
        touch(one, one.cache("sessions"), "k", "v");
        clock.advance(Duration.ofSeconds(2));
        assertThat(two.cache("sessions").read("k").source()).isEqualTo(Source.L2);
        assertThat(two.cache("sessions").read("k").source())
                .as("its own copy lives on too")
                .isEqualTo(Source.L1);
    }

    @Test
    void whatWasReplacedUnheardOfIsDroppedAndDoesNotLiveOn() {
        Node node = new Node(true);
        Cache<String, String> cache = node.cache("sessions");
        cache.put("k", "old");
        Entry old = held("sessions", "k");
        Entry newer = new Entry(
                old.key(),
                old.kind(),
                new Version(old.version().clock() + 1, 77),
                old.createdMillis(),
                old.freshUntilMillis(),
                old.staleUntilMillis(),
                List.of(),
                new byte[] {'n'});
        remote.put(newer, WriteCondition.IF_NEWER).toCompletableFuture().join();
        clock.advance(TTL.dividedBy(2));
        await().untilAsserted(() -> assertThat(cache.get("k")).isEqualTo("n"));
        assertThat(node.count("replaced")).isEqualTo(1);
    }

    @Test
    void withoutAnAnswerOfL2NothingLivesOn() {
        Node node = new Node(true);
        Cache<String, String> cache = node.cache("sessions");
        cache.put("k", "v");
        remote.close();
        clock.advance(TTL.minusSeconds(1));
        assertThat(cache.get("k")).isEqualTo("v");
        clock.advance(Duration.ofSeconds(2));
        assertThat(cache.get("k")).isNull();
        assertThat(node.count("prolonged")).isZero();
    }

    /** An L2 that cannot lengthen lives as long as it is told so, by a stage that fails or by throwing. */
    private final class Stubborn extends ForwardingTier implements Prolonging {
        final AtomicInteger asked = new AtomicInteger();
        volatile boolean fails = true;
        volatile boolean byThrowing;

        Stubborn() {
            super(remote);
        }

        @Override
        public CompletionStage<Prolonged> prolong(Entry entry) {
            asked.incrementAndGet();
            if (!fails) {
                return remote.prolong(entry);
            }
            if (byThrowing) {
                throw new IllegalStateException("a bug");
            }
            return CompletableFuture.failedStage(new IllegalStateException("a bug"));
        }
    }

    @Test
    void aLifeThatCannotBeLengthenedIsTriedAgainWithALaterRead() {
        for (boolean throwing : new boolean[] {false, true}) {
            Stubborn stubborn = new Stubborn();
            stubborn.byThrowing = throwing;
            Node node = new Node(stubborn);
            Cache<String, String> cache = node.cache("sessions");
            cache.put("k" + throwing, "v");
            clock.advance(TTL.dividedBy(2));
            await().untilAsserted(() -> {
                assertThat(cache.get("k" + throwing))
                        .as("readers do not notice")
                        .isEqualTo("v");
                assertThat(stubborn.asked).hasValueGreaterThan(1);
            });
            assertThat(node.count("prolonged")).isZero();
            stubborn.fails = false;
            touch(node, cache, "k" + throwing, "v");
        }
    }

    @Test
    void withoutAnL2TheCopyHereIsAllThereIs() {
        Node node = new Node(false);
        Cache<String, String> cache = node.cache("sessions");
        cache.put("k", "v");
        for (int i = 0; i < 3; i++) {
            clock.advance(TTL.minusSeconds(1));
            touch(node, cache, "k", "v");
        }
    }

    @Test
    void onlyWhereTheClassAsksForItAndNeverBeyondWhatMarkersCover() {
        Node node = new Node(true);
        Cache<String, String> cache = node.cache("plain");
        cache.put("k", "v");
        cache.put("user:1", "v");
        clock.advance(TTL.minusSeconds(1));
        touch(node, cache, "user:1", "v");
        assertThat(cache.get("k")).isEqualTo("v");
        clock.advance(Duration.ofSeconds(2));
        assertThat(cache.get("k")).isNull();
        assertThat(cache.get("user:1")).isEqualTo("v");
        Cache<String, String> tagged = node.cache("sessions");
        tagged.put("t", "v", WriteOptions.DEFAULTS.withTags("tag"));
        long created = held("sessions", "t").createdMillis();
        clock.advance(TTL.dividedBy(2));
        touch(node, tagged, "t", "v");
        tagged.invalidateTags(List.of("tag"));
        assertThat(tagged.get("t")).isNull();
        assertThat(held("sessions", "t").staleUntilMillis()).isLessThan(created + Markers.TAGGED_LIFE_MILLIS);
    }

    @Test
    void whatCarriesTagsLivesNoLongerThanTheMarkersThatMayHideIt() {
        Node node = new Node(true);
        Cache<String, String> cache = node.cache("sessions");
        Duration most = Duration.ofMillis(Markers.TAGGED_LIFE_MILLIS);
        WriteOptions tagged = WriteOptions.DEFAULTS.withTags("user").withTtl(most.minus(TTL.dividedBy(2)));
        cache.put("k", "v", tagged);
        long created = held("sessions", "k").createdMillis();
        clock.advance(most.minus(TTL));
        touch(node, cache, "k", "v");
        assertThat(held("sessions", "k").freshUntilMillis()).isEqualTo(created + most.toMillis());
    }
}
