package dev.terrace.testkit;

import static dev.terrace.testkit.Entries.staleable;
import static dev.terrace.testkit.Entries.text;
import static dev.terrace.testkit.Entries.tombstone;
import static dev.terrace.testkit.Entries.value;
import static dev.terrace.testkit.Entries.version;
import static dev.terrace.testkit.Stages.await;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What every {@link Tier} promises. A tier's test class extends this and says how to open one; the tier must be empty,
 * ready, large enough for a few thousand small entries and 64 KiB values, and must read the clock it is given.
 */
public abstract class TierContract extends VersionContract {
    @Test
    void anEmptyTierMisses() {
        assertThat(get(key("nothing"))).isInstanceOf(Lookup.Miss.class);
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
    }

    @Test
    void givesBackExactlyWhatWasStored() {
        Entry stored = new Entry(
                key("whole"),
                EntryKind.VALUE,
                next(),
                clock.millis(),
                clock.millis() + 10_000,
                clock.millis() + 20_000,
                List.of("tag-a", "tag-b", "ünïcode"),
                new byte[] {0, 1, -1, 127, -128});
        assertThat(put(stored)).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(hit(stored.key())).isEqualTo(stored);
    }

    @Test
    void keepsTombstonesNegativeAnswersAndEmptyValues() {
        Entry tombstone = tombstone(key("gone"), next(), clock.millis(), TTL);
        long until = clock.millis() + 60_000;
        Entry negative = new Entry(
                key("none"), EntryKind.NOT_FOUND, next(), clock.millis(), until, until, List.of(), new byte[0]);
        Entry empty = value(key("empty"), next(), clock.millis(), TTL, new byte[0]);
        for (Entry entry : List.of(tombstone, negative, empty)) {
            assertThat(put(entry)).isInstanceOf(StoreOutcome.Applied.class);
            assertThat(hit(entry.key())).isEqualTo(entry);
        }
    }

    @Test
    void anEntryPastItsStaleUntilIsAMissAndOnePastItsFreshUntilIsNot() {
        CacheKey key = key("ttl");
        put(staleable(key, next(), clock.millis(), Duration.ofSeconds(2), Duration.ofSeconds(2), "x"));
        clock.advance(Duration.ofMillis(2_500));
        assertThat(hit(key).isFresh(clock.millis())).isFalse();
        clock.advance(Duration.ofMillis(1_500));
        assertThat(get(key)).isInstanceOf(Lookup.Miss.class);
    }

    @Test
    void manyKeysAtOnceAnswerForEachOne() {
        List<Entry> entries = new ArrayList<>();
        for (int i = 0; i < 500; i++) {
            entries.add(value(key("many-" + i), next(), clock.millis(), TTL, "value " + i));
        }
        assertThat(await(tier.putAll(entries))).hasSize(500).allMatch(StoreOutcome.Applied.class::isInstance);
        List<CacheKey> asked = new ArrayList<>(entries.stream().map(Entry::key).toList());
        asked.add(key("many-unknown"));
        Map<CacheKey, Lookup> found = await(tier.getAll(asked));
        assertThat(found).hasSize(501);
        for (Entry entry : entries) {
            assertThat(found.get(entry.key())).isEqualTo(new Lookup.Hit(entry));
        }
        assertThat(found.get(key("many-unknown"))).isInstanceOf(Lookup.Miss.class);
        assertThat(await(tier.getAll(List.of()))).isEmpty();
        assertThat(await(tier.putAll(List.of()))).isEmpty();
    }

    @Test
    void outcomesOfManyWritesComeInTheirOrder() {
        Version old = next();
        Version held = next();
        put(value(key("b"), held, clock.millis(), TTL, "held"));
        List<StoreOutcome> outcomes = await(tier.putAll(List.of(
                value(key("a"), next(), clock.millis(), TTL, "a"),
                value(key("b"), old, clock.millis(), TTL, "late"),
                value(key("c"), next(), clock.millis(), TTL, "c1"),
                value(key("c"), next(), clock.millis(), TTL, "c2"))));
        assertThat(outcomes).hasSize(4);
        assertThat(outcomes.get(0)).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(outcomes.get(1)).isEqualTo(new StoreOutcome.Superseded(held));
        assertThat(outcomes.get(3)).isInstanceOf(StoreOutcome.Applied.class);
        assertThat(text(hit(key("c")))).isEqualTo("c2");
    }

