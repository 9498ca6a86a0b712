package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobStore;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.FencedException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a folder's keys in a repository may be replaced by. */
class RepositoryRingTest {
    @TempDir
    Path temp;

    private final ManualClock clock = new ManualClock(1_700_000_000_000L);
    private final BlobStore store = new HeapBucket(clock).open();

    private Path ring(String name) throws Exception {
        Path file = temp.resolve(name);
        BackupStorageSettings settings = Backups.withKeyFile(temp, temp.resolve("kek"));
        KeyRing.create(file, settings, clock);
        return file;
    }

    @Test
    @Tag("F57")
    void keysOfAnotherFolderAreNeverReplaced() throws Exception {
        Path first = ring("first");
        new RepositoryRing(first).bring(store, 1);
        byte[] there = RepositoryRing.fetch(store, 1).orElseThrow();
        RepositoryRing other = new RepositoryRing(ring("other"));
        assertThatThrownBy(() -> other.bring(store, 1))
                .isInstanceOf(FencedException.class)
                .hasMessageContaining("keys/000001");
        assertThat(RepositoryRing.fetch(store, 1)).contains(there);
        other.bring(store, 2);
        assertThat(RepositoryRing.fetch(store, 2)).isPresent();
    }

    @Test
    void aRingThatWasRotatedReplacesItself() throws Exception {
        Path file = ring("first");
        new RepositoryRing(file).bring(store, 1);
        BackupStorageSettings settings = Backups.withKeyFile(temp, temp.resolve("kek"));
        KeyFacts.rotate(KeyRing.open(file, settings, clock), "data", "test");
        new RepositoryRing(file).bring(store, 1);
        assertThat(RepositoryRing.fetch(store, 1)).contains(Files.readAllBytes(file));
    }
}
