package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.KeyReport;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import org.jspecify.annotations.Nullable;

/**
 * The keys of an L3 folder that no node has open: it is locked meanwhile. For commands of an operator; a running node rotates its keys
 * itself ({@link dev.terrace.spi.KeyHolder}). Thread-safe.
 */
public final class FolderKeys implements AutoCloseable {
    private final Folder folder;
    private final KeyRing ring;

    private FolderKeys(Folder folder, KeyRing ring) {
        this.folder = folder;
        this.ring = ring;
    }

    /**
     * Takes the folder.
     *
     * @throws SetupException when there is none, it is in use, or its keys cannot be opened; nothing was changed then
     */
    public static FolderKeys open(BackupStorageSettings settings, InstantSource clock) {
        requireEncryption(settings);
        if (!Files.exists(settings.path().resolve(Folder.MARKER))) {
            throw new SetupException(
                    "there is no L3 folder at " + settings.path(),
                    "'terrace keys init' makes one, as a node's first start does");
        }
        return take(Folder.Kind.BACKUP, settings.path(), settings, clock);
    }

    /**
     * As {@link #open}, of a journal, whose keys are locked by what locks those of L3.
     *
     * @return null when there is no journal at {@code path}
     */
    public static @Nullable FolderKeys openJournal(Path path, BackupStorageSettings settings, InstantSource clock) {
        requireEncryption(settings);
        return Files.exists(path.resolve(Folder.MARKER)) ? take(Folder.Kind.JOURNAL, path, settings, clock) : null;
    }

    /**
     * Makes the folder and its keys, as a node's first start would; also the keystore, where the settings name one that is not there yet.
     *
     * @throws SetupException when the folder has keys already, or cannot be written
     */
    public static FolderKeys create(BackupStorageSettings settings, InstantSource clock) {
        requireEncryption(settings);
        if (Files.exists(settings.path().resolve(Folder.MARKER))) {
            throw new SetupException(
                    "the L3 folder " + settings.path() + " has keys already; nothing was changed",
                    "'terrace keys list' shows them, 'terrace keys rotate' makes a new one");
        }
        Path keystore = settings.keystore();
        if (keystore != null && settings.passphrase() != null && !Files.exists(keystore)) {
            BackupKeystore.create(keystore, settings.keystoreAlias(), settings.passphrase());
        }
        return take(Folder.Kind.BACKUP, settings.path(), settings, clock);
    }

    private static void requireEncryption(BackupStorageSettings settings) {
        if (!settings.encryption()) {
            throw new SetupException(
                    "backup_storage.encryption is false, so there are no keys",
                    "set it, with a passphrase, a keystore or a key service, before the folder's first use");
        }
        RocksTierProvider.requireKey(settings);
    }

    private static FolderKeys take(Folder.Kind kind, Path path, BackupStorageSettings settings, InstantSource clock) {
        Folder folder = Folder.take(kind, path, true);
        try {
            if (folder.isFresh()) {
                if (kind == Folder.Kind.BACKUP) {
                    // For the node's first start it is empty all the same.
                    RestoreNote.begin(folder, settings, clock.millis());
                }
                KeyRing.create(folder.keys(), settings, clock);
                folder.mark(true);
            }
            return new FolderKeys(folder, KeyRing.open(folder.keys(), settings, clock));
        } catch (IOException e) {
            folder.close();
            throw folder.unusable(e);
        } catch (RuntimeException | Error e) {
            folder.close();
            throw e;
        }
    }

    /** What keys there are. */
    public KeyReport report() {
        return ring.report();
    }

    /**
     * As {@link dev.terrace.spi.KeyHolder#rotateKey}, but at once.
     *
     * @throws SetupException when it did not work
     */
    public void rotate(String purpose, String by) {
        String why = KeyFacts.rotate(ring, purpose, by);
        if (!why.isEmpty()) {
            throw new SetupException(why, "nothing was changed");
        }
    }

    /**
     * Checks that the key of a data epoch may be destroyed, and changes nothing.
     *
     * @throws SetupException when there is none, it is in use, or it is gone already
     */
    public void requireDestroyable(int epoch) {
        ring.requireRetired(epoch);
    }

    /**
     * Destroys the key of a data epoch: everything that it sealed is unreadable from then on. The file's former content is overwritten. Copies of the
     * folder that lie elsewhere still have the key.
     *
     * @throws SetupException as {@link #requireDestroyable}, or when the file cannot be written
     */
    public void destroy(int epoch, String by) {
        try {
            ring.destroy(epoch, KeyFacts.fitting(by));
        } catch (IOException e) {
            throw folder.unusable(e);
        }
    }

    /** Locks the keys by what {@code settings} name from now on: another passphrase, keystore or key service. No record is rewritten. */
    public void rewrap(BackupStorageSettings settings) {
        requireEncryption(settings);
        try {
            ring.rewrap(settings);
        } catch (IOException e) {
            throw folder.unusable(e);
        }
    }

    @Override
    public void close() {
        folder.close();
    }
}
