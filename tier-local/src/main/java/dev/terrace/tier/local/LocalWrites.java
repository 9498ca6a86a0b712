package dev.terrace.tier.local;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Writes of L1: decided under the stripe of the key, with room made before. Thread-safe. */
final class LocalWrites {
    private static final Logger LOG = LoggerFactory.getLogger(LocalWrites.class);
    private static final int MOST_ATTEMPTS = 32;

    private final Shelf shelf;
    private final Room room;
    private final long ttlMillis;

    LocalWrites(Shelf shelf, long ttlMillis) {
        this.shelf = shelf;
        this.room = new Room(shelf);
        this.ttlMillis = ttlMillis;
    }

    StoreOutcome store(Entry entry, WriteCondition condition) {
        byte[] envelope = Envelope.encode(entry);
        HashKey key = shelf.hashOf(entry.key());
        int charge = shelf.shape.charge(envelope.length + StoredValue.PREFIX_BYTES);
        Room.Need need = new Room.Need(key, shelf.groups.of(entry.key()), charge);
        try {
            for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
                StoreOutcome outcome = attempt(entry, condition, key, envelope, need);
                if (outcome != null) {
                    return outcome;
                }
                room.make(need);
                if (need.isHopeless) {
                    break;
                }
            }
            shelf.remove(key.high, key.low);
        } catch (RuntimeException | InternalError e) {
            shelf.counters.errors.inc();
            LOG.warn("local tier write failed", e);
            return new StoreOutcome.Unavailable(TierLevel.L1, Unavailability.ERROR, String.valueOf(e.getMessage()));
        }
        return refused("entry of " + envelope.length
                + " bytes found no room in L1 beside what may not go; raise local_cache.max_memory_mb");
    }

    /** As {@link dev.terrace.spi.LocalTier#dropOlder}: what is unconfirmed is looked at, too, and so is what cannot be read. */
    boolean dropOlder(CacheKey key, Version version) {
        HashKey hashed = shelf.hashOf(key);
        ReentrantLock stripe = shelf.stripes.of(hashed.low);
        stripe.lock();
        try {
            StoredValue old = new StoredValue();
            if (shelf.isClosed() || !shelf.map.get(hashed, old)) {
                return false;
            }
            EnvelopeView held = live(old, key, shelf.clock.millis());
            boolean older = held == null || version.isNewerThan(held.version());
            if (older) {
                shelf.removeLocked(hashed, old.slot);
            }
            return older;
        } catch (RuntimeException | InternalError e) {
            shelf.counters.errors.inc();
            LOG.warn("local tier drop failed", e);
            shelf.remove(hashed.high, hashed.low);
            return true;
        } finally {
            stripe.unlock();
        }
    }

    /** One try under the stripe; null when room must be made first. */
    private @Nullable StoreOutcome attempt(
            Entry entry, WriteCondition condition, HashKey key, byte[] envelope, Room.Need need) {
        StoredValue old = shelf.readers.mine().held;
        ReentrantLock stripe = shelf.stripes.of(key.low);
        stripe.lock();
        try {
            if (shelf.isClosed()) {
                return new StoreOutcome.Unavailable(TierLevel.L1, Unavailability.CLOSED, "the local tier is closed");
            }
            long now = shelf.clock.millis();
            boolean present = shelf.map.get(key, old);
            EnvelopeView held = present ? live(old, entry.key(), now) : null;
            boolean doubted = held != null && shelf.isUnconfirmed(old.slot);
            if (held != null && doubted) {
                held.expire();
            }
            StoreOutcome refusal = Conditions.refuse(condition, entry, held, now);
            // The same version again confirms what an earlier process left.
            if (refusal != null && !(doubted && refusal instanceof StoreOutcome.Applied)) {
                return refusal;
            }
            long deadline = Math.min(entry.staleUntilMillis(), now + ttlMillis);
            String tooLarge = tooLarge(envelope.length, need);
            if (tooLarge != null || now >= deadline) {
                // What is held is older than what the caller knows of: it must not be answered any more.
                if (present) {
                    shelf.removeLocked(key, old.slot);
                }
                return tooLarge != null ? refused(tooLarge) : StoreOutcome.APPLIED;
            }
            if (present && shelf.map.ownSlots() == null && !shelf.owns(old.slot, key)) {
                // A damaged prefix. The slot that was meant stays until it is evicted, which is harmless.
                shelf.map.remove(key, old.slot);
                present = false;
            }
            if (present && shelf.table.groupOf(old.slot) != need.group) {
                // Another key with the same hash.
                shelf.removeLocked(key, old.slot);
                present = false;
            }
            return write(key, envelope, deadline, present ? old.slot : -1, need);
        } finally {
            stripe.unlock();
            old.reset();
        }
    }

    /** Why such an entry can never be held; null when it can. It goes to the other tiers all the same. */
    private @Nullable String tooLarge(int envelopeBytes, Room.Need need) {
        int largest = shelf.shape.largestValueBytes() - StoredValue.PREFIX_BYTES;
        if (envelopeBytes > largest) {
            return "entry of " + envelopeBytes + " bytes exceeds the largest that L1 takes, " + largest
                    + "; raise local_cache.max_memory_mb";
        }
        long most = shelf.budget.mostOf(need.group);
        if (need.charge > most) {
            return "entry of " + envelopeBytes + " bytes exceeds what its cache or class may take of L1, " + most
                    + "; raise l1_share.most or local_cache.max_memory_mb";
        }
        return null;
    }

    private StoreOutcome refused(String why) {
        shelf.counters.refused.inc();
        return new StoreOutcome.Refused(TierLevel.L1, why);
    }

    /** What is held under the entry's own key and may still be answered, or null. */
    private @Nullable EnvelopeView live(StoredValue stored, CacheKey key, long now) {
        EnvelopeView view = new EnvelopeView();
        if (view.wrap(stored.envelope, stored.length) != null) {
            shelf.counters.corrupt.inc();
            return null;
        }
        if (!view.isFor(key)) {
            shelf.counters.collisions.inc();
            return null;
        }
        return now < stored.deadlineMillis ? view : null;
    }

    private @Nullable StoreOutcome write(HashKey key, byte[] envelope, long deadline, int oldSlot, Room.Need need) {
        boolean replaces = oldSlot >= 0;
        int charge = need.charge;
        need.oldCharge = replaces ? shelf.table.chargeOf(oldSlot) : 0;
        need.segmentIsFull = false;
        if (!room.reserve(need, oldSlot)) {
            return null;
        }
        int expiry = shelf.secondsAt(deadline);
        boolean mapFindsSlot = !replaces && shelf.map.ownSlots() != null;
        int slot = oldSlot;
        if (!replaces && !mapFindsSlot) {
            slot = shelf.table.allocate(key.high, key.low, charge, expiry, need.group);
            if (slot < 0) {
                shelf.budget.undo(need.group, need.oldCharge, charge);
                return null;
            }
        }
        StoredValue value = StoredValue.of(slot, deadline, envelope);
        String full = "not written";
        try {
            full = shelf.map.put(key, value);
        } finally {
            if (full != null) {
                if (!replaces && !mapFindsSlot) {
                    shelf.table.release(slot);
                }
                shelf.budget.undo(need.group, need.oldCharge, charge);
            }
        }
        if (full == null) {
            if (replaces) {
                shelf.table.replace(slot, charge, expiry);
            } else if (mapFindsSlot) {
                shelf.table.begin(value.slot, key.high, key.low, charge, expiry, need.group);
            }
            shelf.confirmed(value.slot);
            return StoreOutcome.APPLIED;
        }
        if (replaces) {
            shelf.removeLocked(key, slot);
        }
        // One segment is full, or in pieces, though the whole is not.
        LOG.debug("local tier segment full reason={}", full);
        shelf.counters.segmentsFull.inc();
        need.segmentIsFull = true;
        return null;
    }
}
