package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import dev.terrace.tier.backup.Sides.Side;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.rocksdb.RocksDBException;

/**
 * Keeps what hides other entries for as long as it says, also beyond the retention: tombstones, and markers of tags, caches and
 * namespaces, which the coordinator keeps in caches of its own. What they hide can come here after them: values that were on
 * their way, in another tier, or in another copy of the backup. Their hashes stand in a column family of their own, so that the few of them are
 * found without a look at everything, and before a partition goes they are written into the newest. Writer thread only.
 */
final class Keeper {
    private static final int SLICE = 256;
    /** No user's cache may have a name that starts so. */
    private static final byte[] RESERVED = "terrace.".getBytes(StandardCharsets.UTF_8);

    private final Vault vault;
    private final long retentionMillis;

    Keeper(Vault vault, long retentionMillis) {
        this.vault = vault;
        this.retentionMillis = retentionMillis;
    }

    /** Whether {@code entry} hides others and must outlive the partition it is written into. */
    boolean isKept(Entry entry, long nowMillis) {
        return isKept(entry, retentionMillis, nowMillis);
    }

    /** As {@link #isKept(Entry, long)}, where {@code retentionMillis} is the retention. */
    static boolean isKept(Entry entry, long retentionMillis, long nowMillis) {
        return (entry.kind() == EntryKind.TOMBSTONE || isReserved(entry.key()))
                && entry.staleUntilMillis() - retentionMillis > nowMillis;
    }

    /** Whether a key lies in a cache of the coordinator's own: markers, which hide entries of other caches. */
    static boolean isReserved(CacheKey key) {
        byte[] name = key.nameAndKey();
        if (key.nameLength() < RESERVED.length) {
            return false;
        }
        for (int i = 0; i < RESERVED.length; i++) {
            if (name[i] != RESERVED[i]) {
                return false;
            }
        }
        return true;
    }

    /** Writes what the oldest partition holds of them into the newest. To be called before that one is dropped. */
    void carry(long nowMillis) throws RocksDBException, PartitionedStore.ClosedStore {
        PartitionedStore store = vault.store();
        long oldest = store.oldestSequence();
        byte[] from = new byte[0];
        while (from != null) {
            PartitionedStore.Slice slice = store.sides().slice(Side.KEPT, from, SLICE);
            List<Stored> carried = new ArrayList<>();
            List<byte[]> forgotten = new ArrayList<>();
            for (Stored known : slice.records()) {
                byte[] hash = known.hash();
                if (store.isShadowed(oldest, hash)) {
                    continue;
                }
                byte[] record = store.get(hash);
                Entry entry = record == null ? null : vault.open(new Stored(hash, record));
                if (entry == null || !isKeptStill(entry, nowMillis)) {
                    forgotten.add(hash);
                } else {
                    carried.add(vault.seal(hash, entry));
                }
            }
            if (!carried.isEmpty()) {
                store.write(carried, List.of());
            }
            store.sides().change(Side.KEPT, List.of(), forgotten);
            from = slice.next();
        }
    }

    private static boolean isKeptStill(Entry entry, long nowMillis) {
        return (entry.kind() == EntryKind.TOMBSTONE || isReserved(entry.key())) && !entry.isExpired(nowMillis);
    }
}
