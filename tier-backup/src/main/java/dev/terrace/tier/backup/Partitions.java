package dev.terrace.tier.backup;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;

/**
 * The partitions of a store, the newest first, and when each of them is full or has had its time, whatever the clock did meanwhile. Never changed, only
 * replaced.
 */
final class Partitions {
    /** Per retention: data is kept up to one eighth longer than asked. */
    private static final int PARTS = 8;

    private final List<Partition> all;
    private final long retentionMillis;
    private final long restoredMillis;

    /**
     * In any order.
     *
     * @param restoredMillis when the folder was restored: what is older is kept as if it were written then; 0 when it was not
     */
    Partitions(List<Partition> all, long retentionMillis, long restoredMillis) {
        this.all = all.stream()
                .sorted(Comparator.comparingLong(Partition::sequence).reversed())
                .toList();
        this.retentionMillis = retentionMillis;
        this.restoredMillis = restoredMillis;
    }

    /** How long a record may live: the retention and the width of a partition. */
    static long keepMillis(long retentionMillis) {
        return retentionMillis + widthMillis(retentionMillis);
    }

    private static long widthMillis(long retentionMillis) {
        return Math.max(1, retentionMillis / PARTS);
    }

    /** The newest first. */
    List<Partition> all() {
        return all;
    }

    boolean isEmpty() {
        return all.isEmpty();
    }

    /** The one that is written to; there must be one. */
    Partition newest() {
        return all.get(0);
    }

    /** The one that goes next; there must be one. */
    Partition oldest() {
        return all.get(all.size() - 1);
    }

    /** The one of this number; null when it is gone. */
    @Nullable
    Partition find(long sequence) {
        for (Partition partition : all) {
            if (partition.sequence() == sequence) {
                return partition;
            }
        }
        return null;
    }

    /** The number of the one that comes after the newest. */
    long nextSequence() {
        return isEmpty() ? 1 : newest().sequence() + 1;
    }

    /** With a newer one. */
    Partitions and(long startMillis, ColumnFamilyHandle handle) {
        List<Partition> more = new ArrayList<>(all);
        more.add(new Partition(nextSequence(), startMillis, handle));
        return new Partitions(more, retentionMillis, restoredMillis);
    }

    /** Without the oldest. */
    Partitions withoutOldest() {
        return new Partitions(all.subList(0, all.size() - 1), retentionMillis, restoredMillis);
    }

    /**
     * Whether the newest takes no more: it is full, or was begun by a clock far ahead of this one and would not be full for as long. True when there is none.
     */
    boolean isFull(long nowMillis) {
        if (isEmpty()) {
            return true;
        }
        long startMillis = newest().startMillis();
        long widthMillis = widthMillis(retentionMillis);
        boolean fromTheFuture = nowMillis < startMillis - widthMillis && all.size() < 2 * PARTS;
        return nowMillis >= startMillis + widthMillis || fromTheFuture;
    }

    /**
     * Whether the oldest may go, because everything in it is older than the retention. It goes before any newer one, whatever
     * the clock did meanwhile: a newer partition may hold the copies, tombstones among them, that hide what is in an older one. So when a
     * newer one has had its time, all before it have.
     */
    boolean hasExpired(long nowMillis) {
        for (int i = all.size() - 1; i > 0; i--) {
            if (nowMillis >= endMillis(i) + retentionMillis) {
                return true;
            }
        }
        return false;
    }

    /**
     * When the last write went into the partition at {@code index}: when the next one began. A clock that jumped must
     * neither keep a partition for years nor drop one early, so a beginning before its own counts only if there is no
     * better one.
     */
    private long endMillis(int index) {
        long own = all.get(index).startMillis();
        long later = Long.MAX_VALUE;
        long any = Long.MAX_VALUE;
        for (Partition newer : all.subList(0, index)) {
            any = Math.min(any, newer.startMillis());
            if (newer.startMillis() >= own) {
                later = Math.min(later, newer.startMillis());
            }
        }
        long end = later == Long.MAX_VALUE ? any : later;
        return own <= restoredMillis ? Math.max(end, restoredMillis) : end;
    }
}
