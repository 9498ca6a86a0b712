package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.AsyncWriter;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkWriter;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.OriginState;
import dev.terrace.api.OriginWriteException;
import dev.terrace.api.RejectedWriteException;
import dev.terrace.api.ReplicationException;
import dev.terrace.api.SetupException;
import dev.terrace.api.UnknownWriteException;
import dev.terrace.api.WriteChange;
import dev.terrace.api.WriteContext;
import dev.terrace.api.WriteOptions;
import dev.terrace.api.WriteReceipt;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Unavailability;
import dev.terrace.testkit.HeapJournal;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WriteThroughTest {
    private final ManualClock clock = ManualClock.startingNow();
    private final HeapTier shared = WritingNode.remoteTier(clock);
    private final WrittenOrigin origin = new WrittenOrigin();
    private WritingNode node;
    private Cache<String, String> cache;

    @BeforeEach
    void open() {
        node = new WritingNode(shared, clock, new HeapJournal(), 1);
        cache = node.through(origin);
    }

    @AfterEach
    void close() {
        node.close();
    }

    @Test
    void theOriginHasItBeforeTheTiersUnderOneVersion() {
        AtomicBoolean inCache = new AtomicBoolean();
        origin.trouble(key -> inCache.set(node.plain("through").get(key) != null));
        WriteReceipt receipt = cache.put("k", "v");
        assertThat(inCache).isFalse();
        assertThat(receipt.applied()).isTrue();
        assertThat(receipt.origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(origin.versions).containsExactly(receipt.version());
        assertThat(cache.get("k")).isEqualTo("v");
        assertThat(origin.values).containsEntry("k", "v");
    }

    @Test
    void whatTheOriginRefusesChangesNothing() {
        cache.put("k", "old");
        for (Exception why : List.of(new RejectedWriteException("never"), new IOException("connection refused"))) {
            origin.trouble(key -> {
                throw why;
            });
            OriginWriteException thrown = catchThrowableOfType(OriginWriteException.class, () -> cache.put("k", "new"));
            assertThat(thrown)
                    .hasMessageContaining("through")
                    .hasMessageContaining(why.getMessage())
                    .hasCause(why);
            assertThat(thrown.isUnknown()).isFalse();
            assertThat(cache.get("k")).isEqualTo("old");
        }
    }

    @Test
    void whatTheOriginMayHaveTakenIsInvalidated() {
        for (Exception why : List.of(new UnknownWriteException("answer lost"), new SocketTimeoutException("read"))) {
            origin.trouble(null);
            cache.put("k", "old");
            origin.trouble(key -> {
                origin.values.put(key, "new");
                throw why;
            });
            OriginWriteException thrown = catchThrowableOfType(OriginWriteException.class, () -> cache.put("k", "new"));
            assertThat(thrown.isUnknown()).isTrue();
            assertThat(cache.get("k")).isNull();
            assertThat(cache.get("k", origin)).isEqualTo("new");
        }
    }

    @Test
    void aCallThatOutlivesItsTimeIsUnknownAndWhatItDoesLateIsInvalidatedToo() throws Exception {
        cache.put("k", "old");
        CountDownLatch stuck = new CountDownLatch(1);
        origin.trouble(key -> {
            boolean over = false;
            while (!over) {
                try {
                    over = stuck.await(20, TimeUnit.SECONDS);
                } catch (InterruptedException deaf) {
                    // Writers exist that do not listen.
                    over = false;
                }
            }
        });
        OriginWriteException thrown = catchThrowableOfType(OriginWriteException.class, () -> cache.put("k", "new"));
        assertThat(thrown).hasMessageContaining("300 ms").hasNoCause();
        assertThat(thrown.isUnknown()).isTrue();
        assertThat(cache.get("k", origin)).isEqualTo("old");
        stuck.countDown();
        await().untilAsserted(() -> assertThat(cache.get("k", origin)).isEqualTo("new"));
    }

    @Test
    void aLoadThatReadTheOriginBeforeTheWriteDoesNotStay() {
        origin.values.put("k", "old");
        origin.trouble(key -> assertThat(cache.get(key, origin)).isEqualTo("old"));
        WriteReceipt receipt = cache.put("k", "new");
        assertThat(receipt.origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(cache.get("k", origin)).isEqualTo("new");
    }

    @Test
    void writesOfOneKeyReachOriginAndTiersInOneOrder() {
        List<CompletableFuture<WriteReceipt>> writes = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            writes.add(cache.async().put("k", "v" + i).toCompletableFuture());
        }
        writes.forEach(CompletableFuture::join);
        assertThat(origin.log).hasSize(50).last().isEqualTo("k=v49");
        assertThat(origin.versions).isSorted();
        assertThat(cache.get("k")).isEqualTo("v49");
    }

    @Test
    void ofTwoNodesTheTiersKeepWhatAnOriginKeepsThatGoesByVersions() {
        try (WritingNode other = new WritingNode(shared, clock, new HeapJournal(), 2)) {
            Cache<String, String> theirs = other.through(origin);
            // The other node's write overtakes this one between its version and the tiers.
            AtomicBoolean nested = new AtomicBoolean();
            origin.trouble(key -> {
                if (nested.compareAndSet(false, true)) {
                    clock.advance(java.time.Duration.ofMillis(5));
                    theirs.put(key, "theirs");
                }
            });
            WriteReceipt receipt = cache.put("k", "ours");
            assertThat(receipt.applied()).isFalse();
            assertThat(receipt.origin()).isEqualTo(OriginState.WRITTEN);
            // Which of the two the origin holds depends on the origin, so that nobody answers from a copy.
            assertThat(cache.get("k", origin)).isEqualTo(origin.values.get("k"));
        }
    }

    @Test
    void removalsReachTheOriginAndInvalidationsDoNot() {
        cache.put("k", "v");
        cache.invalidate("k");
        assertThat(origin.values).containsKey("k");
        assertThat(cache.remove("k").origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(origin.values).isEmpty();
        assertThat(cache.get("k", origin)).isNull();
    }

    @Test
    void whatTheCacheWouldDecideAloneIsRefused() {
        assertThatThrownBy(() -> cache.putIfAbsent("k", "v"))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("putIfAbsent")
                .hasMessageContaining("writes through");
        assertThatThrownBy(() -> cache.replace(
                        "k",
                        node.coordinator
                                .cache("aside", Codecs.stringKey(), Codecs.string())
                                .put("x", "y")
                                .version(),
                        "v"))
                .isInstanceOf(BadInputException.class);
        assertThatThrownBy(() -> cache.increment("k", 1)).isInstanceOf(BadInputException.class);
    }

    @Test
    void aCacheWithoutItsWriterSaysSo() {
        assertThatThrownBy(() -> node.plain("behind").put("k", "v"))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining("'behind' is set to write behind, but has no writer")
                .hasMessageContaining("caches.behind.write.policy");
    }

    @Test
    void aWriterWithoutAPolicyWritesThroughAndASecondOneIsRefused() {
        Cache<String, String> named = node.coordinator.cache("others", Codecs.stringKey(), Codecs.string(), origin);
        assertThat(named.put("k", "v").origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(node.plain("others").put("k", "w").origin()).isEqualTo(OriginState.WRITTEN);
        assertThatThrownBy(() ->
                        node.coordinator.cache("others", Codecs.stringKey(), Codecs.string(), new WrittenOrigin()))
                .isInstanceOf(BadInputException.class)
                .hasMessageContaining("another writer");
        Cache<String, String> aside = node.coordinator.cache("aside", Codecs.stringKey(), Codecs.string());
        assertThat(aside.put("k", "v").origin()).isEqualTo(OriginState.UNTOUCHED);
    }

    @Test
    void tooFewCopiesDoNotHideThatTheOriginHasIt() {
        node.remote.failWith(Unavailability.DISCONNECTED);
        WriteOptions quorum = WriteOptions.DEFAULTS.withReplication(ReplicationMode.QUORUM);
        ReplicationException thrown =
                catchThrowableOfType(ReplicationException.class, () -> cache.put("k", "v", quorum));
        assertThat(thrown).hasMessageContaining("the origin has taken it");
        assertThat(thrown.isUnknown()).isTrue();
        assertThat(thrown.receipt().origin()).isEqualTo(OriginState.WRITTEN);
        assertThat(origin.values).containsEntry("k", "v");
        assertThat(cache.get("k", origin)).isEqualTo("v");
    }

    @Test
    void whatATierMissesIsNoFailure() {
        node.remote.failWith(Unavailability.DISCONNECTED);
        assertThat(cache.put("k", "v").missed()).isNotEmpty();
        assertThat(cache.get("k")).isEqualTo("v");
    }

    @Test
    void asyncAndBulkWritersAreWriters() {
        AsyncWriter<String, String> async = new AsyncWriter<>() {
            @Override
            public CompletionStage<?> write(String key, String value, WriteContext context) {
                origin.values.put(key, value);
                return CompletableFuture.completedStage(null);
            }

            @Override
            public CompletionStage<?> delete(String key, WriteContext context) {
                return CompletableFuture.failedStage(new RejectedWriteException("never"));
            }
        };
        Cache<String, String> one = node.coordinator.cache("one", Codecs.stringKey(), Codecs.string(), async);
        one.put("k", "v");
        assertThat(origin.values).containsEntry("k", "v");
        assertThatThrownBy(() -> one.remove("k")).isInstanceOf(OriginWriteException.class);
        assertThat(one.get("k")).isEqualTo("v");

        BulkWriter<String, String> bulk = changes -> {
            changes.forEach(change -> origin.values.put(change.key(), change.value()));
            return changes.get(0).key().equals("bad") ? Map.of("bad", new IOException("full")) : Map.of();
        };
        Cache<String, String> many = node.coordinator.cache("many", Codecs.stringKey(), Codecs.string(), bulk);
        assertThat(many.putAll(Map.of("a", "1", "b", "2"))).hasSize(2);
        assertThat(origin.values).containsEntry("a", "1").containsEntry("b", "2");
        assertThatThrownBy(() -> many.put("bad", "x")).isInstanceOf(OriginWriteException.class);
        assertThat(many.get("bad")).isNull();
    }

    /** Takes many at once; what begins with {@code bad} it refuses. */
    private final class ManyTaker implements BulkWriter<String, String> {
        final List<List<String>> calls = new CopyOnWriteArrayList<>();

        @Override
        public Map<String, Exception> writeAll(List<WriteChange<String, String>> changes) {
            calls.add(changes.stream().map(WriteChange::key).toList());
            Map<String, Exception> refused = new HashMap<>();
            for (WriteChange<String, String> change : changes) {
                if (change.key().startsWith("bad")) {
                    refused.put(change.key(), new RejectedWriteException("never"));
                } else {
                    origin.values.put(change.key(), change.value());
                    origin.versions.add(change.context().version());
                }
            }
            return refused;
        }
    }

    @Test
    void manyWritesAreOneCallOfAWriterThatTakesMany() {
        ManyTaker taker = new ManyTaker();
        Cache<String, String> many = node.coordinator.cache("many", Codecs.stringKey(), Codecs.string(), taker);
        Map<String, WriteReceipt> receipts = many.putAll(Map.of("a", "1", "b", "2", "c", "3"));
        assertThat(taker.calls).hasSize(1);
        assertThat(taker.calls.get(0)).containsExactlyInAnyOrder("a", "b", "c");
        assertThat(receipts.values())
                .allSatisfy(receipt -> assertThat(receipt.origin()).isEqualTo(OriginState.WRITTEN));
        assertThat(receipts.values().stream().map(WriteReceipt::version))
                .containsExactlyInAnyOrderElementsOf(origin.versions);
        assertThat(many.getAll(List.of("a", "b", "c"))).isEqualTo(Map.of("a", "1", "b", "2", "c", "3"));

        assertThatThrownBy(() -> many.putAll(Map.of("d", "4", "bad", "5", "e", "6")))
                .isInstanceOf(OriginWriteException.class)
                .hasMessageContaining("never");
        assertThat(taker.calls).hasSize(2);
        assertThat(many.getAll(List.of("d", "bad", "e")))
                .as("the others were taken")
                .isEqualTo(Map.of("d", "4", "e", "6"));

        Map<String, String> hundred = new HashMap<>();
        for (int i = 0; i < 100; i++) {
            hundred.put("k" + i, "v" + i);
        }
        taker.calls.clear();
        many.putAll(hundred);
        assertThat(taker.calls.stream().map(List::size)).as("write.batch is 64").containsExactlyInAnyOrder(64, 36);
        assertThat(origin.values).containsAllEntriesOf(hundred);
    }

    @Test
    void batchesThatShareKeysFollowOneAnotherInWhateverOrderTheyNameThem() {
        ManyTaker taker = new ManyTaker();
        Cache<String, String> many = node.coordinator.cache("many", Codecs.stringKey(), Codecs.string(), taker);
        List<CompletableFuture<?>> all = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            Map<String, String> entries = new LinkedHashMap<>();
            entries.put(i % 2 == 0 ? "a" : "b", "v" + i);
            entries.put(i % 2 == 0 ? "b" : "a", "v" + i);
            entries.put("k" + i % 3, "v" + i);
            all.add(many.async().putAll(entries).toCompletableFuture());
            all.add(many.async().put("a", "single" + i).toCompletableFuture());
        }
        assertThat(CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)))
                .succeedsWithin(Duration.ofSeconds(30));
        for (String key : List.of("a", "b", "k0", "k1", "k2")) {
            assertThat(many.get(key)).as(key).isEqualTo(origin.values.get(key));
        }
    }
}
