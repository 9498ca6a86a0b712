package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.Probed;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The folder of L3 is removed while it runs: it is taken up again when that is safe, and else it is said what to do. */
class ReopeningTierIT {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();
    private Path folder;
    private TestContext context;
    private Tier tier;

    private void open(BackupStorageSettings settings) {
        folder = settings.path();
        context = new TestContext(clock, settings);
        tier = new RocksTierProvider().open(context);
        Backups.store(tier, Backups.entry("before", clock.millis(), 1, "v"));
        assertThat(trouble()).isEmpty();
    }

    @AfterEach
    void close() {
        tier.close();
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.CLOSED);
    }

    private String trouble() {
        return Backups.await(((Probed) tier).probe());
    }

    private long count(String metric) {
        return context.metrics().counter(metric).getCount();
    }

    private void remove() throws IOException {
        while (Files.exists(folder)) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path file : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            } catch (NoSuchFileException | java.io.UncheckedIOException | java.nio.file.DirectoryNotEmptyException e) {
                // The tier writes into it at the same time: once more.
                assertThat(folder).isNotNull();
            }
        }
    }

    private void awaitTrouble(String words) {
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(trouble()).contains(words));
    }

    private void takenUpAgain(BackupStorageSettings settings) throws IOException {
        open(settings);
        remove();
        awaitTrouble("was removed or replaced; make an empty folder there");
        assertThat(Backups.read(tier, "before"))
                .as("what is open can still be read")
                .isEqualTo("v");

        Files.createDirectories(folder);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(trouble()).isEmpty());
        assertThat(count("l3.reopened")).isEqualTo(1);
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
        assertThat(Backups.read(tier, "before")).as("it begins empty").isNull();
        Backups.store(tier, Backups.entry("after", clock.millis(), 2, "w"));
        assertThat(Backups.await(((HintStore) tier)
                        .keep(new HintStore.Hint("zone", Backups.entry("h", clock.millis(), 3, "h"), 1))))
                .isTrue();
        tier.close();
        tier = new RocksTierProvider().open(context);
        assertThat(Backups.read(tier, "after"))
                .as("and is what the next process finds")
                .isEqualTo("w");
    }

    @Test
    void anEmptyFolderInItsPlaceIsTakenUp() throws IOException {
        takenUpAgain(Backups.plain(temp.resolve("plain")));
    }

    @Test
    void soIsOneThatIsEncryptedWithKeysOfItsOwn() throws IOException {
        takenUpAgain(Backups.withKeyFile(temp.resolve("sealed"), temp.resolve("kek")));
    }

    @Test
    void soIsOneInWhichARestoreUnderWayLeftItsNotes() throws IOException {
        open(Backups.plain(temp.resolve("restored")));
        remove();
        Files.createDirectories(folder.resolve(RestoreNote.WORK).resolve("1").resolve("files"));
        Files.writeString(folder.resolve(RestoreNote.FILE), "of the folder that was here");
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(trouble()).isEmpty());
        assertThat(count("l3.reopened")).isEqualTo(1);
        assertThat(folder.resolve(RestoreNote.FILE)).doesNotExist();
        assertThat(folder.resolve(RestoreNote.WORK)).doesNotExist();
    }

    @Test
    void aFolderThatHoldsSomethingIsNotAndItIsSaidWhy() throws IOException {
        Path other = temp.resolve("other");
        RocksTierProvider.tier(new TestContext(clock, Backups.plain(other))).close();
        open(Backups.plain(temp.resolve("replaced")));
        remove();
        Files.move(other, folder);
        awaitTrouble("could bring back what was deleted since");
        assertThat(trouble()).contains("restart the process");
        assertThat(count("l3.reopened")).isZero();

        remove();
        Files.createDirectories(folder);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(trouble()).isEmpty());
        assertThat(count("l3.reopened")).isEqualTo(1);
    }

    @Test
    void aFolderThatCannotBeOpenedIsTriedAgainLessOftenUntilItCan() throws IOException {
        folder = temp.resolve("blocked");
        context = new TestContext(clock, Backups.plain(folder));
        AtomicBoolean blocked = new AtomicBoolean();
        tier = new ReopeningTier(
                () -> {
                    if (blocked.get()) {
                        throw new SetupException("the disk is on strike", "wait");
                    }
                    return RocksTierProvider.tier(context);
                },
                folder,
                context.metrics());
        remove();
        Files.createDirectories(folder);
        blocked.set(true);
        awaitTrouble("opening it anew failed: the disk is on strike");
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.READ_ONLY);
        assertThat(tier.status().detail()).contains("was removed");
        assertThat(count("l3.reopen_failed")).isEqualTo(1);
        blocked.set(false);
        await().atMost(PATIENCE).untilAsserted(() -> assertThat(trouble()).isEmpty());
        assertThat(count("l3.reopened")).isEqualTo(1);
        assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
    }
}
