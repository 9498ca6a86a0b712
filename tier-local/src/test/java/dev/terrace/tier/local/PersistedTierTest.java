package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;
import static dev.terrace.tier.local.PersistedFixture.TTL;
import static dev.terrace.tier.local.PersistedFixture.entry;
import static dev.terrace.tier.local.PersistedFixture.held;
import static dev.terrace.tier.local.PersistedFixture.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Notice;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import java.io.IOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the next process finds in the folder of L1. */
class PersistedTierTest {
    private static final int KEYS = 1_000;
    private static final Map<String, String> PLACES = Map.of("log", "somewhere");

    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();
    private final MetricRegistry metrics = new MetricRegistry();

    private PersistedTier open() {
        return PersistedFixture.open(folder, clock, metrics);
    }

    private void fill() {
        try (PersistedTier tier = open()) {
            for (int i = 0; i < KEYS; i++) {
                tier.store(entry(clock, i, i & 0xFFFF, new byte[] {(byte) i}), WriteCondition.IF_NEWER);
            }
            tier.keepPlaces(PLACES);
        }
    }

    private static Entry there(PersistedTier tier, int key) {
        return Objects.requireNonNull(held(tier, key(key)), "nothing is held under " + key);
    }

    @Test
    void whatWasThereIsThereAndItsPlacesAreKnown() {
        fill();
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isEqualTo(KEYS);
            assertThat(tier.inherited().places()).isEqualTo(PLACES);
            assertThat(tier.status().entries()).isEqualTo(KEYS);
            tier.confirm();
            for (int i = 0; i < KEYS; i++) {
                assertThat(there(tier, i).payload()).containsExactly((byte) i);
                assertThat(there(tier, i).isFresh(clock.millis())).isTrue();
            }
        }
    }

    @Test
    void untilItIsConfirmedItIsAnsweredAsStaleOnly() {
        fill();
        long now = clock.millis();
        try (PersistedTier first = open()) {
            first.confirm();
            first.store(Entries.value(key(1), version(now, 0xFFF0), now, TTL, "never stale"), WriteCondition.IF_NEWER);
            first.store(Entries.value(key(5), version(now, 0xFFF0), now, TTL, "replaced"), WriteCondition.IF_NEWER);
            first.store(Entries.tombstone(key(2), version(now, 0xFFF0), now, TTL), WriteCondition.IF_NEWER);
            first.keepPlaces(PLACES);
        }
        try (PersistedTier tier = open()) {
            assertThat(there(tier, 0).isFresh(now)).isFalse();
            assertThat(held(tier, key(1))).as("may not be answered stale").isNull();
            assertThat(there(tier, 2).kind()).as("hides what is older").isEqualTo(EntryKind.TOMBSTONE);
            Entry old = entry(clock, 3, 1, new byte[] {9});
            assertThat(tier.store(old, WriteCondition.IF_NEWER))
                    .as("what was left still wins by its version")
                    .isInstanceOf(StoreOutcome.Superseded.class);
            // The same version from a lower tier confirms one entry.
            Entry same = entry(clock, 3, 3, new byte[] {3});
            assertThat(tier.store(same, WriteCondition.IF_NEWER)).isInstanceOf(StoreOutcome.Applied.class);
            assertThat(there(tier, 3).isFresh(now)).isTrue();
            assertThat(there(tier, 4).isFresh(now)).isFalse();
            assertThat(tier.dropOlder(key(1), version(now, 0xFFF0)))
                    .as("its own notice")
                    .isFalse();
            assertThat(tier.dropOlder(key(5), version(now, 0xFFF1)))
                    .as("hidden, and older")
                    .isTrue();
            assertThat(tier.dropOlder(key(6), version(now, 0xFFF1))).isTrue();
            tier.confirm();
            assertThat(there(tier, 4).isFresh(now)).isTrue();
            assertThat(held(tier, key(1))).isNotNull();
            assertThat(held(tier, key(5))).isNull();
            assertThat(held(tier, key(6))).isNull();
        }
    }

    @Test
    void whatWasReplacedDroppedOrExpiredDoesNotComeBack() {
        fill();
        try (PersistedTier tier = open()) {
            tier.confirm();
            tier.store(entry(clock, 1, 0xFFF0, new byte[3_000]), WriteCondition.IF_NEWER);
            tier.drop(key(2));
            tier.keepPlaces(PLACES);
        }
        try (PersistedTier tier = open()) {
            tier.confirm();
            assertThat(there(tier, 1).payload()).hasSize(3_000);
            assertThat(held(tier, key(2))).isNull();
        }
        clock.advance(TTL.plusSeconds(1));
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isZero();
        }
    }

    @Test
    void nothingIsHeldLongerThanItsTimeByAClockThatWentBack() {
        fill();
        clock.advance(TTL.negated());
        try (PersistedTier tier = open()) {
            tier.confirm();
            assertThat(held(tier, key(1))).isNotNull();
            clock.advance(TTL.plusMillis(1));
            assertThat(held(tier, key(1))).isNull();
        }
    }

    @Test
    void afterAClockThatWentBackNothingIsNewerThanWhatIsSaidToBeTheNewest() {
        fill();
        clock.advance(Duration.ofSeconds(-30));
        try (PersistedTier tier = openWithin(Duration.ofMinutes(1))) {
            assertThat(tier.inherited().entries()).isEqualTo(KEYS);
            for (int i = 0; i < KEYS; i++) {
                assertThat(there(tier, i).version().isNewerThan(tier.inherited().newest()))
                        .isFalse();
            }
            tier.keepPlaces(PLACES);
        }
        clock.advance(Duration.ofSeconds(-31));
        try (PersistedTier tier = openWithin(Duration.ofMinutes(1))) {
            assertThat(tier.inherited().entries())
                    .as("nothing could be written over it")
                    .isZero();
        }
    }

    private PersistedTier openWithin(Duration maxDrift) {
        return PersistedFixture.open(folder, clock, metrics, PersistedFixture.settings(5_000, 8), maxDrift);
    }

    @Test
    void dropAllLeavesNothingForTheNextProcessEither() {
        fill();
        try (PersistedTier tier = open()) {
            tier.dropAll();
            assertThat(tier.status().entries()).isZero();
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isZero();
        }
    }

    @Test
    void whatWasInvalidatedAsAWholeIsToldAndTheNewestCounts() {
        Notice.Marker first = new Notice.Marker(1, "c", null, version(clock.millis(), 1), false);
        Notice.Marker newer = new Notice.Marker(1, "c", null, version(clock.millis(), 2), false);
        Notice.Marker ofTag = new Notice.Marker(2, "c", "red", version(clock.millis(), 1), false);
        fill();
        try (PersistedTier tier = open()) {
            List.of(first, ofTag, newer, first).forEach(tier::keepMarker);
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().markers()).containsExactlyInAnyOrder(newer, ofTag);
        }
    }

    @Test
    void aMarkerIsKeptAsLongAsWhatItHidesWhateverTheTimeToLiveBecomes() {
        Duration brief = TTL.dividedBy(100);
        fill();
        Notice.Marker marker = new Notice.Marker(2, "c", "red", version(clock.millis(), 1), false);
        try (PersistedTier tier = open()) {
            tier.keepMarker(marker);
        }
        clock.advance(TTL.dividedBy(2));
        for (int i = 0; i < 2; i++) {
            LocalCacheSettings settings = new LocalCacheSettings(
                    true, 5_000, 8, brief, LocalCacheSettings.EvictionPolicy.ADAPTIVE, Duration.ofMillis(50));
            try (PersistedTier tier = PersistedFixture.open(folder, clock, metrics, settings, PersistedFixture.DRIFT)) {
                assertThat(tier.inherited().entries()).isEqualTo(KEYS);
                assertThat(tier.inherited().markers()).containsExactly(marker);
                tier.sync();
            }
        }
        clock.advance(TTL.multipliedBy(3));
        try (PersistedTier tier = open()) {
            tier.sync();
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().markers()).isEmpty();
        }
    }

    @Test
    void afterTheMachineStoppedEveryEnvelopeIsLookedAtAtTheStart() throws IOException {
        fill();
        PersistedFixture.stopMachine(folder);
        try (FileChannel file =
                FileChannel.open(folder.resolve("l1.terrace"), StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MappedByteBuffer all = file.map(MapMode.READ_WRITE, 0, file.size());
            int at = FileHeader.HEAD_BYTES;
            while (!FileRecord.isMarked(all, at)) {
                at += Integer.BYTES;
            }
            int payload = at + FileRecord.HEADER_BYTES + FileRecord.length(all, at) - Envelope.TRAILER_BYTES - 1;
            all.put(payload, (byte) ~all.get(payload));
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isEqualTo(KEYS - 1);
            assertThat(tier.inherited().places()).isEqualTo(PLACES);
        }
    }

    @Test
    void aStartThatFailsLeavesTheFolderAsItWasAndFree() {
        fill();
        MetricRegistry broken = new MetricRegistry() {
            @Override
            public Counter counter(String name) {
                throw new IllegalStateException("no counters");
            }
        };
        assertThatThrownBy(() -> PersistedFixture.open(folder, clock, broken)).hasMessage("no counters");
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isEqualTo(KEYS);
            assertThat(tier.inherited().places()).isEqualTo(PLACES);
        }
    }

    @Test
    void entriesWithTagsThatMayHaveBeenInvalidatedAndForgottenAreNotTakenOver() {
        long now = clock.millis();
        try (PersistedTier tier = open()) {
            tier.store(entry(clock, 1, 1, new byte[1]), WriteCondition.IF_NEWER);
            tier.store(tagged(2, now), WriteCondition.IF_NEWER);
            for (int i = 0; i <= MarkerNotes.MOST_MARKERS; i++) {
                tier.keepMarker(new Notice.Marker(1, "c", "tag" + i, version(now + 10, 0), false));
            }
            tier.store(tagged(3, now + 11), WriteCondition.IF_NEWER);
            tier.keepPlaces(PLACES);
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().places()).isEqualTo(PLACES);
            tier.confirm();
            assertThat(held(tier, key(1))).isNotNull();
            assertThat(held(tier, key(2))).isNull();
            assertThat(held(tier, key(3))).isNotNull();
        }
    }

    private Entry tagged(int key, long versionMillis) {
        long until = clock.millis() + TTL.toMillis();
        return new Entry(
                key(key),
                EntryKind.VALUE,
                version(versionMillis, 1),
                clock.millis(),
                until,
                until,
                List.of("tag1"),
                new byte[1]);
    }

    @Test
    void othersDoNotReadItsFiles() throws IOException {
        fill();
        Assumptions.assumeTrue(Files.getFileStore(folder).supportsFileAttributeView("posix"));
        try (Stream<Path> files = Files.list(folder)) {
            for (Path file : files.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .as(file.toString())
                        .isEqualTo("rw-------");
            }
        }
    }

    @Test
    void placesThatAreInDoubtAreNoPlaces() {
        fill();
        try (PersistedTier tier = open()) {
            tier.keepPlaces(null);
        }
        try (PersistedTier tier = open()) {
            assertThat(tier.inherited().entries()).isEqualTo(KEYS);
            assertThat(tier.inherited().places()).isNull();
        }
    }

    @Test
    void evictionGoesOnAmongWhatWasLeft() {
        fill();
        try (PersistedTier tier = open()) {
            tier.confirm();
            for (int i = 0; i < 20_000; i++) {
                assertThat(tier.store(entry(clock, i, 0xFFFF, new byte[500]), WriteCondition.IF_NEWER))
                        .isInstanceOf(StoreOutcome.Applied.class);
            }
            assertThat(tier.status().entries()).isBetween(1_000L, 5_000L);
            assertThat(metrics.counter("l1.errors").getCount()).isZero();
            assertThat(metrics.counter("l1.corrupt").getCount()).isZero();
        }
    }

    /** One million of 1 KiB with {@code -Dterrace.l1.entries=1000000 -Dterrace.l1.bytes=1024}. */
    @Test
    void manyEntriesAreThereAfterARestart() {
        int entries = Integer.getInteger("terrace.l1.entries", 50_000);
        int bytes = Integer.getInteger("terrace.l1.bytes", 128);
        long mebibytes = 16 + entries * (bytes + 200L) / (1 << 19);
        try (PersistedTier tier = PersistedFixture.open(
                folder, clock, metrics, PersistedFixture.settings(entries, mebibytes), PersistedFixture.DRIFT)) {
            byte[] payload = new byte[bytes];
            for (int i = 0; i < entries; i++) {
                tier.store(entry(clock, i, i & 0xFFFF, payload), WriteCondition.IF_NEWER);
            }
        }
        long started = System.nanoTime();
        try (PersistedTier tier = PersistedFixture.open(
                folder, clock, metrics, PersistedFixture.settings(entries, mebibytes), PersistedFixture.DRIFT)) {
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started);
            System.out.println("attached entries=" + tier.inherited().entries() + " millis=" + millis);
            assertThat(tier.inherited().entries()).isGreaterThan(entries * 9L / 10);
        }
    }
}
