package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapBackplane;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapLog;
import dev.terrace.testkit.HeapTier;
import java.time.InstantSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two whole coordinators over one L2 and one log, in real time. */
class TwoNodesTest {
    private final HeapTier remote = new HeapTier(TierLevel.L2, InstantSource.system());
    private final HeapLog log = new HeapLog();
    private final Node one = new Node(1);
    private final Node two = new Node(2);

    private final class Node {
        final HeapBackplane end = log.open();
        final MetricRegistry metrics = new MetricRegistry();
        final CacheCoordinator coordinator;

        Node(long id) {
            coordinator = CacheCoordinator.builder()
                    .nodeId(id)
                    .metrics(metrics)
                    .promises(SimulatedFleet.PROMISES)
                    .tier(new HeapLocalTier(InstantSource.system()))
                    .tier(remote)
                    .backplane(end)
                    .build();
        }

        Cache<String, String> cache(String name) {
            return coordinator.cache(name, Codecs.stringKey(), Codecs.string());
        }
    }

    @AfterEach
    void close() {
        one.coordinator.close();
        two.coordinator.close();
    }

    private static void awaitL1(Cache<String, String> cache, String key) {
        await().until(() -> cache.read(key).source() == Source.L1);
    }

    @Test
    void aWriteDropsTheOtherNodesCopyAndSaysSo() {
        for (String name : new String[] {"eventual", "bounded", "strict"}) {
            Cache<String, String> mine = one.cache(name);
            Cache<String, String> theirs = two.cache(name);
            mine.put("k", "old");
            awaitL1(theirs, "k");
            assertThat(mine.put("k", "new").announced()).as(name).isTrue();
            assertThat(theirs.get("k")).as(name).isEqualTo("new");
            assertThat(mine.invalidate("k").announced()).as(name).isTrue();
            assertThat(theirs.get("k")).as(name).isNull();
            mine.put("k", "again");
            awaitL1(theirs, "k");
            assertThat(mine.clear().announced()).as(name).isTrue();
            assertThat(theirs.get("k")).as(name).isNull();
        }
        assertThat(two.metrics.counter("coherence.notices.applied").getCount()).isPositive();
    }

    @Test
    @Tag("F34")
    void aNodeThatCannotHearFencesItself() {
        Cache<String, String> mine = one.cache("bounded");
        Cache<String, String> theirs = two.cache("bounded");
        mine.put("k", "old");
        awaitL1(theirs, "k");
        two.end.cut();
        await().until(() -> theirs.read("k").source() == Source.L2);
        mine.put("k", "new");
        assertThat(theirs.get("k")).isEqualTo("new");
        two.end.mend();
        awaitL1(theirs, "k");
        assertThat(theirs.get("k")).isEqualTo("new");
    }

    @Test
    @Tag("F26")
    @Tag("F27")
    void aLogThatWasLostDropsEveryCopy() {
        Cache<String, String> mine = one.cache("eventual");
        Cache<String, String> theirs = two.cache("eventual");
        mine.put("k", "old");
        awaitL1(theirs, "k");
        two.end.delay();
        mine.put("k", "new");
        log.reset();
        two.end.mend();
        await().untilAsserted(() -> assertThat(theirs.get("k")).isEqualTo("new"));
        assertThat(two.metrics.counter("coherence.gaps").getCount()).isPositive();
    }

    @Test
    void whatNobodyTookIsSaidAndSentLater() {
        Cache<String, String> mine = one.cache("eventual");
        Cache<String, String> theirs = two.cache("eventual");
        mine.put("k", "old");
        awaitL1(theirs, "k");
        log.refuse(true);
        assertThat(mine.put("k", "new").announced()).isFalse();
        assertThat(theirs.get("k")).isEqualTo("old");
        assertThatThrownBy(() -> one.cache("strict").put("k", "new"))
                .isInstanceOf(UnavailableException.class)
                .hasMessageContaining("unknown");
        log.refuse(false);
        await().untilAsserted(() -> assertThat(theirs.get("k")).isEqualTo("new"));
    }

    @Test
    @Tag("F33")
    void manyInvalidationsLeaveNothingBehind() {
        Cache<String, String> mine = one.cache("eventual");
        for (int i = 0; i < 20_000; i++) {
            mine.invalidate("k" + i % 500);
        }
        await().untilAsserted(() -> assertThat(
                        two.metrics.counter("coherence.notices.heard").getCount())
                .isGreaterThanOrEqualTo(20_000));
        assertThat(two.coordinator.metrics().getGauges().get("flights").getValue())
                .isEqualTo(0);
        assertThat(one.metrics.getGauges().get("coherence.notices.unsent").getValue())
                .isEqualTo(0L);
    }
}
