package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.SetupException;
import dev.terrace.spi.Notice;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the folder of L1 tells the next process, as far as its disk does what it should. */
class LocalFolderTest {
    private static final FileLayout LAYOUT = new FileLayout(2, 8 << 10, 64, 16);
    private static final Map<String, String> PLACES = Map.of("log", "here");
    private static final Map<String, String> LATER = Map.of("log", "there");
    private static final long FOREVER = Long.MAX_VALUE;

    @TempDir
    Path folder;

    /** Remembers the newest state that it has, and refuses on demand. */
    private static final class TestDisk implements Disk {
        private FileState state = new FileState("", "", true, null, null);
        private Throwable refusal;

        @Override
        public void take(MappedByteBuffer part) {
            if (refusal instanceof RuntimeException failure) {
                throw failure;
            }
            if (refusal instanceof Error failure) {
                throw failure;
            }
            if (part.capacity() == FileHeader.HEAD_BYTES) {
                state = Objects.requireNonNull(FileState.newest(part)).state();
            }
        }
    }

    private LocalFolder open(Disk disk) {
        return LocalFolder.open(folder, LAYOUT, disk);
    }

    /** Stops after a sync, with all on the disk. */
    private void leave(Map<String, String> places) {
        try (LocalFolder folder = open(Disk.OF_THE_FILE)) {
            folder.keepPlaces(places);
            folder.sync(0);
        }
    }

    private static Notice.Marker marker(String cache) {
        return new Notice.Marker(1, cache, null, version(1_000, 1), false);
    }

    @Test
    void theDiskKnowsAtOnceThatTheFileIsInUse() {
        leave(PLACES);
        TestDisk disk = new TestDisk();
        try (LocalFolder folder = open(disk)) {
            assertThat(folder.found().places()).isEqualTo(PLACES);
            assertThat(disk.state.clean()).isFalse();
            assertThat(disk.state.syncedPlaces()).isEqualTo(PLACES);
        }
        assertThat(disk.state.clean()).isTrue();
    }

    @Test
    void whatWasFollowedBeforeIsForgottenOnTheDiskTooByWhoDoesNotGoOnFromThere() {
        for (Map<String, String> places : new Map[] {Map.of(), null}) {
            leave(PLACES);
            TestDisk disk = new TestDisk();
            try (LocalFolder folder = open(disk)) {
                folder.keepPlaces(places);
                assertThat(disk.state.places()).isEqualTo(places);
                assertThat(disk.state.syncedPlaces()).isNull();
            }
        }
        leave(PLACES);
        TestDisk disk = new TestDisk();
        try (LocalFolder folder = open(disk)) {
            folder.keepPlaces(PLACES);
            folder.keepPlaces(LATER);
            folder.keepPlaces(null);
            assertThat(disk.state.syncedPlaces())
                    .as("a gap of later, which is met again")
                    .isEqualTo(PLACES);
        }
    }

    @Test
    void whatIsTornStaysSoUntilAllOfItHasBeenLookedAt() throws IOException {
        leave(PLACES);
        PersistedFixture.stopMachine(folder);
        for (int i = 0; i < 2; i++) {
            LocalFolder killed = open(Disk.OF_THE_FILE);
            assertThat(killed.isTorn()).isTrue();
            killed.leave();
        }
        LocalFolder killed = open(Disk.OF_THE_FILE);
        assertThat(killed.found().places()).isEqualTo(PLACES);
        killed.attached();
        killed.leave();
        try (LocalFolder folder = open(Disk.OF_THE_FILE)) {
            assertThat(folder.isTorn()).isFalse();
            assertThat(folder.found().places()).isEqualTo(PLACES);
        }
    }

    @Test
    void whatTheDiskRefusedOnceIsNeverBelieved() {
        Throwable[] refusals = {
            new UncheckedIOException(new IOException("no")), new InternalError("a page cannot be had")
        };
        for (Throwable refusal : refusals) {
            leave(PLACES);
            TestDisk disk = new TestDisk();
            try (LocalFolder folder = open(disk)) {
                folder.keepPlaces(PLACES);
                disk.refusal = refusal;
                folder.sync(0);
                disk.refusal = null;
                assertThat(folder.isResumable()).isFalse();
                folder.keepPlaces(LATER);
                folder.sync(0);
            }
            assertThat(disk.state.clean()).isFalse();
            try (LocalFolder folder = open(disk)) {
                assertThat(folder.found().places()).isNull();
                assertThat(disk.state.syncedPlaces()).isNull();
            }
        }
    }

    @Test
    void aDiskThatRefusesAtTheEndLetsOthersInAndIsNotBelieved() {
        Throwable[] refusals = {
            new UncheckedIOException(new IOException("no")), new InternalError("a page cannot be had")
        };
        for (Throwable refusal : refusals) {
            leave(PLACES);
            TestDisk disk = new TestDisk();
            LocalFolder closing = open(disk);
            disk.refusal = refusal;
            closing.close();
            try (LocalFolder folder = open(Disk.OF_THE_FILE)) {
                assertThat(folder.found().places()).isNull();
            }
        }
    }

    @Test
    void aStartThatTheDiskRefusesIsAClearErrorAndLeavesTheFolderFree() {
        TestDisk disk = new TestDisk();
        disk.refusal = new UncheckedIOException(new IOException("no"));
        assertThatThrownBy(() -> open(disk)).isInstanceOf(SetupException.class);
        open(Disk.OF_THE_FILE).close();
    }

    @Test
    void callersThatAreInterruptedEndNothing() {
        leave(PLACES);
        LocalFolder closing = open(Disk.OF_THE_FILE);
        closing.keepPlaces(PLACES);
        Thread.currentThread().interrupt();
        closing.keepMarker(marker("first"), FOREVER);
        closing.keepMarker(marker("second"), FOREVER);
        closing.close();
        assertThat(Thread.interrupted()).isTrue();
        TestDisk disk = new TestDisk();
        try (LocalFolder folder = open(disk)) {
            assertThat(folder.found().places()).isEqualTo(PLACES);
            assertThat(disk.state.syncedPlaces()).as("it was closed cleanly").isEqualTo(PLACES);
            assertThat(folder.found().markers()).containsExactlyInAnyOrder(marker("first"), marker("second"));
        }
    }

    @Test
    void whoAsksForAFolderThatThisProcessHasIsRefusedAndTheFolderStaysTaken() {
        try (LocalFolder folder = open(Disk.OF_THE_FILE)) {
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> open(Disk.OF_THE_FILE))
                        .hasMessageContaining("is in use by process "
                                + ProcessHandle.current().pid());
            }
        }
        LocalFolder again = open(Disk.OF_THE_FILE);
        again.leave();
        again.close();
        open(Disk.OF_THE_FILE).close();
    }
}
