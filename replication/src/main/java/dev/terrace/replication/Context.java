package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What the operations share.
 *
 * @param deadlineMillis how long an operation may take; acknowledgements that come later do not count
 * @param keepMillis how long zones remember promises: until nothing older can be under way anywhere
 * @param answering how zones answer
 * @param formed true once a majority has voted: from then on zones that hold nothing have lost it
 * @param suspicion told of a zone that says it has forgotten
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
        Answering answering,
        AtomicBoolean formed,
        Consumer<Replica> suspicion,
        Set<Mutation> mutations) {
    static int majority(int zones) {
        return zones / 2 + 1;
    }

    /** A majority has voted. */
    void noteFormed() {
        if (!formed.get()) {
            formed.set(true);
        }
    }

    /** Looks whether {@code answer} says that the zone has forgotten. */
    void heard(Replica zone, @Nullable Object answer) {
        boolean forgetful = answer instanceof Lookup.Unavailable lookup && lookup.cause() == Unavailability.FORGETFUL
                || answer instanceof StoreOutcome.Unavailable store && store.cause() == Unavailability.FORGETFUL
                || answer instanceof Replica.Ballot.Unknown ballot && ballot.cause() == Unavailability.FORGETFUL
                || answer instanceof Replica.Promise.Unknown promise && promise.cause() == Unavailability.FORGETFUL;
        if (forgetful) {
            suspicion.accept(zone);
        }
    }

    /** Makes later versions exceed {@code seen}; false, and counted, when that is further ahead than clocks may differ. */
    boolean observe(Version seen) {
        boolean taken = clock.observe(seen);
        if (!taken) {
            meters.tooFarAhead.inc();
        }
        return taken;
    }

    boolean is(Mutation mutation) {
        return mutations.contains(mutation);
    }

    List<Replica> zonesOf(CacheKey key) {
        return placement.of(key);
    }

    static Entry withVersion(Entry entry, Version version) {
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
