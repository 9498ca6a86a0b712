package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * A folder's records in the order of their hashes, and what opens them. Of a key that lies in several of its partitions the newest copy is
 * the one that counts, readable or not: an older one may be what was invalidated since. Thread-safe.
 */
final class MergeInput {
    private final PartitionedStore store;
    private final Records records;
    private final AtomicLong unreadable = new AtomicLong();

    MergeInput(PartitionedStore store, Records records) {
        this.store = store;
        this.records = records;
    }

    PartitionedStore store() {
        return store;
    }

    /** How many records, or blocks of them, could not be read so far. */
    long unreadable() {
        return unreadable.get();
    }

    void countUnreadable() {
        unreadable.incrementAndGet();
    }

    /** The entry, or null, counted. */
    @Nullable
    Entry open(byte[] hash, byte[] record) {
        Entry entry = records.open(hash, record);
        if (entry == null) {
            countUnreadable();
        }
        return entry;
    }
}
