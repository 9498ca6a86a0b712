package dev.terrace.tier.local;

/** How much is resident and how much may be. Thread-safe; what is reserved never exceeds either bound. */
final class Budget {
    private final long maxEntries;
    private final long maxBytes;
    private long entries;
    private long bytes;

    Budget(long maxEntries, long maxBytes) {
        this.maxEntries = maxEntries;
        this.maxBytes = maxBytes;
    }

    /** Takes its share of both bounds, or of neither. Negative numbers give back. */
    synchronized boolean tryReserve(int moreEntries, long moreBytes) {
        if (!fits(moreEntries, moreBytes)) {
            return false;
        }
        entries += moreEntries;
        bytes += moreBytes;
        return true;
    }

    /** Gives back. */
    synchronized void release(int fewerEntries, long fewerBytes) {
        entries -= fewerEntries;
        bytes -= fewerBytes;
    }

    synchronized boolean fits(int moreEntries, long moreBytes) {
        return (moreEntries <= 0 || entries + moreEntries <= maxEntries)
                && (moreBytes <= 0 || bytes + moreBytes <= maxBytes);
    }

    synchronized long entries() {
        return entries;
    }

    synchronized long bytes() {
        return bytes;
    }
}
