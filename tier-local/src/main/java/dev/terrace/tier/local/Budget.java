package dev.terrace.tier.local;

import dev.terrace.config.LocalShare;
import java.util.Arrays;

/**
 * How much is resident and how much may be, of all and of each pool. Thread-safe; what is reserved exceeds no bound, unless the bound of
 * bytes was lowered below it.
 *
 * <p>Whose entries may go when there is no room: of pools that have more than is reserved for them; and one's own, when one wants more than
 * that. As less than all is reserved, there is always somebody.
 */
final class Budget {
    /** What is missing for an entry. */
    enum Lack {
        NOTHING,
        ENTRIES,
        BYTES,
        /** The pool has as many as it may. */
        SHARE_OF_ENTRIES,
        SHARE_OF_BYTES;

        boolean isOfBytes() {
            return this == BYTES || this == SHARE_OF_BYTES;
        }

        boolean isOfShare() {
            return this == SHARE_OF_ENTRIES || this == SHARE_OF_BYTES;
        }
    }

    private final Groups groups;
    private final long maxEntries;
    private long maxBytes;
    private long entries;
    private long bytes;
    private final long[] poolEntries;
    private final long[] poolBytes;
    private final GroupCounts counts = new GroupCounts();

    Budget(Groups groups, long maxEntries, long maxBytes) {
        this.groups = groups;
        this.maxEntries = maxEntries;
        this.maxBytes = maxBytes;
        this.poolEntries = new long[groups.pools().size()];
        this.poolBytes = new long[groups.pools().size()];
    }

    /**
     * Takes room for an entry, of all bounds or of none.
     *
     * @param oldCharge what the entry takes that it replaces, of the same group; 0 when it replaces none
     */
    synchronized Lack tryReserve(int group, int oldCharge, int newCharge) {
        Lack lack = lack(group, oldCharge, newCharge);
        if (lack == Lack.NOTHING) {
            change(group, oldCharge == 0 ? 1 : 0, (long) newCharge - oldCharge);
            counts.replaced(group, oldCharge, newCharge);
        }
        return lack;
    }

    /** What {@link #tryReserve} would say. */
    synchronized Lack lack(int group, int oldCharge, int newCharge) {
        int moreEntries = oldCharge == 0 ? 1 : 0;
        long moreBytes = (long) newCharge - oldCharge;
        if (moreEntries > 0 && entries >= maxEntries) {
            return Lack.ENTRIES;
        }
        if (moreBytes > 0 && bytes + moreBytes > maxBytes) {
            return Lack.BYTES;
        }
        int pool = groups.pool(group);
        if (pool != Groups.COMMON) {
            int most = share(pool).mostPercent();
            if (moreEntries > 0 && poolEntries[pool] >= Math.max(1, percent(maxEntries, most))) {
                return Lack.SHARE_OF_ENTRIES;
            }
            if (moreBytes > 0 && poolBytes[pool] + moreBytes > percent(maxBytes, most)) {
                return Lack.SHARE_OF_BYTES;
            }
        }
        return Lack.NOTHING;
    }

    /** Takes back what {@link #tryReserve} gave. */
    synchronized void undo(int group, int oldCharge, int newCharge) {
        change(group, oldCharge == 0 ? -1 : 0, (long) oldCharge - newCharge);
        counts.replaced(group, newCharge, oldCharge);
    }

    /** An entry is gone. */
    synchronized void release(int group, int charge) {
        change(group, -1, -charge);
        counts.replaced(group, charge, 0);
    }

    /** Notes why one that was released had to go. */
    synchronized void evicted(int group, EvictionCause cause) {
        counts.evicted(group, cause);
    }

    private void change(int group, int moreEntries, long moreBytes) {
        int pool = groups.pool(group);
        entries += moreEntries;
        bytes += moreBytes;
        poolEntries[pool] += moreEntries;
        poolBytes[pool] += moreBytes;
    }

    /**
     * Of which pools an entry may go, one bit each; all bits when of any.
     *
     * @param lack what is missing for {@code charge} bytes more in {@code group}
     */
    synchronized long evictable(int group, int charge, Lack lack) {
        if (!groups.share()) {
            return -1;
        }
        int own = groups.pool(group);
        if (lack.isOfShare()) {
            return 1L << own;
        }
        boolean ofBytes = lack.isOfBytes();
        long allowed = 0;
        for (int pool = 0; pool < poolEntries.length; pool++) {
            long more = pool == own ? ofBytes ? charge : 1 : 0;
            long has = ofBytes ? poolBytes[pool] : poolEntries[pool];
            if (poolEntries[pool] > 0 && has + more > reserved(pool, ofBytes)) {
                allowed |= 1L << pool;
            }
        }
        return allowed == 0 ? -1 : allowed;
    }

    /** Most bytes that one entry of {@code group} may take, if it were alone. */
    synchronized long mostOf(int group) {
        return percent(maxBytes, share(groups.pool(group)).mostPercent());
    }

    /** Of which pools an entry may go when all have to give way. */
    synchronized long evictable() {
        return groups.share() ? evictable(0, 0, Lack.BYTES) : -1;
    }

    private long reserved(int pool, boolean ofBytes) {
        return percent(ofBytes ? maxBytes : maxEntries, share(pool).reservedPercent());
    }

    private LocalShare share(int pool) {
        return groups.pools().get(pool).share();
    }

    private static long percent(long of, int percent) {
        return of / 100 * percent + of % 100 * percent / 100;
    }

    /** Sets the bound of bytes. What is above it stays until it is evicted, and nothing more comes in before. */
    synchronized void limitBytes(long most) {
        maxBytes = most;
    }

    synchronized long maxBytes() {
        return maxBytes;
    }

    synchronized boolean isOver() {
        return bytes > maxBytes;
    }

    synchronized long entries() {
        return entries;
    }

    synchronized long bytes() {
        return bytes;
    }

    synchronized long entriesOf(int pool) {
        return poolEntries[pool];
    }

    synchronized long bytesOf(int pool) {
        return poolBytes[pool];
    }

    /** Counts by group, by cause and by size, as they are now. */
    synchronized GroupCounts counts() {
        return counts.copy();
    }

    /** For tests: whether all sums agree, and no bound is broken. */
    synchronized void check() {
        long sumEntries = Arrays.stream(poolEntries).sum();
        long sumBytes = Arrays.stream(poolBytes).sum();
        if (sumEntries != entries || sumBytes != bytes || !counts.agree(entries, bytes)) {
            throw new IllegalStateException("sums of pools and groups differ from " + entries + " and " + bytes);
        }
        if (entries < 0 || bytes < 0 || entries > maxEntries) {
            throw new IllegalStateException(entries + " entries, at most " + maxEntries + ", " + bytes + " bytes");
        }
        for (int pool = 1; pool < poolEntries.length; pool++) {
            if (poolEntries[pool] < 0 || poolBytes[pool] < 0) {
                throw new IllegalStateException("pool " + pool + " below zero");
            }
        }
    }
}
