package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Entries in a {@link PartitionedStore}: hashes their keys, seals and opens their records, counts what cannot be
 * believed.
 */
final class Vault {
    private final PartitionedStore store;
    private final Records records;
    private final KeyHash hash;
    private final Meters meters;

    Vault(PartitionedStore store, Records records, KeyHash hash, Meters meters) {
        this.store = store;
        this.records = records;
        this.hash = hash;
        this.meters = meters;
    }

    PartitionedStore store() {
        return store;
    }

    /** What is held under {@code key}, expired or not; null when there is nothing that can be believed. */
    @Nullable
    Entry find(CacheKey key) throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] hashed = hash.of(key);
        byte[] record;
        try {
            record = store.get(hashed);
        } catch (RocksDBException e) {
            if (Opening.isCorruption(e)) {
                meters.corrupt.inc();
                return null;
            }
            throw e;
        }
        if (record == null) {
            return null;
        }
        Entry entry = open(new PartitionedStore.Stored(hashed, record));
        if (entry != null && !entry.key().equals(key)) {
            meters.collisions.inc();
            return null;
        }
        return entry;
    }

    /** The entry of a record, or null, counted, when it cannot be believed. */
    @Nullable
    Entry open(PartitionedStore.Stored stored) {
        Entry entry = records.open(stored.hash(), stored.record());
        if (entry == null) {
            meters.corrupt.inc();
        }
        return entry;
    }

    /** Writer thread only. */
    PartitionedStore.Stored seal(Entry entry) {
        byte[] hashed = hash.of(entry.key());
        return new PartitionedStore.Stored(hashed, records.seal(hashed, entry));
    }

    /** Writer thread only. */
    void write(List<PartitionedStore.Stored> sealed) throws RocksDBException, PartitionedStore.ClosedStore {
        store.write(sealed);
        meters.writes.inc(sealed.size());
    }
}
