package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Version;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is known to be invalidated, from one process to the next. */
class MarkerNotesTest {
    private static final long UNTIL = 5_000;

    @TempDir
    Path folder;

    private Path file() {
        return folder.resolve("l1.markers");
    }

    private static Notice.Marker marker(String cache) {
        return new Notice.Marker(1, cache, null, version(1_000, 1), false);
    }

    private void keep(String... caches) throws IOException {
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            for (String cache : caches) {
                notes.keep(marker(cache), UNTIL);
            }
        }
    }

    @Test
    void aMarkerIsKeptAsLongAsItWasKeptForAndNotByTheTimeOfItsVersion() throws IOException {
        keep("a");
        for (int i = 0; i < 2; i++) {
            try (MarkerNotes notes = MarkerNotes.open(file())) {
                notes.keep(marker("b"), UNTIL + 1);
                notes.prune(UNTIL);
                assertThat(notes.all()).containsExactly(marker("a"), marker("b"));
            }
        }
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            notes.prune(UNTIL + 1);
            assertThat(notes.all()).containsExactly(marker("b"));
        }
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            assertThat(notes.all()).containsExactly(marker("b"));
        }
    }

    @Test
    void whatWasHalfWrittenIsCutOffSoThatWhatFollowsIsRead() throws IOException {
        keep("a");
        long first = Files.size(file());
        keep("half");
        long second = Files.size(file());
        for (long length = first; length < second; length++) {
            try (RandomAccessFile file = new RandomAccessFile(file().toFile(), "rw")) {
                file.setLength(length);
            }
            keep("b");
            try (MarkerNotes notes = MarkerNotes.open(file())) {
                assertThat(notes.isComplete()).as("length %d", length).isTrue();
                assertThat(notes.all()).as("length %d", length).containsExactly(marker("a"), marker("b"));
            }
            try (RandomAccessFile file = new RandomAccessFile(file().toFile(), "rw")) {
                file.setLength(first);
            }
            keep("half");
        }
    }

    @Test
    void ofMoreTagsThanAreNotedTheNewestVersionIsAndNothingElseIsLost() throws IOException {
        Notice.Marker ofNamespace = new Notice.Marker(1, MarkerKeys.NAMESPACES, "n", version(1_000, 1), false);
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            notes.keep(marker("a"), UNTIL);
            notes.keep(ofNamespace, UNTIL);
            for (int i = 0; i < MarkerNotes.MOST_MARKERS; i++) {
                notes.keep(new Notice.Marker(1, "c", "tag" + i, version(2_000 + i, 1), false), UNTIL + i);
            }
            assertThat(notes.isComplete()).isTrue();
        }
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            assertThat(notes.isComplete()).isTrue();
            assertThat(notes.all())
                    .as("one after it was too many")
                    .startsWith(marker("a"), ofNamespace)
                    .hasSize(3);
            assertThat(notes.forgotten()).isEqualTo(version(2_000 + MarkerNotes.MOST_MARKERS - 2, 1));
            notes.prune(UNTIL + MarkerNotes.MOST_MARKERS - 2);
            assertThat(notes.forgotten()).as("hides something still").isNotEqualTo(Version.ZERO);
            notes.prune(UNTIL + MarkerNotes.MOST_MARKERS);
            assertThat(notes.forgotten()).isEqualTo(Version.ZERO);
        }
    }

    @Test
    void longTagsAreNotWrittenAnewWithEachOfThem() throws IOException {
        String longest = "x".repeat(1_000);
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            for (int i = 0; i < 20_000; i++) {
                notes.keep(new Notice.Marker(1, "c", longest + i, version(2_000 + i, 1), false), UNTIL);
            }
            assertThat(notes.all()).hasSizeLessThan(20_000);
            assertThat(notes.forgotten()).isNotEqualTo(Version.ZERO);
        }
        assertThat(Files.size(file())).isLessThan(10 << 20);
    }

    @Test
    void aFlippedBitIsNeverTakenForAnEnd() throws IOException {
        keep("a", "b");
        byte[] sound = Files.readAllBytes(file());
        for (int at = 0; at < sound.length; at++) {
            byte[] flipped = sound.clone();
            flipped[at] ^= 0x40;
            Files.write(file(), flipped);
            try (MarkerNotes notes = MarkerNotes.open(file())) {
                assertThat(notes.isComplete()).as("at %d", at).isFalse();
                assertThat(Files.size(file())).isEqualTo(sound.length);
            }
        }
        try (MarkerNotes notes = MarkerNotes.open(file())) {
            notes.clear();
            assertThat(notes.isComplete()).isTrue();
        }
    }
}
