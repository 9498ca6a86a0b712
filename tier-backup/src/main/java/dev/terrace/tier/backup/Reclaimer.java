package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Gives back the space of cleared caches, a slice at a time on the writer thread, so that nothing can be written between
 * looking and deleting. Oldest partition first: a copy that is removed never uncovers an older one.
 */
final class Reclaimer {
    private static final int SLICE = 128;
    private static final int MOST_CACHES = 1_000;

    private final Vault vault;
    private final Meters meters;
    private final Map<String, Version> asked = new LinkedHashMap<>();
    private Map<String, Version> current = Map.of();
    private List<Long> left = List.of();
    private byte[] from = new byte[KeyHash.BYTES];

    Reclaimer(Vault vault, Meters meters) {
        this.vault = vault;
        this.meters = meters;
    }

    /** Remembers a cleared cache. Beyond some hundred caches at once the space waits for the retention. Any thread. */
    synchronized void ask(String cache, Version upTo) {
        if (asked.containsKey(cache) || asked.size() < MOST_CACHES) {
            asked.merge(cache, upTo, (one, other) -> one.isNewerThan(other) ? one : other);
        }
    }

    private synchronized void begin(List<Long> newestFirst) {
        current = Map.copyOf(asked);
        asked.clear();
        left = new ArrayList<>(newestFirst);
    }

    private synchronized boolean hasWork() {
        return !left.isEmpty() || !asked.isEmpty();
    }

    /** Does one slice. Returns false when there is nothing to do. Writer thread only. */
    boolean step() throws RocksDBException, PartitionedStore.ClosedStore {
        if (!hasWork()) {
            return false;
        }
        if (left.isEmpty()) {
            begin(vault.store().sequences());
        }
        if (left.isEmpty()) {
            return false;
        }
        long partition = left.get(left.size() - 1);
        PartitionedStore.Slice slice = vault.store().slice(partition, from, SLICE);
        List<byte[]> doomed = new ArrayList<>();
        for (Iterator<PartitionedStore.Stored> all = slice.records().iterator(); all.hasNext(); ) {
            PartitionedStore.Stored stored = all.next();
            Entry entry = vault.open(stored);
            Version upTo = entry == null ? null : clearedUpTo(entry);
            if (entry != null && upTo != null && !entry.version().isNewerThan(upTo)) {
                doomed.add(stored.hash());
            }
        }
        vault.store().delete(partition, doomed);
        meters.reclaimed.inc(doomed.size());
        byte[] next = slice.next();
        if (next == null) {
            left = left.subList(0, left.size() - 1);
            from = new byte[KeyHash.BYTES];
        } else {
            from = next;
        }
        return true;
    }

    private @Nullable Version clearedUpTo(Entry entry) {
        return current.get(entry.key().cache());
    }
}
