package dev.terrace.tier.backup;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.JournalSettings;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.WriteJournal;
import dev.terrace.spi.WriteJournalProvider;
import dev.terrace.tier.backup.JournalStore.Family;
import dev.terrace.tier.backup.JournalStore.Stored;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens the journal on RocksDB; named {@code rocksdb}. Needs {@link JournalSettings}, and {@link BackupStorageSettings} for the key. What
 * is damaged is set aside within the folder and counted: a log is salvaged as L3's is; of a database with unreadable blocks what can be
 * read is carried into a new one; one that cannot be opened at all is moved aside whole. Starting is the better choice here: the
 * writes that are lost are lost either way, and those to come need a journal.
 */
public final class RocksJournalProvider implements WriteJournalProvider {
    private static final Logger LOG = LoggerFactory.getLogger(RocksJournalProvider.class);

    /** Keys of records are kept for as long as a dead letter may lie. */
    private static final long KEEP_KEYS_MILLIS = Duration.ofDays(3650).toMillis();

    /** For {@link java.util.ServiceLoader}. */
    public RocksJournalProvider() {}

    @Override
    public String name() {
        return "rocksdb";
    }

    @Override
    public WriteJournal open(TierContext context) {
        JournalSettings settings = context.settings(JournalSettings.class);
        BackupStorageSettings keys = context.settings(BackupStorageSettings.class);
        RocksTierProvider.requireKey(keys);
        Folder folder = Folder.take(Folder.Kind.JOURNAL, settings.path(), keys.encryption());
        try {
            return new Attempt(context, settings, keys, folder).open();
        } catch (IOException | UncheckedIOException | RocksDBException e) {
            folder.close();
            throw folder.unusable(e);
        } catch (RuntimeException | Error e) {
            folder.close();
            throw e;
        }
    }

    /** One opening. */
    private static final class Attempt {
        private final JournalSettings settings;
        private final BackupStorageSettings keySettings;
        private final TierContext context;
        private final Folder folder;
        private final HighWater highWater;
        private final long nowMillis;
        private long setAside;

        Attempt(TierContext context, JournalSettings settings, BackupStorageSettings keySettings, Folder folder) {
            this.context = context;
            this.settings = settings;
            this.keySettings = keySettings;
            this.folder = folder;
            this.highWater = new HighWater(folder.highWater());
            this.nowMillis = context.clock().millis();
        }

        WriteJournal open() throws IOException, RocksDBException {
            KeyRing keys = RocksTierProvider.openKeys(context.clock(), keySettings, folder);
            JournalStore store = store();
            try {
                Map<Family, List<Stored>> read = new EnumMap<>(Family.class);
                boolean damaged = false;
                for (Family family : Family.values()) {
                    JournalStore.All all = store.all(family);
                    read.put(family, all.records());
                    damaged |= all.damaged();
                }
                if (damaged) {
                    store = rewritten(store, read);
                }
                Records sealing = new Records(keySettings.compression(), keys, KEEP_KEYS_MILLIS);
                KeyHash hash = keys == null ? KeyHash.plain() : KeyHash.keyed(keys.indexKey());
                JournalRecords records = new JournalRecords(sealing, hash);
                List<WriteJournal.Wait> waiting = opened(store, Family.WAITING, read, records::openWaiting);
                List<WriteJournal.Dead> dead = opened(store, Family.DEAD, read, records::openDead);
                MetricRegistry metrics = context.metrics();
                metrics.counter("journal.set_aside").inc(setAside);
                return new RocksJournal(
                                settings,
                                folder,
                                store,
                                records,
                                highWater,
                                new WriteJournal.Contents(waiting, dead, setAside))
                        .start();
            } catch (RocksDBException | RuntimeException | Error e) {
                store.close();
                throw e;
            }
        }

        private JournalStore store() throws IOException, RocksDBException {
            try {
                return attempt();
            } catch (SetupException refused) {
                if (!isDamage(refused)) {
                    throw refused;
                }
                Path aside = moveAside();
                LOG.error(
                        "journal was damaged, it is set aside and a new one is begun folder={} reason={}",
                        aside,
                        refused.getMessage());
                setAside++;
                return attempt();
            }
        }

        private JournalStore attempt() throws IOException, RocksDBException {
            NativeOptions options = new NativeOptions();
            try {
                Opening.Opened opened = new Opening(folder, options, highWater, nowMillis).open();
                setAside += Math.max(opened.salvaged() ? 1 : 0, opened.lost());
                return new JournalStore(options, opened);
            } catch (IOException | RocksDBException | RuntimeException | Error e) {
                options.close();
                throw e;
            }
        }

        private static boolean isDamage(SetupException refused) {
            return refused.getCause() instanceof RocksDBException cause
                    ? Opening.isCorruption(cause)
                    : String.valueOf(refused.getMessage()).contains("lacks its file CURRENT");
        }

        private Path moveAside() throws IOException {
            Path aside = folder.path().resolve("damaged-" + nowMillis);
            Files.move(folder.database(), aside, StandardCopyOption.ATOMIC_MOVE);
            // The mark belongs to the log that is gone.
            Files.deleteIfExists(folder.highWater());
            return aside;
        }

        /** What could be read goes into a new database, because RocksDB would meet the damaged blocks again. */
        private JournalStore rewritten(JournalStore damaged, Map<Family, List<Stored>> read)
                throws IOException, RocksDBException {
            damaged.close();
            Path aside = moveAside();
            setAside++;
            LOG.error("journal had damaged blocks, what could be read goes on in a new one set_aside={}", aside);
            JournalStore fresh = attempt();
            try (JournalStore.Changes changes = fresh.changes()) {
                for (Map.Entry<Family, List<Stored>> family : read.entrySet()) {
                    for (Stored stored : family.getValue()) {
                        changes.put(family.getKey(), stored.name(), stored.value());
                    }
                }
                changes.write(true);
            }
            return fresh;
        }

        /** Opens records; those that cannot be believed are moved to a family of their own. */
        private <T> List<T> opened(
                JournalStore store,
                Family family,
                Map<Family, List<Stored>> read,
                BiFunction<byte[], byte[], @Nullable T> opener)
                throws RocksDBException {
            List<T> opened = new ArrayList<>();
            try (JournalStore.Changes changes = store.changes()) {
                for (Stored stored : read.getOrDefault(family, List.of())) {
                    T one = opener.apply(stored.name(), stored.value());
                    if (one != null) {
                        opened.add(one);
                        continue;
                    }
                    setAside++;
                    LOG.error("journal holds a record that cannot be believed, it is set aside family={}", family);
                    byte[] name = ByteBuffer.allocate(Long.BYTES + stored.name().length)
                            .putLong(nowMillis)
                            .put(stored.name())
                            .array();
                    changes.put(Family.DAMAGED, name, stored.value());
                    changes.delete(family, stored.name());
                }
                changes.write(true);
            }
            return opened;
        }
    }
}
