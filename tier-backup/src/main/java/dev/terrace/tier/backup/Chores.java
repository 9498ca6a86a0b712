package dev.terrace.tier.backup;

import java.io.IOException;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What must happen every second: drop old partitions, look whether writing works again; and beside the writer, sync the log and raise the mark. */
final class Chores {
    private static final Logger LOG = LoggerFactory.getLogger(Chores.class);
    private static final long EVERY_MILLIS = 1_000;
    private static final long EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(EVERY_MILLIS);
    private static final long LONGEST_SYNC_MILLIS = 2_000;

    private final PartitionedStore store;
    private final Dictionaries dictionaries;
    private final Keeper keeper;
    private final HighWater highWater;
    private final StorageHealth health;
    private final Meters meters;
    private final InstantSource clock;
    private final LogSync log = new LogSync(this::sync, EVERY_MILLIS, LONGEST_SYNC_MILLIS);
    private long dueNanos = System.nanoTime();

    Chores(
            PartitionedStore store,
            Dictionaries dictionaries,
            Keeper keeper,
            HighWater highWater,
            StorageHealth health,
            Meters meters,
            InstantSource clock) {
        this.store = store;
        this.dictionaries = dictionaries;
        this.keeper = keeper;
        this.highWater = highWater;
        this.health = health;
        this.meters = meters;
        this.clock = clock;
    }

    long nanosUntilDue() {
        return dueNanos - System.nanoTime();
    }

    void run() throws PartitionedStore.ClosedStore {
        dueNanos = System.nanoTime() + EVERY_NANOS;
        retain();
        if (health.detail() != null && health.refusal() == null) {
            probe();
        }
        measure();
    }

    private void retain() throws PartitionedStore.ClosedStore {
        try {
            store.rotate(clock.millis());
            while (store.hasExpired(clock.millis())) {
                keeper.carry(clock.millis());
                store.dropOldest();
                meters.dropped.inc();
                dictionaries.retire(store.oldestSequence());
            }
        } catch (RocksDBException e) {
            health.failed(e);
        }
    }

    private void probe() throws PartitionedStore.ClosedStore {
        try {
            store.probe();
            health.worked();
        } catch (RocksDBException e) {
            health.failed(e);
        }
    }

    /** Which syncs while the writer writes. */
    LogSync log() {
        return log;
    }

    /** Brings everything to the disk, unless that failed before: a second try would only look clean. One at a time. */
    void sync() throws PartitionedStore.ClosedStore {
        if (health.detail() != null) {
            return;
        }
        try {
            highWater.write(store.sync());
        } catch (RocksDBException e) {
            health.syncFailed(e);
        } catch (IOException e) {
            LOG.warn("backup cannot write its high-water mark", e);
        }
    }

    private void measure() throws PartitionedStore.ClosedStore {
        try {
            meters.partitions = store.sequences().size();
            meters.bytes = store.bytes();
            meters.entries = store.records();
        } catch (RocksDBException e) {
            LOG.debug("backup cannot be measured", e);
        }
    }
}
