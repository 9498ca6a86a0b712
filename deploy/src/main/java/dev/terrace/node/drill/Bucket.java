package dev.terrace.node.drill;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.BackupRepository;
import java.io.IOException;
import java.io.InputStream;
import java.time.InstantSource;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The drill's own repository, where somebody with a login could do harm. For one thread. */
final class Bucket implements AutoCloseable, TierContext {
    private static final int PAGE = 1_000;

    private final Settings settings;
    private final ObjectStorageSettings storage;
    private final MetricRegistry metrics = new MetricRegistry();
    private final BlobStore store;

    Bucket(Settings settings) throws BlobException {
        ObjectStorageSettings named = settings.backupStorage().objectStorage();
        if (named == null) {
            throw new IllegalArgumentException("a drill's settings name a repository");
        }
        this.settings = settings;
        this.storage = named;
        this.store = BackupRepository.open(named.url(), this);
    }

    /** The longest file of a snapshot: the one with most entries. */
    BlobStore.Stat victim() throws BlobException, DrillFailure {
        BlobStore.Stat longest = null;
        String after = null;
        do {
            BlobStore.Page page = store.list("w/", after, PAGE);
            for (BlobStore.Stat blob : page.blobs()) {
                if (blob.name().contains("/data/") && (longest == null || blob.bytes() > longest.bytes())) {
                    longest = blob;
                }
            }
            after = page.next();
        } while (after != null);
        if (longest == null) {
            throw new DrillFailure("the repository holds no file of a snapshot");
        }
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
    public <T> T settings(Class<T> type) {
        BackupStorageSettings l3 = settings.backupStorage();
        return Stream.of(l3, storage, settings)
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no settings of type " + type.getName()));
    }

    @Override
    public MetricRegistry metrics() {
        return metrics;
    }

    @Override
    public InstantSource clock() {
        return InstantSource.system();
    }

    @Override
    public void close() {
        store.close();
    }
}
