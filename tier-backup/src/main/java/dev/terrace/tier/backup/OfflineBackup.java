package dev.terrace.tier.backup;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.BlobException;
import dev.terrace.spi.TierContext;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import java.io.IOException;
import org.rocksdb.RocksDBException;

/** Backs up a folder that no node has open. */
public final class OfflineBackup {
    private OfflineBackup() {}

    /**
     * Takes a snapshot, and removes nothing. A restore that was under way under the folder goes on when its node starts.
     *
     * @param settings of the folder and its repository
     * @return where its chain stands
     * @throws dev.terrace.api.SetupException when the folder is in use, or cannot be opened
     */
    public static ChainState snapshot(BackupStorageSettings settings, TierContext context)
            throws BlobException, DamagedException, IOException {
        RocksTier tier = RocksTierProvider.resting(new OtherSettings(context, settings));
        KeyRing keys = settings.encryption()
                ? KeyRing.open(settings.path().resolve(Folder.KEYS), settings, context.clock())
                : null;
        try (ShippingStart start = new ShippingStart(
                new OtherSettings(context, settings),
                settings,
                settings.path(),
                tier.vault().store(),
                keys,
                false)) {
            return start.open().snapshot();
        } catch (RocksDBException | PartitionedStore.ClosedStore e) {
            throw new IOException("the folder cannot be read: " + e.getMessage(), e);
        } finally {
            tier.close();
        }
    }
}
