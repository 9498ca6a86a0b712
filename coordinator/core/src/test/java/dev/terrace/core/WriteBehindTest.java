package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.AsyncWriter;
import dev.terrace.api.BulkWriter;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.OriginState;
import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.Source;
import dev.terrace.api.UnavailableException;
import dev.terrace.api.WriteContext;
import dev.terrace.api.WriteReceipt;
import dev.terrace.config.JournalSettings;
import dev.terrace.core.origin.WriteBehind;
import dev.terrace.spi.WriteJournal.Dead;
import dev.terrace.testkit.HeapJournal;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class WriteBehindTest {
    private final InstantSource clock = InstantSource.system();
    private final HeapTier shared = WritingNode.remoteTier(clock);
    private final HeapJournal journal = new HeapJournal();
    private final WrittenOrigin origin = new WrittenOrigin();

    private static WriteBehind behind(WritingNode node) {
        return Objects.requireNonNull(node.coordinator.writeBehind());
    }

    private void down() {
        origin.trouble(key -> {
            throw new IOException("origin is down");
        });
    }

    @Test
    void theCallerGoesOnBeforeTheOriginHasItAndReadsWhatItWrote() {
        CountDownLatch slow = new CountDownLatch(1);
        origin.trouble(key -> slow.await());
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            Cache<String, String> cache = node.behind(origin);
            WriteReceipt receipt = cache.put("k", "v");
            assertThat(receipt.origin()).isEqualTo(OriginState.JOURNALED);
            assertThat(receipt.applied()).isTrue();
            assertThat(origin.values).isEmpty();
            assertThat(cache.get("k", origin)).isEqualTo("v");
            assertThat(node.gauge("journal.pending")).isEqualTo(1);
            slow.countDown();
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            assertThat(origin.log).containsExactly("k=v");
            assertThat(origin.versions).containsExactly(receipt.version());
            assertThat(node.gauge("journal.pending.bytes")).isZero();
        }
    }

    @Test
    void whatWaitsIsReplacedAndNeverReordered() {
        down();
        try (WritingNode node = new WritingNode(
                shared,
                clock,
                journal,
                1,
                WritingNode.settings(
                        WritingNode.BEHIND.withRetries(1_000, Duration.ofMillis(5), Duration.ofMillis(20)),
                        JournalSettings.defaults()))) {
            Cache<String, String> cache = node.behind(origin);
            for (int i = 0; i < 20; i++) {
                cache.put("a", "a" + i);
                cache.put("b", "b" + i);
            }
            cache.remove("b");
            assertThat(node.gauge("journal.pending")).isEqualTo(2);
            assertThat(node.count("journal.coalesced")).isEqualTo(39);
            origin.trouble(null);
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            // A call that had begun with an older write may still have gone through, but only before.
            assertThat(origin.log.stream().filter(line -> line.startsWith("a")))
                    .last()
                    .isEqualTo("a=a19");
            assertThat(origin.log.stream().filter(line -> line.startsWith("b")))
                    .last()
                    .isEqualTo("b removed");
            assertThat(origin.log).hasSizeLessThanOrEqualTo(4);
            assertThat(node.count("journal.retries")).isPositive();
        }
    }

    @Test
    void aReadNeverLoadsTheOriginsOldValueOverAWriteThatWaits() {
        ManualClock manual = ManualClock.startingNow();
        HeapTier tier = WritingNode.remoteTier(manual);
        origin.values.put("k", "old");
        origin.values.put("gone", "old");
        down();
        try (WritingNode node = new WritingNode(tier, manual, journal, 1)) {
            Cache<String, String> cache = node.behind(origin);
            cache.put("k", "new");
            cache.remove("gone");
            // Its time is over in every tier.
            manual.advance(WritingNode.TTL.multipliedBy(3));
            assertThat(cache.get("k", origin)).isEqualTo("new");
            assertThat(cache.get("gone", origin)).isNull();
            assertThat(cache.getAll(List.of("k", "gone"), keys -> Map.of("k", "old", "gone", "old")))
                    .isEqualTo(Map.of("k", "new"));
            // An invalidation drops copies, and this is none.
            cache.invalidate("k");
            assertThat(cache.read("k").source()).isEqualTo(Source.JOURNAL);
            cache.clear();
            assertThat(cache.get("k", origin)).isEqualTo("new");
            assertThat(cache.explain("k").decision()).contains("JOURNAL");
            assertThat(origin.loads).hasValue(0);
        }
    }

    @Test
    void whatAnotherNodeLoadedMeanwhileIsDroppedWhenTheWriteHasArrived() {
        ManualClock manual = ManualClock.startingNow();
        HeapTier tier = WritingNode.remoteTier(manual);
        origin.values.put("k", "old");
        CountDownLatch slow = new CountDownLatch(1);
        origin.trouble(key -> slow.await());
        try (WritingNode node = new WritingNode(tier, manual, journal, 1)) {
            Cache<String, String> cache = node.behind(origin);
            cache.put("k", "new");
            manual.advance(WritingNode.TTL.multipliedBy(2));
            try (WritingNode other = new WritingNode(tier, manual, new HeapJournal(), 2)) {
                // The other node finds no copy, and takes the origin at its word.
                assertThat(other.plain("behind").get("k", origin)).isEqualTo("old");
                assertThat(cache.get("k"))
                        .as("versions decide, and that of a load is newer")
                        .isEqualTo("old");
                slow.countDown();
                await().untilAsserted(
                                () -> assertThat(node.gauge("journal.pending")).isZero());
                assertThat(cache.get("k", origin)).isEqualTo("new");
            }
            try (WritingNode third = new WritingNode(tier, manual, new HeapJournal(), 3)) {
                assertThat(third.plain("behind").get("k", origin)).isEqualTo("new");
            }
        }
    }

    @Test
    void aRemovalIsKnownToOtherNodesWhileItWaits() {
        origin.values.put("k", "old");
        down();
        try (WritingNode node = new WritingNode(shared, clock, journal, 1);
                WritingNode other = new WritingNode(shared, clock, new HeapJournal(), 2)) {
            node.behind(origin).remove("k");
            assertThat(other.plain("behind").get("k", origin)).isNull();
            assertThat(origin.loads).hasValue(0);
        }
    }

    @Test
    void whatWasAcceptedIsWrittenAfterARestart() {
        down();
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            node.behind(origin).put("a", "1");
            node.behind(origin).put("a", "2");
            node.behind(origin).put("b", "3");
        }
        origin.trouble(null);
        try (WritingNode again = new WritingNode(WritingNode.remoteTier(clock), clock, journal.reopened(), 2)) {
            // Before somebody says how to write it, it waits and is seen.
            assertThat(again.plain("behind").get("a")).isEqualTo("2");
            assertThat(again.gauge("journal.pending")).isEqualTo(2);
            Cache<String, String> cache = again.behind(origin);
            await().untilAsserted(
                            () -> assertThat(again.gauge("journal.pending")).isZero());
            assertThat(origin.values).isEqualTo(Map.of("a", "2", "b", "3"));
            assertThat(cache.get("b")).isEqualTo("3");
        }
    }

    @Test
    @Tag("F75")
    void aFullJournalMakesWritersWaitAndThenRefuses() {
        CountDownLatch slow = new CountDownLatch(1);
        origin.trouble(key -> slow.await());
        JournalSettings tiny = JournalSettings.defaults().withBounds(2, 1, 10, Duration.ofMillis(100));
        try (WritingNode node =
                new WritingNode(shared, clock, journal, 1, WritingNode.settings(WritingNode.BEHIND, tiny))) {
            Cache<String, String> cache = node.behind(origin);
            cache.put("a", "1");
            cache.put("b", "1");
            cache.put("b", "2"); // In place of another: needs no room.
            assertThatThrownBy(() -> cache.put("c", "1"))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("no room")
                    .hasMessageContaining("limits are 2 and 1 MiB")
                    .hasMessageContaining("journal.max_entries");
            assertThat(cache.get("c")).isNull();
            assertThat(node.count("journal.refused")).isEqualTo(1);
            var waits = cache.async().put("d", "1").toCompletableFuture();
            slow.countDown();
            assertThat(waits.join().applied()).as("room came in time").isTrue();
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            assertThat(origin.values).isEqualTo(Map.of("a", "1", "b", "2", "d", "1"));
        }
    }

    @Test
    @Tag("F75")
    void aJournalThatCannotBeWrittenRefusesAndNothingIsChanged() {
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            Cache<String, String> cache = node.behind(origin);
            cache.put("k", "old");
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            journal.breakDown(true);
            assertThatThrownBy(() -> cache.put("k", "new"))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("the disk is full")
                    .hasMessageContaining("nothing was changed");
            assertThat(cache.get("k")).isEqualTo("old");
            journal.breakDown(false);
            cache.put("k", "new");
            await().untilAsserted(() -> assertThat(origin.values).containsEntry("k", "new"));
        }
    }

    @Test
    @Tag("F75")
    void whatTheOriginRejectsOrFailsTooOftenBecomesADeadLetterThatCanBeReplayed() {
        origin.values.put("never", "old");
        origin.trouble(key -> {
            if (key.equals("never")) {
                throw new RejectedWriteException("value is too long");
            }
            throw new IOException("down");
        });
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            Cache<String, String> cache = node.behind(origin);
            cache.put("never", "new");
            cache.put("often", "new");
            await().untilAsserted(() -> assertThat(node.gauge("journal.dead")).isEqualTo(2));
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            List<Dead> dead = behind(node).dead();
            assertThat(dead)
                    .extracting(Dead::reason)
                    .anyMatch(reason -> reason.contains("value is too long"))
                    .anyMatch(reason -> reason.contains("down"));
            assertThat(dead).extracting(Dead::attempts).containsExactlyInAnyOrder(1, 3);
            assertThat(cache.get("never", origin))
                    .as("caches give up what the origin will not get")
                    .isEqualTo("old");

            origin.trouble(null);
            for (Dead letter : dead) {
                assertThat(behind(node)
                                .retry(letter.entry().version())
                                .toCompletableFuture()
                                .join())
                        .isNull();
            }
            await().untilAsserted(() -> assertThat(origin.values).isEqualTo(Map.of("never", "new", "often", "new")));
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            assertThat(node.gauge("journal.dead")).isZero();
            assertThat(cache.get("never", origin)).isEqualTo("new");
        }
    }

    @Test
    @Tag("F75")
    void deadLettersSurviveARestartAndEndWhenANewerWriteHasArrived() {
        origin.trouble(key -> {
            throw new RejectedWriteException("never");
        });
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            node.behind(origin).put("a", "1");
            node.behind(origin).put("b", "1");
            await().untilAsserted(() -> assertThat(node.gauge("journal.dead")).isEqualTo(2));
        }
        origin.trouble(null);
        try (WritingNode again = new WritingNode(shared, clock, journal.reopened(), 2)) {
            Cache<String, String> cache = again.behind(origin);
            assertThat(again.gauge("journal.dead")).isEqualTo(2);
            cache.put("a", "2");
            await().untilAsserted(() -> assertThat(again.gauge("journal.dead")).isEqualTo(1));
            Dead left = behind(again).dead().get(0);
            assertThat(behind(again)
                            .drop(left.entry().version())
                            .toCompletableFuture()
                            .join())
                    .isNull();
            assertThat(again.gauge("journal.dead")).isZero();
            assertThat(origin.values).isEqualTo(Map.of("a", "2"));
        }
    }

    @Test
    void manyWaitTogetherAndEachHasItsOwnAnswer() {
        List<Integer> sizes = new CopyOnWriteArrayList<>();
        Map<String, String> written = new java.util.concurrent.ConcurrentHashMap<>();
        CountDownLatch slow = new CountDownLatch(1);
        BulkWriter<String, String> bulk = changes -> {
            slow.await();
            sizes.add(changes.size());
            Map<String, Exception> failures = new HashMap<>();
            changes.forEach(change -> {
                if (change.key().equals("k3")) {
                    failures.put("k3", new RejectedWriteException("not this one"));
                } else {
                    written.put(change.key(), change.value());
                }
            });
            return failures;
        };
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            Cache<String, String> cache = node.coordinator.cache("behind", Codecs.stringKey(), Codecs.string(), bulk);
            for (int i = 0; i < 100; i++) {
                cache.put("k" + i, "v" + i);
            }
            slow.countDown();
            await().untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            assertThat(written).hasSize(99);
            assertThat(node.gauge("journal.dead")).isEqualTo(1);
            assertThat(sizes).hasSizeLessThan(60).allMatch(size -> size <= 64);
        }
    }

    @Test
    void closingDrainsWithoutWaitingForTheDelay() {
        WrittenOrigin late = new WrittenOrigin();
        try (WritingNode node = new WritingNode(
                shared,
                clock,
                journal,
                1,
                WritingNode.settings(
                        WritingNode.BEHIND.withBatches(Duration.ofMinutes(10), 1), JournalSettings.defaults()))) {
            Cache<String, String> cache = node.behind(late);
            for (int i = 0; i < 50; i++) {
                cache.put("k" + i, "v");
            }
            assertThat(late.calls).hasValue(0);
        }
        assertThat(late.values).hasSize(50);
        assertThat(journal.load().waiting()).isEmpty();
    }

    @Test
    void aDeadOriginIsNotStormedByEverythingThatWaits() {
        down();
        try (WritingNode node = new WritingNode(
                shared,
                clock,
                journal,
                1,
                WritingNode.settings(
                        WritingNode.BEHIND.withRetries(1_000, Duration.ofSeconds(5), Duration.ofSeconds(5)),
                        JournalSettings.defaults()))) {
            Cache<String, String> cache = node.behind(origin);
            for (int i = 0; i < 200; i++) {
                cache.put("k" + i, "v");
            }
            assertThat(origin.calls)
                    .hasValueLessThanOrEqualTo(JournalSettings.defaults().threads());
            assertThat(node.gauge("journal.pending")).isEqualTo(200);
        }
    }

    @Test
    void howeverManyWaitForAWriterThatAnswersAtOnceAllReachIt() {
        int many = 10_000;
        AtomicInteger written = new AtomicInteger();
        CompletableFuture<Void> first = new CompletableFuture<>();
        AsyncWriter<String, String> atOnce = new AsyncWriter<>() {
            @Override
            public CompletionStage<?> write(String key, String value, WriteContext context) {
                return written.getAndIncrement() < 8 ? first : CompletableFuture.completedFuture(null);
            }

            @Override
            public CompletionStage<?> delete(String key, WriteContext context) {
                return CompletableFuture.completedFuture(null);
            }
        };
        try (WritingNode node = new WritingNode(shared, clock, journal, 1)) {
            Cache<String, String> cache = node.coordinator.cache("behind", Codecs.stringKey(), Codecs.string(), atOnce);
            Map<String, String> values = new HashMap<>();
            for (int i = 0; i < many; i++) {
                values.put("k" + i, "v");
            }
            cache.putAll(values);
            first.complete(null);
            await().atMost(Duration.ofSeconds(30))
                    .untilAsserted(
                            () -> assertThat(node.gauge("journal.pending")).isZero());
            assertThat(written.get()).isEqualTo(many);
        }
    }
}
