package dev.terrace.node.drill;

import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.node.OfflineContext;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.BackupRepository;
import java.io.IOException;
import java.io.InputStream;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The drill's own repository, where somebody with a login could do harm. For one thread. */
final class Bucket implements AutoCloseable {
    private static final int PAGE = 1_000;

    private final BlobStore store;

    Bucket(Settings settings) throws BlobException {
        ObjectStorageSettings named = settings.backupStorage().objectStorage();
        if (named == null) {
            throw new IllegalArgumentException("a drill's settings name a repository");
        }
        this.store = BackupRepository.open(named.url(), new OfflineContext(settings));
    }

    /** The longest file of a snapshot: the one with most entries. */
    BlobStore.Stat victim() throws BlobException, DrillFailure {
        return any(longest("/data/"));
    }

    /** As {@link #victim}; where there is no snapshot, the longest delta. A restore does not need those before a snapshot. */
    BlobStore.Stat victimOfAll() throws BlobException, DrillFailure {
        BlobStore.Stat ofSnapshot = longest("/data/");
        return ofSnapshot == null ? any(longest("/delta/")) : ofSnapshot;
    }

    private static BlobStore.Stat any(BlobStore.@Nullable Stat found) throws DrillFailure {
        if (found == null) {
            throw new DrillFailure("the repository holds no file of a snapshot");
        }
        return found;
    }

    private BlobStore.@Nullable Stat longest(String kind) throws BlobException {
        BlobStore.Stat longest = null;
        String after = null;
        do {
            BlobStore.Page page = store.list("w/", after, PAGE);
            for (BlobStore.Stat blob : page.blobs()) {
                if (blob.name().contains(kind) && (longest == null || blob.bytes() > longest.bytes())) {
                    longest = blob;
                }
            }
            after = page.next();
        } while (after != null);
        return longest;
    }

    void lose(String name) throws BlobException {
        store.delete(List.of(name));
    }

    /** Turns one bit in the middle, and leaves the length as it is. */
    void tamper(BlobStore.Stat blob) throws BlobException, IOException {
        byte[] bytes;
        try (InputStream in = store.open(blob.name(), 0, blob.bytes())) {
            bytes = in.readAllBytes();
        }
        bytes[bytes.length / 2] ^= 0x10;
        store.delete(List.of(blob.name()));
        store.write(blob.name(), bytes, false);
    }

    /** Removes all of it. */
    void removeAll() throws BlobException {
        @Nullable String after = null;
        do {
            BlobStore.Page page = store.list("", after, PAGE);
            store.delete(page.blobs().stream().map(BlobStore.Stat::name).toList());
            after = page.next();
        } while (after != null);
    }

    @Override
    public void close() {
        store.close();
    }
}