    @Test
    @Tag("F70")
    void oddKeysAreStoredExactlyAndApart() {
        List<byte[]> odd = List.of(
                new byte[] {0},
                new byte[] {0, 0},
                new byte[] {-1, -2, -3},
                new byte[] {(byte) 0xC3, 0x28},
                "{a}b".getBytes(StandardCharsets.UTF_8),
                "{a}c".getBytes(StandardCharsets.UTF_8),
                "a:b".getBytes(StandardCharsets.UTF_8),
                "a%3Ab".getBytes(StandardCharsets.UTF_8),
                " ".getBytes(StandardCharsets.UTF_8),
                "\r\n".getBytes(StandardCharsets.UTF_8),
                "*".getBytes(StandardCharsets.UTF_8),
                "żółć 🚀".getBytes(StandardCharsets.UTF_8),
                new byte[1024]);
        List<String> caches = List.of("odd", "odd:a", "{odd}", "odd%", "ödd");
        Map<CacheKey, Entry> stored = new HashMap<>();
        for (String cache : caches) {
            for (byte[] bytes : odd) {
                CacheKey key = CacheKey.of(cache, bytes);
                Entry entry = value(key, next(), clock.millis(), TTL, "value " + stored.size());
                stored.put(key, entry);
                assertThat(put(entry)).isInstanceOf(StoreOutcome.Applied.class);
            }
        }
        assertThat(stored).hasSize(caches.size() * odd.size());
        stored.forEach((key, entry) -> assertThat(hit(key)).isEqualTo(entry));
    }

    @Test
    void valuesOfManySizesComeBackWhole() {
        SplittableRandom random = new SplittableRandom(42);
        for (int size : new int[] {0, 1, 15, 16, 17, 255, 256, 1_000, 4_096, 10_000, 65_536}) {
            byte[] payload = new byte[size];
            random.nextBytes(payload);
            Entry entry = value(key("size-" + size), next(), clock.millis(), TTL, payload);
            assertThat(put(entry)).as("size %d", size).isInstanceOf(StoreOutcome.Applied.class);
            assertThat(hit(entry.key())).isEqualTo(entry);
        }
    }

    @Test
    void clearReclaimsOneCacheUpToAVersion() {
        CacheKey other = CacheKey.of("other", "stays");
        put(value(other, next(), clock.millis(), TTL, "other"));
        CacheKey old = key("old");
        put(value(old, next(), clock.millis(), TTL, "old"));
        Version upTo = next();
        CacheKey young = key("young");
        put(value(young, next(), clock.millis(), TTL, "young"));
        await(tier.clear("contract", upTo));
        assertThat(text(hit(other))).isEqualTo("other");
        assertThat(text(hit(young))).isEqualTo("young");
    }

