package dev.terrace.tier.backup;

import dev.terrace.api.UnavailableException;
import dev.terrace.spi.Entry;
import java.time.InstantSource;
import java.util.function.Predicate;
import org.rocksdb.RocksDBException;

/** Walks through all live values, newest partition first, a slice at a time; the lock is free while visitors work. */
final class Scan {
    private static final int SLICE = 256;

    private final Vault vault;
    private final Meters meters;
    private final InstantSource clock;

    Scan(Vault vault, Meters meters, InstantSource clock) {
        this.vault = vault;
        this.meters = meters;
        this.clock = clock;
    }

    void run(Predicate<Entry> visitor) {
        try {
            for (long partition : vault.store().sequences()) {
                if (!walk(partition, visitor)) {
                    return;
                }
            }
        } catch (PartitionedStore.ClosedStore e) {
            throw new UnavailableException("the backup tier was closed during a scan", "scan again after opening it");
        } catch (RocksDBException e) {
            throw new UnavailableException("the backup tier cannot be read: " + e.getMessage(), "check its disk");
        }
    }

    private boolean walk(long partition, Predicate<Entry> visitor)
            throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] from = new byte[KeyHash.BYTES];
        while (from != null) {
            PartitionedStore.Slice slice = vault.store().slice(partition, from, SLICE);
            if (slice.damaged()) {
                meters.corrupt.inc();
            }
            for (PartitionedStore.Stored stored : slice.records()) {
                Entry entry = vault.open(stored);
                if (entry != null
                        && entry.isValue()
                        && !entry.isExpired(clock.millis())
                        && !vault.store().isShadowed(partition, stored.hash())
                        && !visitor.test(entry)) {
                    return false;
                }
            }
            from = slice.next();
        }
        return true;
    }
}
