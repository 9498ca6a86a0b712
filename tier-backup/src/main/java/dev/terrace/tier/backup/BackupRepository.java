package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A repository for who has no folder of it: each writer's keys come from the repository itself, opened by the master key of the settings. For
 * one thread; does not own the store.
 */
public final class BackupRepository {
    private final BlobStore store;
    private final BackupStorageSettings settings;
    private final InstantSource clock;
    private final Map<Integer, Repository> opened = new HashMap<>();

    /** Reads nothing yet. */
    public BackupRepository(BlobStore store, BackupStorageSettings settings, InstantSource clock) {
        this.store = store;
        this.settings = settings;
        this.clock = clock;
    }

    /** The blob store at {@code url}, by whoever on the class path knows its scheme. */
    public static BlobStore open(URI url, TierContext context) throws BlobException {
        return ShippingStart.open(url, context);
    }

    /** How many writers were ever registered. */
    public int writers() throws BlobException {
        return new Repository(store, RepositoryKeys.plain()).writers();
    }

    /** With the keys of a writer. Some hundred milliseconds the first time: a passphrase is made slow to guess. */
    public Repository of(int writer) throws BlobException, IOException {
        Repository known = opened.get(writer);
        if (known == null) {
            known = new Repository(store, RepositoryRing.signing(ring(writer)));
            opened.put(writer, known);
        }
        return known;
    }

    /** Whose signatures of a writer are believed. */
    public RepositoryKeys keysOf(int writer) throws BlobException, IOException {
        return RepositoryRing.signing(ring(writer));
    }

    /** The wrapped keys of a writer, or null when its folder is plain. */
    byte @Nullable [] keys(int writer) throws BlobException {
        return settings.encryption() ? RepositoryRing.fetch(store, writer).orElse(null) : null;
    }

    private @Nullable KeyRing ring(int writer) throws BlobException, IOException {
        byte[] bytes = keys(writer);
        if (bytes == null) {
            return null;
        }
        return KeyRing.open(bytes, Path.of(RepositoryRing.name(writer)), settings, clock);
    }
}
