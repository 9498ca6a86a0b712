package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RetentionIT {
    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();
    private TestContext context;
    private RocksTier tier;
    private int counter;

    @BeforeEach
    void open() {
        BackupStorageSettings settings = Backups.settings(folder, false, null, null, Duration.ofHours(8));
        context = new TestContext(clock, settings);
        tier = Backups.open(context);
    }

    @AfterEach
    void close() {
        tier.close();
    }

    private void store(String key, String value) {
        Backups.store(tier, Backups.entry(key, clock.millis(), ++counter, value));
    }

    private void reopen() {
        tier.close();
        tier = Backups.open(context);
    }

    private long dropped() {
        return context.metrics().counter("l3.dropped").getCount();
    }

    @Test
    void partitionsOlderThanTheRetentionGoAsAWholeAndWhatWasRewrittenStays() {
        store("old", "1");
        store("kept", "1");
        for (int hour = 1; hour <= 7; hour++) {
            clock.advance(Duration.ofHours(1));
            store("hour" + hour, "x");
        }
        store("kept", "2");
        assertThat(Backups.read(tier, "old")).isEqualTo("1");
        assertThat(dropped()).isZero();
        clock.advance(Duration.ofHours(2));
        await().atMost(Duration.ofSeconds(20)).until(() -> dropped() >= 1);
        assertThat(Backups.read(tier, "old")).isNull();
        assertThat(Backups.read(tier, "kept")).isEqualTo("2");
        assertThat(Backups.read(tier, "hour7")).isEqualTo("x");
        reopen();
        assertThat(Backups.read(tier, "old")).isNull();
        assertThat(Backups.read(tier, "kept")).isEqualTo("2");
    }

    @Test
    void theNumberOfPartitionsIsBounded() {
        for (int step = 0; step < 30; step++) {
            clock.advance(Duration.ofHours(1));
            store("step" + step, "x");
            if (step % 10 == 9) {
                reopen();
            }
        }
        await().atMost(Duration.ofSeconds(20))
                .until(() -> ((Number) context.metrics()
                                        .getGauges()
                                        .get("l3.partitions")
                                        .getValue())
                                .longValue()
                        <= 10);
        assertThat(Backups.read(tier, "step29")).isEqualTo("x");
        assertThat(Backups.read(tier, "step0")).isNull();
    }

    @Test
    void conditionsSeeOlderPartitionsAndAClockThatGoesBackIsHarmless() {
        store("k", "1");
        Version first = Entries.version(clock.millis(), counter);
        clock.advance(Duration.ofHours(3));
        Entry late = Backups.entry("k", first.epochMillis() - 1, 0, "late");
        assertThat(Backups.await(tier.put(late, WriteCondition.IF_NEWER)))
                .isEqualTo(new StoreOutcome.Superseded(first));
        store("k", "2");
        clock.advance(Duration.ofHours(-2));
        store("other", "back in time");
        assertThat(Backups.read(tier, "k")).isEqualTo("2");
        assertThat(Backups.read(tier, "other")).isEqualTo("back in time");
    }

    @Test
    void aClockThatJumpedAheadAndCameBackNeitherKeepsThingsForYearsNorDropsThemEarly() {
        store("before", "x");
        clock.advance(Duration.ofHours(7));
        store("ahead", "x");
        clock.advance(Duration.ofHours(-6));
        store("back", "x");
        clock.advance(Duration.ofHours(7));
        store("later", "x");
        assertThat(Backups.read(tier, "before")).isEqualTo("x");
        assertThat(Backups.read(tier, "ahead")).isEqualTo("x");
        reopen();
        assertThat(Backups.read(tier, "back")).isEqualTo("x");
        clock.advance(Duration.ofHours(9));
        await().atMost(Duration.ofSeconds(20)).until(() -> Backups.read(tier, "back") == null);
        assertThat(Backups.read(tier, "before")).isNull();
        assertThat(Backups.read(tier, "ahead")).isNull();
    }

    /** A newer partition can have had its time before an older one, when the clock was ahead while the older one was begun. */
    @Test
    void whatAPartitionHidesNeverComesBackWhateverTheClockDoes() {
        clock.advance(Duration.ofHours(5));
        store("k", "bad");
        clock.advance(Duration.ofHours(-3));
        Backups.store(
                tier,
                Entries.tombstone(
                        Backups.key("k"),
                        Entries.version(clock.millis() + Duration.ofHours(4).toMillis(), ++counter),
                        clock.millis(),
                        Backups.TTL));
        for (int step = 0; step < 24; step++) {
            clock.advance(Duration.ofMinutes(30));
            store("step" + step, "x");
            assertThat(Backups.read(tier, "k")).as("step %d", step).isNotEqualTo("bad");
            if (step % 6 == 5) {
                reopen();
                assertThat(Backups.read(tier, "k")).as("step %d", step).isNotEqualTo("bad");
            }
        }
        assertThat(dropped()).isGreaterThan(1);
    }

    @Test
    void markersAndTombstonesOutliveTheRetentionAsLongAsTheySay() {
        CacheKey forEver = CacheKey.of("terrace.tags", "5:quotesnew");
        CacheKey twoDays = CacheKey.of("terrace.tags", "5:quotesold");
        Version marked = Entries.version(clock.millis(), ++counter);
        for (CacheKey key : List.of(forEver, twoDays)) {
            long until = key == forEver
                    ? Entry.FOREVER
                    : clock.millis() + Duration.ofDays(2).toMillis();
            Backups.store(
                    tier,
                    new Entry(key, EntryKind.VALUE, marked, clock.millis(), until, until, List.of(), new byte[0]));
        }
        Backups.store(tier, Entries.tombstone(Backups.key("gone"), marked, clock.millis(), Duration.ofDays(2)));
        store("value", "x");
        for (int hour = 1; hour <= 40; hour++) {
            clock.advance(Duration.ofHours(1));
            store("hour" + hour, "x");
            if (hour % 15 == 0) {
                reopen();
            }
        }
        await().atMost(Duration.ofSeconds(20)).until(() -> dropped() >= 20);
        assertThat(Backups.read(tier, "value")).isNull();
        for (CacheKey key : List.of(forEver, twoDays, Backups.key("gone"))) {
            assertThat(Backups.await(tier.get(key)))
                    .as(key.toString())
                    .isInstanceOfSatisfying(
                            Lookup.Hit.class,
                            hit -> assertThat(hit.entry().version()).isEqualTo(marked));
        }
        Entry late = Entries.value(
                Backups.key("gone"), Entries.version(marked.epochMillis() - 1, 0), clock.millis(), Backups.TTL, "late");
        assertThat(Backups.await(tier.put(late, WriteCondition.IF_NEWER)))
                .isEqualTo(new StoreOutcome.Superseded(marked));
        for (int hour = 0; hour < 20; hour++) {
            clock.advance(Duration.ofHours(1));
            store("later" + hour, "x");
        }
        assertThat(Backups.await(tier.get(twoDays))).isEqualTo(Lookup.MISS);
        assertThat(Backups.await(tier.get(forEver))).isInstanceOf(Lookup.Hit.class);
    }

    @Test
    void aScanHandsOutEachLiveValueOnceInItsNewestForm() {
        for (int i = 0; i < 1_000; i++) {
            store("k" + i, "first");
        }
        clock.advance(Duration.ofHours(2));
        for (int i = 0; i < 1_000; i += 3) {
            store("k" + i, "second");
        }
        Backups.store(
                tier,
                Entries.tombstone(
                        Backups.key("k1"), Entries.version(clock.millis(), ++counter), clock.millis(), Backups.TTL));
        Backups.store(
                tier,
                Entries.value(
                        Backups.key("k2"),
                        Entries.version(clock.millis(), ++counter),
                        clock.millis(),
                        Duration.ofSeconds(1),
                        "short-lived"));
        clock.advance(Duration.ofSeconds(2));
        Map<String, String> seen = new HashMap<>();
        tier.scan(entry -> {
            assertThat(seen.put(new String(entry.key().keyBytes()), Entries.text(entry)))
                    .isNull();
            return true;
        });
        assertThat(seen).hasSize(998).doesNotContainKeys("k1", "k2");
        assertThat(seen.get("k3")).isEqualTo("second");
        assertThat(seen.get("k4")).isEqualTo("first");
        Map<String, String> inParts = new HashMap<>();
        for (int part = 0; part < 7; part++) {
            tier.scan(part, 7, entry -> {
                assertThat(inParts.put(new String(entry.key().keyBytes()), Entries.text(entry)))
                        .isNull();
                return true;
            });
        }
        assertThat(inParts).isEqualTo(seen);
        List<Entry> few = new ArrayList<>();
        tier.scan(entry -> few.add(entry) && few.size() < 10);
        assertThat(few).hasSize(10);
    }

    @Test
    void clearedCachesGiveTheirSpaceBackAndNewerWritesStay() {
        for (int i = 0; i < 500; i++) {
            store("k" + i, "first");
        }
        clock.advance(Duration.ofHours(2));
        for (int i = 0; i < 100; i++) {
            store("k" + i, "second");
        }
        Version upTo = Entries.version(clock.millis(), ++counter);
        store("k0", "after");
        Backups.await(tier.clear("backup", upTo));
        await().atMost(Duration.ofSeconds(20))
                .until(() -> context.metrics().counter("l3.reclaimed").getCount() >= 599);
        assertThat(Backups.read(tier, "k0")).isEqualTo("after");
        for (int i = 1; i < 500; i++) {
            assertThat(Backups.read(tier, "k" + i)).isNull();
        }
    }
}
