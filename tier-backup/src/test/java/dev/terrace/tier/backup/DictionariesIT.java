package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.config.CachePolicy;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.Sides.Side;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DictionariesIT {
    private static final CacheWatch.Limits SOON = new CacheWatch.Limits(600, 4 << 20, 8 << 10, 200, 1_000);
    private static final String CANARY = "canary-of-the-values";

    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();
    private final SplittableRandom random = new SplittableRandom(Long.getLong("terrace.seed", 4711));
    private TestContext context;
    private int counter;

    private RocksTier open(boolean encrypted, Object... more) {
        List<Object> settings = new ArrayList<>(List.of(
                encrypted
                        ? Backups.settings(folder, true, null, Backups.PASSPHRASE, Duration.ofHours(8))
                        : Backups.settings(folder, false, null, null, Duration.ofHours(8)),
                SOON));
        settings.addAll(List.of(more));
        context = new TestContext(clock, settings.toArray());
        return Backups.open(context);
    }

    private String document(int shape, int i) {
        return "{\"kind\":\"" + CANARY + shape + "\",\"id\":" + i + ",\"price\":" + random.nextInt(100_000)
                + ",\"currency\":\"EUR\",\"venue\":\"exchange number " + shape + " of the world\",\"open\":"
                + random.nextBoolean() + ",\"note\":\"" + Long.toHexString(random.nextLong()) + "\"}";
    }

    private void store(RocksTier tier, String cache, int shape, int from, int count) {
        List<Entry> entries = new ArrayList<>();
        for (int i = from; i < from + count; i++) {
            entries.add(Entries.value(
                    CacheKey.of(cache, "k" + i),
                    Entries.version(clock.millis(), ++counter),
                    clock.millis(),
                    Backups.TTL,
                    document(shape, i)));
        }
        assertThat(Backups.await(tier.putAll(entries))).allMatch(outcome -> outcome instanceof StoreOutcome.Applied);
    }

    private long count(String metric) {
        return context.metrics().counter(metric).getCount();
    }

    private void awaitTrained(long dictionaries) {
        await().atMost(Duration.ofSeconds(60)).until(() -> count("l3.dictionaries.trained") >= dictionaries);
    }

    private boolean reads(RocksTier tier, String cache, int from, int count) {
        for (int i = from; i < from + count; i++) {
            Lookup found = Backups.await(tier.get(CacheKey.of(cache, "k" + i)));
            if (!(found instanceof Lookup.Hit hit && Entries.text(hit.entry()).contains("\"id\":" + i + ","))) {
                return false;
            }
        }
        return true;
    }

    @Test
    void valuesAreReadWithTheDictionaryTheyWereWrittenWithAlsoAfterReopening() {
        RocksTier tier = open(true);
        try {
            store(tier, "quotes", 1, 0, 700);
            awaitTrained(1);
            store(tier, "quotes", 1, 700, 300);
            assertThat(reads(tier, "quotes", 0, 1_000)).isTrue();
        } finally {
            tier.close();
        }
        RocksTier again = open(true);
        try {
            assertThat(reads(again, "quotes", 0, 1_000)).isTrue();
            store(again, "quotes", 1, 1_000, 300);
            assertThat(reads(again, "quotes", 1_000, 300)).isTrue();
            assertThat(again.dictionaries().all()).hasSize(1);
            assertThat(count("l3.corrupt")).isZero();
        } finally {
            again.close();
        }
    }

    @Test
    void whenValuesChangeAnotherDictionaryIsTrainedAndTheOldOneGoesWithItsPartitions() {
        RocksTier tier = open(false);
        try {
            store(tier, "quotes", 1, 0, 700);
            awaitTrained(1);
            store(tier, "quotes", 1, 700, 1_000);
            assertThat(count("l3.dictionaries.trained")).isEqualTo(1);
            for (int round = 0; count("l3.dictionaries.trained") < 2 && round < 60; round++) {
                store(tier, "quotes", 2, 2_000 + 200 * round, 200);
            }
            awaitTrained(2);
            store(tier, "quotes", 2, 1_700, 100);
            assertThat(reads(tier, "quotes", 0, 1_800)).isTrue();
            assertThat(tier.dictionaries().all()).hasSize(2);
            for (int hour = 0; hour < 12; hour++) {
                clock.advance(Duration.ofHours(1));
                store(tier, "quotes", 2, 20_000 + hour, 1);
            }
            await().atMost(Duration.ofSeconds(20))
                    .until(() -> tier.dictionaries().all().size() == 1);
            assertThat(reads(tier, "quotes", 20_008, 4)).isTrue();
        } finally {
            tier.close();
        }
    }

    @Test
    @Tag("F56")
    void afterARotationOldValuesKeepTheirDictionaryAndNewOnesGetAnother() {
        RocksTier tier = open(true);
        try {
            store(tier, "quotes", 1, 0, 700);
            awaitTrained(1);
            store(tier, "quotes", 1, 700, 50);
            assertThat(Backups.await(tier.rotateKey("data", "me"))).isEmpty();
            for (int round = 0; count("l3.dictionaries.trained") < 2 && round < 60; round++) {
                store(tier, "quotes", 1, 1_000 + 200 * round, 200);
            }
            awaitTrained(2);
            store(tier, "quotes", 1, 750, 50);
            assertThat(tier.dictionaries().all())
                    .extracting(Dictionary::dataKey)
                    .doesNotHaveDuplicates();
        } finally {
            tier.close();
        }
        RocksTier again = open(true);
        try {
            assertThat(reads(again, "quotes", 0, 800)).isTrue();
            assertThat(reads(again, "quotes", 1_000, 200)).isTrue();
            assertThat(count("l3.corrupt")).isZero();
        } finally {
            again.close();
        }
    }

    @Test
    void aRecordWhoseDictionaryIsLostIsAMissThatIsCounted() throws Exception {
        RocksTier tier = open(true);
        try {
            store(tier, "quotes", 1, 0, 700);
            awaitTrained(1);
            store(tier, "quotes", 1, 700, 50);
            byte[] id = tier.dictionaries().all().get(0).id();
            tier.store().sides().change(Side.DICTIONARIES, List.of(), List.of(id));
        } finally {
            tier.close();
        }
        RocksTier again = open(true);
        try {
            assertThat(reads(again, "quotes", 0, 500)).isTrue();
            assertThat(Backups.await(again.get(CacheKey.of("quotes", "k720")))).isInstanceOf(Lookup.Miss.class);
            assertThat(count("l3.unknown_dictionary")).isEqualTo(1);
            assertThat(count("l3.corrupt")).isEqualTo(1);
        } finally {
            again.close();
        }
    }

    @Test
    @Tag("F59")
    void dictionariesAreSealedLikeValuesAndCachesThatAreNotCompressedHaveNone() throws Exception {
        Settings settings =
                Settings.defaults().withCaches(Map.of("secrets", CachePolicy.INHERIT.withCompression(false)));
        RocksTier tier = open(true, settings);
        try {
            store(tier, "secrets", 1, 0, 800);
            store(tier, "quotes", 2, 0, 800);
            awaitTrained(1);
            store(tier, "quotes", 2, 800, 10);
            assertThat(tier.dictionaries().all()).extracting(Dictionary::cache).containsExactly("quotes");
            List<byte[]> lengths = new ArrayList<>();
            for (long partition : tier.store().sequences()) {
                tier.store()
                        .slice(partition, new byte[KeyHash.BYTES], 2_000)
                        .records()
                        .forEach(stored -> lengths.add(stored.record()));
            }
            assertThat(lengths.stream().filter(record -> (record[0] & RecordHeader.COMPRESSED) == 0))
                    .hasSize(800);
        } finally {
            tier.close();
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : (Iterable<Path>) files.filter(Files::isRegularFile)::iterator) {
                assertThat(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1))
                        .as(file.toString())
                        .doesNotContain(CANARY)
                        .doesNotContain("quotes");
            }
        }
    }

    @Test
    void valuesWithNothingInCommonGoWithout() {
        List<byte[]> noise = new ArrayList<>();
        for (int i = 0; i < 1_000; i++) {
            byte[] value = new byte[300];
            random.nextBytes(value);
            noise.add(value);
        }
        DictionaryTraining.Result result = DictionaryTraining.train(noise, null);
        assertThat(result.dictionary()).isNull();
        assertThat(DictionaryTraining.train(noise.subList(0, 10), null).dictionary())
                .isNull();
    }
}
