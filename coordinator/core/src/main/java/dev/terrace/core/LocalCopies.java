package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Evicting;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * L1, and the near caches in front of it, as writes and fills see them. A write fences the key's flights and stores under the key's stripe; a fill asks whether it
 * still may and stores under the same stripe. So the older of the two never stays, even when L1 has evicted the newer one
 * in between. Thread-safe.
 */
final class LocalCopies {
    private final @Nullable LocalTier local;
    private final Flights flights;
    private final Mutant mutant;
    private final NearCaches near;
    private final KeyStripes stripes = new KeyStripes();

    LocalCopies(@Nullable LocalTier local, NearCaches near, Flights flights, Mutant mutant) {
        this.near = near;
        this.mutant = mutant;
        this.local = local;
        this.flights = flights;
    }

    /**
     * Fences the key's flights and stores a write; null when there is no L1.
     *
     * @param alone true when no other tier has what L1 does not take
     */
    @Nullable
    StoreOutcome write(Entry entry, boolean alone) {
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            boolean newest = stripe.noteWrite(entry.version());
            flights.fence(entry.key());
            near.drop(entry.key());
            if (local == null) {
                return null;
            }
            if (!alone && !newest && mutant != Mutant.FILL_WITHOUT_VERSION) {
                // A newer write of this key may have come and gone from L1 while this one was on its way through L2,
                // which has the newer one.
                local.drop(entry.key());
                return new StoreOutcome.Unavailable(
                        TierLevel.L1, Unavailability.OVERLOADED, "overtaken by a newer write");
            }
            StoreOutcome outcome = local.store(entry, WriteCondition.IF_NEWER);
            if (outcome instanceof StoreOutcome.Refused || outcome instanceof StoreOutcome.Unavailable) {
                // What L1 did not take must not leave the older value behind.
                local.drop(entry.key());
            }
            return outcome;
        } finally {
            stripe.unlock();
        }
    }

    /** What L1 holds, or null. */
    @Nullable
    Entry held(CacheKey key) {
        return local != null && local.get(key).toCompletableFuture().join() instanceof Lookup.Hit hit
                ? hit.entry()
                : null;
    }

    /** Something newer is, or may be, elsewhere: what L1 holds, and what flights will bring, must not be answered. */
    void forget(CacheKey key) {
        KeyStripes.Stripe stripe = stripes.of(key);
        stripe.lock();
        try {
            stripe.noteWrite();
            flights.fence(key);
            near.drop(key);
            if (local != null) {
                local.drop(key);
            }
        } finally {
            stripe.unlock();
        }
    }

    /**
     * Another node wrote {@code version}: an older copy goes, and what flights that began before now bring is not kept.
     *
     * @return true when there was an older copy
     */
    boolean changed(CacheKey key, Version version) {
        KeyStripes.Stripe stripe = stripes.of(key);
        stripe.lock();
        try {
            stripe.noteWrite(version);
            if (mutant != Mutant.FILL_WITHOUT_VERSION) {
                flights.fence(key);
            }
            boolean nearOlder = mutant != Mutant.NEAR_NOT_DROPPED && near.dropOlder(key, version);
            boolean older = local != null && local.dropOlder(key, version);
            return older || nearOlder;
        } finally {
            stripe.unlock();
        }
    }

    /** Drops everything; writes up to {@code upTo} that are still on their way are not kept, and what flights that began before now bring is not kept either. */
    void dropAll(Version upTo) {
        flights.fenceAll();
        // A fill that asked just before it was fenced may not have stored yet.
        stripes.passAll(upTo);
        try {
            if (local != null) {
                local.dropAll();
            }
        } finally {
            // Also when L1 could not drop all.
            if (mutant != Mutant.NEAR_SURVIVES_A_GAP) {
                near.dropAll();
            }
        }
    }

    /**
     * Evicts some of what L1 holds, and all that near caches hold of it. Misses follow and nothing else: L1 evicts at any time by itself.
     *
     * @return how many entries of L1 went; -1 when there is no L1, or it does not evict on command
     */
    long evict(double share, RandomGenerator random) {
        if (!(local instanceof Evicting evicting)) {
            return -1;
        }
        long evicted = evicting.evict(share, random);
        near.dropAll();
        return evicted;
    }

    /** Stores a fill if {@code allowed} says so under the stripe; false when it was not allowed. */
    boolean fill(Entry entry, BooleanSupplier allowed) {
        if (local == null) {
            return allowed.getAsBoolean();
        }
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            if (!allowed.getAsBoolean()) {
                return false;
            }
            stripe.noteFill();
            near.drop(entry.key());
            local.store(entry, WriteCondition.IF_NEWER);
            return true;
        } finally {
            stripe.unlock();
        }
    }

    /**
     * Makes the copy end when {@code entry} does, if it is the same version and ends sooner. The near cache finds out by its next look
     * into L1.
     */
    void prolong(Entry entry) {
        if (local == null) {
            return;
        }
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            Entry held = held(entry.key());
            if (held != null
                    && held.version().equals(entry.version())
                    && held.freshUntilMillis() < entry.freshUntilMillis()) {
                stripe.noteFill();
                near.drop(entry.key());
                local.store(entry, new WriteCondition.IfVersion(entry.version()));
            }
        } finally {
            stripe.unlock();
        }
    }

    /** To be asked before a warm-up writes {@code key} to L2, and handed to {@link #warm} afterwards. */
    long writesSeen(CacheKey key) {
        return stripes.of(key).writes();
    }

    /** Stores into L1 what a warm-up has written to L2, unless some key of its stripe was written meanwhile. */
    StoreOutcome warm(LocalTier into, CacheState cache, Entry entry, long writesSeen) {
        KeyStripes.Stripe stripe = stripes.of(entry.key());
        stripe.lock();
        try {
            if (cache.hides(entry) || stripe.writes() != writesSeen) {
                return new StoreOutcome.Superseded(entry.version());
            }
            stripe.noteFill();
            near.drop(entry.key());
            return into.store(entry, WriteCondition.IF_NEWER);
        } finally {
            stripe.unlock();
        }
    }

    /** The near caches. */
    NearCaches near() {
        return near;
    }

    Mutant mutant() {
        return mutant;
    }

    /** To be asked before L1 is read, and handed to {@link #keepNear} afterwards. */
    long touches(CacheKey key) {
        return stripes.of(key).touches();
    }

    /**
     * Copies into a near cache what L1 holds, if that is {@code version}.
     *
     * @param make the copy, from what L1 holds
     */
    void keepNear(NearCache into, CacheKey key, Version version, Function<Entry, NearCopy> make) {
        KeyStripes.Stripe stripe = stripes.of(key);
        stripe.lock();
        try {
            Object era = into.era();
            Entry held = held(key);
            if (held != null && held.isValue() && held.version().equals(version)) {
                into.keep(make.apply(held), era);
            }
        } finally {
            stripe.unlock();
        }
    }

    /** Copies into a near cache what L1 held, unless some copy of its stripe changed meanwhile. */
    void keepNear(NearCache into, NearCopy copy, NearReads.Glance glance) {
        KeyStripes.Stripe stripe = stripes.of(copy.cacheKey);
        stripe.lock();
        try {
            if (stripe.touches() == glance.touches()) {
                into.keep(copy, glance.era());
            }
        } finally {
            stripe.unlock();
        }
    }
}
