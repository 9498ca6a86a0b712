package dev.terrace.node.cli;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.node.OfflineContext;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.BackupRepository;
import dev.terrace.tier.backup.repo.Anchor;
import dev.terrace.tier.backup.repo.Chain;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Freshness;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A repository as settings name it, for a command that runs without a node. For one thread. */
final class OfflineRepository implements AutoCloseable {
    private final OfflineContext context;
    private final ObjectStorageSettings storage;
    private final BlobStore store;
    private final @Nullable BlobStore anchors;
    private final BackupRepository repository;

    /** Opens what {@code config} names. */
    OfflineRepository(Path config) throws BlobException {
        Settings settings = SettingsLoader.load(config);
        this.context = new OfflineContext(settings);
        ObjectStorageSettings named = settings.backupStorage().objectStorage();
        if (named == null) {
            throw new SetupException(config + " names no backup repository", "set backup_storage.object_storage.url");
        }
        this.storage = named;
        this.store = BackupRepository.open(named.url(), context);
        URI anchor = named.anchor();
        try {
            this.repository = new BackupRepository(store, settings.backupStorage(), context.clock());
            this.anchors = anchor == null ? null : BackupRepository.open(anchor, context);
        } catch (BlobException | RuntimeException e) {
            store.close();
            throw e;
        }
    }

    /** For whatever else is opened by the same settings. */
    TierContext context() {
        return context;
    }

    BackupStorageSettings l3() {
        return context.settings().backupStorage();
    }

    BlobStore store() {
        return store;
    }

    /** Where it is, as the settings say and as people type it back. */
    String url() {
        return storage.url().toString();
    }

    /** As the settings say; 0 for no limit. */
    int maxMibPerSecond() {
        return storage.maxMibPerSecond();
    }

    BackupRepository repository() {
        return repository;
    }

    /** Whether what is there is the newest. */
    Freshness freshness(Chain chain, @Nullable ChainState state, @Nullable Long expected)
            throws BlobException, DamagedException, IOException {
        return Freshness.of(
                chain,
                state == null ? null : state.head(),
                anchors == null
                        ? null
                        : new Anchor(anchors, repository.keysOf(chain.writer()))
                                .read(chain.writer())
                                .orElse(null),
                expected);
    }

    @Override
    public void close() {
        store.close();
        if (anchors != null) {
            anchors.close();
        }
    }
}
