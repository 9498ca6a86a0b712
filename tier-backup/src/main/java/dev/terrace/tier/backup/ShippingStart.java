package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupSchedule;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStoreProvider;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.repo.Anchor;
import dev.terrace.tier.backup.repo.Envelope;
import dev.terrace.tier.backup.repo.KeepPolicy;
import dev.terrace.tier.backup.repo.Repository;
import dev.terrace.tier.backup.repo.RepositoryKeys;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import org.jspecify.annotations.Nullable;

/** Finds what shipping needs when it first runs: a node starts without waiting for its repository. For one thread. */
final class ShippingStart implements ShippingThread.Start {
    private final TierContext context;
    private final BackupStorageSettings settings;
    private final Path folder;
    private final PartitionedStore store;
    private final @Nullable KeyRing keys;
    private final boolean prunes;
    private final List<BlobStore> opened = new ArrayList<>();

    ShippingStart(
            TierContext context,
            BackupStorageSettings settings,
            Path folder,
            PartitionedStore store,
            @Nullable KeyRing keys,
            boolean prunes) {
        this.context = context;
        this.settings = settings;
        this.folder = folder;
        this.store = store;
        this.keys = keys;
        this.prunes = prunes;
    }

    /** The blob store at {@code url}, by whoever on the class path knows its scheme. */
    static BlobStore open(URI url, TierContext context) throws BlobException {
        String scheme = String.valueOf(url.getScheme()).toLowerCase(Locale.ROOT);
        for (BlobStoreProvider provider : ServiceLoader.load(BlobStoreProvider.class)) {
            if (provider.scheme().equals(scheme)) {
                return provider.open(url, context);
            }
        }
        throw new SetupException("nothing on the class path opens '" + scheme + ":' repositories", "use file: or s3:");
    }

    @Override
    public Shipping open() throws BlobException {
        ObjectStorageSettings storage = settings.objectStorage();
        if (storage == null) {
            throw new SetupException("there is no backup repository", "set backup_storage.object_storage.url");
        }
        close(); // Of an earlier try.
        BlobStore repository = remember(open(storage.url(), context));
        URI anchor = storage.anchor();
        BackupSchedule schedule = settings.schedule();
        RepositoryKeys signing = RepositoryRing.signing(keys);
        return new Shipping(
                store,
                new StoreCheckpoint(store, folder.resolve("checkpoint"), context.clock()),
                new Repository(repository, signing, envelope(storage)),
                new FolderPlace(folder.resolve("BACKUP")),
                new RepositoryRing(folder.resolve(Folder.KEYS)),
                new Shipping.Schedule(
                        schedule.shipInterval().toMillis(),
                        schedule.snapshotEvery().toMillis(),
                        prunes ? new KeepPolicy(schedule.keepHourly(), schedule.keepDaily()) : null),
                anchor == null ? null : new Anchor(remember(open(anchor, context)), signing),
                context.clock(),
                context.metrics());
    }

    private static Envelope envelope(ObjectStorageSettings storage) {
        List<Recipient> recipients =
                storage.sealedTo().stream().map(Recipient::parse).toList();
        return recipients.isEmpty() ? Envelope.NONE : new SealedTo(recipients);
    }

    private BlobStore remember(BlobStore one) {
        opened.add(one);
        return one;
    }

    @Override
    public void close() {
        opened.forEach(BlobStore::close);
        opened.clear();
    }
}
