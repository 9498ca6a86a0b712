package dev.terrace.core.origin;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;

/**
 * The newest write of one key that the origin lacks. Guarded by {@link WriteBehind}'s lock, but for {@link #entry}, which readers see
 * without it.
 */
final class Waiting implements Comparable<Waiting> {
    final CacheKey key;
    final long sequence;
    volatile Entry entry;

    /** When the oldest write that is not at the origin yet was made, replaced ones included. */
    long sinceMillis;

    /** When it may be written. */
    long dueMillis;

    /** Failed calls for this entry. */
    int attempts;

    String lastFailure = "";

    /** While a call is under way, or its aftermath: it is in no other collection then. */
    boolean busy;

    Waiting(Entry entry, long sequence, long sinceMillis, long dueMillis) {
        this.key = entry.key();
        this.entry = entry;
        this.sequence = sequence;
        this.sinceMillis = sinceMillis;
        this.dueMillis = dueMillis;
    }

    static long bytes(Entry entry) {
        return Envelope.length(entry);
    }

    @Override
    public int compareTo(Waiting other) {
        int byTime = Long.compare(dueMillis, other.dueMillis);
        return byTime != 0 ? byTime : Long.compare(sequence, other.sequence);
    }

    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(sequence);
    }
}
