package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Replica;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * What the operations share.
 *
 * @param deadlineMillis how long an operation may take; acknowledgements that come later do not count
 * @param keepMillis how long zones remember promises: until nothing older can be under way anywhere
 * @param formed true once a majority has voted: from then on zones that hold nothing have lost it
 * @param mutations empty outside tests
 */
record Context(
        Placement placement,
        HybridClock clock,
        Timing timing,
        long deadlineMillis,
        long keepMillis,
        Hints hints,
        LastWritten lastWritten,
        Meters meters,
        AtomicBoolean formed,
        Set<Mutation> mutations) {
    static int majority(int zones) {
        return zones / 2 + 1;
    }

    /** How many of {@code zones} zones of a key must agree. */
    int required(int zones) {
        return majority(zones);
    }

    /** A majority has voted. */
    void noteFormed() {
        if (!formed.get()) {
            formed.set(true);
        }
    }

    boolean is(Mutation mutation) {
        return mutations.contains(mutation);
    }

    List<Replica> zonesOf(CacheKey key) {
        return placement.of(key);
    }

    static Entry withVersion(Entry entry, dev.terrace.spi.Version version) {
        return new Entry(
                entry.key(),
                entry.kind(),
                version,
                entry.createdMillis(),
                entry.freshUntilMillis(),
                entry.staleUntilMillis(),
                entry.tags(),
                entry.payload());
    }
}