    @Test
    void ofManyConcurrentWritersTheNewestVersionWinsAndOneIfAbsentSucceeds() throws Exception {
        int writers = 8;
        int rounds = 60;
        ExecutorService threads = Executors.newFixedThreadPool(writers);
        try {
            for (int round = 0; round < rounds; round++) {
                CacheKey ordered = key("race-" + round);
                CacheKey once = key("once-" + round);
                long now = clock.millis();
                CountDownLatch start = new CountDownLatch(1);
                List<Future<StoreOutcome>> absent = new ArrayList<>();
                for (int writer = 0; writer < writers; writer++) {
                    int mine = writer + 1;
                    absent.add(threads.submit(() -> {
                        start.await();
                        put(value(ordered, version(now, mine), now, TTL, "w" + mine));
                        return await(tier.put(
                                value(once, version(now, mine), now, TTL, "w" + mine), WriteCondition.IF_ABSENT));
                    }));
                }
                start.countDown();
                int succeeded = 0;
                for (Future<StoreOutcome> outcome : absent) {
                    if (outcome.get(20, TimeUnit.SECONDS) instanceof StoreOutcome.Applied) {
                        succeeded++;
                    }
                }
                assertThat(succeeded).as("if-absent winners in round %d", round).isEqualTo(1);
                assertThat(text(hit(ordered))).isEqualTo("w" + writers);
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void agreesWithASimpleModelOverRandomOperations() {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + " seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed);
        Map<CacheKey, Entry> model = new HashMap<>();
        Map<CacheKey, Version> expired = new HashMap<>();
        List<Version> issued = new ArrayList<>(List.of(next()));
        for (int step = 0; step < 1_500; step++) {
            CacheKey key = key("model-" + random.nextInt(20));
            long now = clock.millis();
            Entry held = model.get(key);
            if (held != null && held.isExpired(now)) {
                model.remove(key);
                expired.put(key, held.version());
                held = null;
            }
            Version heldVersion = held == null ? null : held.version();
            switch (random.nextInt(10)) {
                case 0, 1, 2 -> {
                    boolean late = random.nextInt(3) == 0;
                    Version version = late ? issued.get(random.nextInt(issued.size())) : next();
                    Entry entry = random.nextInt(5) == 0
                            ? tombstone(key, version, now, Duration.ofSeconds(30))
                            : staleable(key, version, now, Duration.ofSeconds(5), Duration.ofSeconds(20), "s" + step);
                    issued.add(version);
                    // The same version always carries the same content, so an equal one may or may not be rewritten.
                    if (version.equals(heldVersion)) {
                        continue;
                    }
                    StoreOutcome outcome = put(entry);
                    Version past = expired.get(key);
                    if (held == null && past != null && outcome.equals(new StoreOutcome.Superseded(past))) {
                        // What is past its time is a miss, yet a tier that still has it may let its version count.
                        assertThat(version.isNewerThan(past))
                                .as("step %d", step)
                                .isFalse();
                    } else if (version.isNewerThan(heldVersion)) {
                        assertThat(outcome).as("step %d", step).isInstanceOf(StoreOutcome.Applied.class);
                        model.put(key, entry);
                    } else {
                        assertThat(outcome).as("step %d", step).isEqualTo(new StoreOutcome.Superseded(heldVersion));
                    }
                }
                case 3 -> {
                    Entry entry = value(key, next(), now, Duration.ofSeconds(10), "a" + step);
                    StoreOutcome outcome = await(tier.put(entry, WriteCondition.IF_ABSENT));
                    boolean absent = held == null || !held.isValue() || !held.isFresh(now);
                    assertThat(outcome instanceof StoreOutcome.Applied)
                            .as("step %d", step)
                            .isEqualTo(absent);
                    if (absent) {
                        model.put(key, entry);
                    }
                }
                case 4 -> {
                    boolean right = random.nextBoolean();
                    Version expected =
                            right && heldVersion != null ? heldVersion : issued.get(random.nextInt(issued.size()));
                    boolean matches = expected.equals(heldVersion);
                    Entry entry = value(key, next(), now, Duration.ofSeconds(10), "c" + step);
                    StoreOutcome outcome = await(tier.put(entry, new WriteCondition.IfVersion(expected)));
                    assertThat(outcome instanceof StoreOutcome.Applied)
                            .as("step %d", step)
                            .isEqualTo(matches);
                    if (matches) {
                        model.put(key, entry);
                    }
                }
                case 5 -> clock.advance(Duration.ofMillis(random.nextInt(1_500)));
                default -> {
                    Lookup found = get(key);
                    if (held == null) {
                        assertThat(found).as("step %d", step).isInstanceOf(Lookup.Miss.class);
                    } else {
                        assertThat(found).as("step %d", step).isEqualTo(new Lookup.Hit(held));
                    }
                }
            }
        }
    }

    @Test
    void aLocalTierAnswersOnTheCallersThreadAndDrops() {
        if (!(tier instanceof LocalTier local)) {
            return; // Said by the type: the capability is optional.
        }
        Entry entry = value(key("direct"), next(), clock.millis(), TTL, "direct");
        assertThat(local.store(entry, WriteCondition.IF_NEWER)).isInstanceOf(StoreOutcome.Applied.class);
        KeyBuffer buffer = new KeyBuffer();
        buffer.start("contract".getBytes(StandardCharsets.UTF_8));
        byte[] bytes = "direct".getBytes(StandardCharsets.UTF_8);
        buffer.write(bytes, 0, bytes.length);
        EnvelopeView view = new EnvelopeView();
        assertThat(local.read(buffer, view)).isTrue();
        assertThat(view.version()).isEqualTo(entry.version());
        assertThat(new String(view.array(), view.payloadOffset(), view.payloadLength(), StandardCharsets.UTF_8))
                .isEqualTo("direct");
        local.drop(entry.key());
        assertThat(local.read(buffer, view)).isFalse();
    }

    @Test
    void afterCloseEverythingIsUnavailableAndNothingIsThrown() {
        CacheKey key = key("closed");
        put(value(key, next(), clock.millis(), TTL, "x"));
        tier.close();
        tier.close();
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.CLOSED);
        assertThat(get(key))
                .isInstanceOfSatisfying(
                        Lookup.Unavailable.class, no -> assertThat(no.cause()).isEqualTo(Unavailability.CLOSED));
        assertThat(put(value(key, next(), clock.millis(), TTL, "y")))
                .isInstanceOfSatisfying(
                        StoreOutcome.Unavailable.class,
                        no -> assertThat(no.cause()).isEqualTo(Unavailability.CLOSED));
        assertThat(await(tier.getAll(List.of(key))).get(key)).isInstanceOf(Lookup.Unavailable.class);
        assertThat(await(tier.putAll(List.of(value(key, next(), clock.millis(), TTL, "z")))))
                .hasSize(1)
                .allMatch(StoreOutcome.Unavailable.class::isInstance);
        await(tier.clear("contract", next()));
    }
}
