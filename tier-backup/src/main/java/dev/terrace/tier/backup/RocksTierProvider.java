package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Opens L3 on RocksDB; named {@code rocksdb}. Needs {@link BackupStorageSettings}. Opening an encrypted folder takes
 * some hundred milliseconds, because a passphrase is made slow to guess.
 */
public final class RocksTierProvider implements TierProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RocksTierProvider() {}

    @Override
    public String name() {
        return "rocksdb";
    }

    @Override
    public TierLevel level() {
        return TierLevel.L3;
    }

    @Override
    public Tier open(TierContext context) {
        Path path = context.settings(BackupStorageSettings.class).path();
        return new ReopeningTier(() -> tier(context), path, context.metrics());
    }

    /** L3 as long as its folder is there. */
    static RocksTier tier(TierContext context) {
        return tier(context, true);
    }

    /** L3 for a command that reads it: it neither ships nor comes back from its repository, and what it remembers of that stays. */
    static RocksTier resting(TierContext context) {
        return tier(context, false);
    }

    private static RocksTier tier(TierContext context, boolean serves) {
        BackupStorageSettings settings = context.settings(BackupStorageSettings.class);
        requireKey(settings);
        Folder folder = Folder.take(Folder.Kind.BACKUP, settings.path(), settings.encryption());
        try {
            return open(context, settings, folder, serves);
        } catch (IOException | UncheckedIOException e) {
            folder.close();
            throw folder.unusable(e);
        } catch (RuntimeException | Error e) {
            folder.close();
            throw e;
        }
    }

    static void requireKey(BackupStorageSettings settings) {
        if (settings.encryption() && settings.passphrase() == null && settings.keyService() == null) {
            throw new SetupException(
                    "backup_storage.encryption needs a key and there is none",
                    "set backup_storage.passphrase, or keystore and passphrase, or key_service and key_name");
        }
    }

    private static RocksTier open(TierContext context, BackupStorageSettings settings, Folder folder, boolean serves)
            throws IOException {
        RestoreNote.begin(folder, settings, context.clock().millis());
        KeyRing keys = openKeys(context.clock(), settings, folder);
        long retentionMillis = settings.retention().toMillis();
        HighWater highWater = new HighWater(folder.highWater());
        NativeOptions options = new NativeOptions(serves && settings.objectStorage() != null);
        PartitionedStore store;
        Opening.Opened opened;
        try {
            opened = new Opening(folder, options, highWater, context.clock().millis()).open();
            store = new PartitionedStore(options, opened, retentionMillis, folder.restoredMillis());
        } catch (IOException | RuntimeException | Error e) {
            options.close();
            throw e;
        }
        Dictionaries dictionaries = new Dictionaries(
                compressed(context, settings), store, keys, limits(context), context.clock(), context.metrics());
        Records records;
        Records hintRecords;
        try {
            store.rotate(context.clock().millis());
            dictionaries.load();
            // Only now: a folder that does not open is not written to.
            records = new Records(dictionaries, keys, Partitions.keepMillis(retentionMillis));
            // With a sub-key of their own, because another thread seals them and counts the nonces.
            hintRecords = new Records(settings.compression(), keys, Partitions.keepMillis(retentionMillis));
        } catch (RocksDBException | PartitionedStore.ClosedStore | UncheckedIOException e) {
            store.close(0);
            throw folder.unusable(e);
        }
        WriteQueue queue = new WriteQueue(settings.queueEntries(), (long) settings.queueMib() << 20);
        Meters meters = new Meters(context.metrics(), queue);
        meters.salvaged.inc(opened.salvaged() ? 1 : 0);
        meters.lost.inc(opened.lost());
        KeyHash hash = keys == null ? KeyHash.plain() : KeyHash.keyed(keys.indexKey());
        RocksTier tier = new RocksTier(
                settings,
                folder,
                new Vault(store, records, hash, meters),
                dictionaries,
                queue,
                highWater,
                new HintFamily(store, hintRecords, hash, context.metrics()),
                meters,
                context.clock(),
                keys);
        tier.tidy();
        ObjectStorageSettings storage = settings.objectStorage();
        if (serves && storage != null) {
            tier.shipBy(new ShippingThread(
                    new ShippingStart(context, settings, folder.path(), store, keys, true),
                    settings.schedule().shipInterval().toMillis(),
                    context.metrics()));
        }
        RestoreNote note = serves ? RestoreNote.read(folder.path(), settings) : null;
        if (note != null) {
            tier.restoreBy(context, note);
        }
        return tier.start();
    }

    /** As each cache says, or else as all of L3. What the coordinator itself keeps there is as small as it gets. */
    private static Predicate<String> compressed(TierContext context, BackupStorageSettings settings) {
        Map<String, CachePolicy> caches =
                context.offered(Settings.class).map(Settings::caches).orElse(Map.of());
        Map<String, Boolean> different = new HashMap<>();
        caches.forEach((name, policy) -> {
            Boolean compression = policy.compression();
            if (compression != null) {
                different.put(name, compression);
            }
        });
        return cache -> different.getOrDefault(cache, settings.compression());
    }

    /** A test may have less patience. */
    private static CacheWatch.Limits limits(TierContext context) {
        return context.offered(CacheWatch.Limits.class).orElse(CacheWatch.Limits.USUAL);
    }

    static @Nullable KeyRing openKeys(InstantSource clock, BackupStorageSettings settings, Folder folder)
            throws IOException {
        if (folder.isFresh()) {
            if (settings.encryption()) {
                KeyRing.create(folder.keys(), settings, clock);
            }
            folder.mark(settings.encryption());
        }
        return settings.encryption() ? KeyRing.open(folder.keys(), settings, clock) : null;
    }
}
