package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.CacheKey;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What is resident: the map, the table of its slots and the budget, which change together, and how an entry leaves them. Thread-safe.
 *
 * <p>Writers of one key hold its lock stripe. Nothing touches native memory once this is closed: writers see {@link #isClosed()} under
 * their stripe, readers announce themselves in their {@link ReadScratch}, and {@link #close()} waits for both.
 */
final class Shelf implements AutoCloseable {
    final InstantSource clock;
    final MapShape shape;
    final EntryMap map;
    final SlotTable table;
    final Budget budget;
    final Groups groups;
    final Stripes stripes = new Stripes();
    final Readers readers = new Readers();
    final LocalCounters counters;
    private final KeyHash hash;
    private final long baseMillis;
    private volatile @Nullable Doubts doubts;
    private volatile boolean closed;

    Shelf(
            LocalCacheSettings settings,
            Groups groups,
            InstantSource clock,
            LocalCounters counters,
            KeyHash hash,
            MapShape shape,
            EntryMap map) {
        this.clock = clock;
        this.hash = hash;
        this.counters = counters;
        this.groups = groups;
        this.shape = shape;
        this.map = map;
        this.table = new SlotTable(map.ownSlots(), shape.entries(), settings.evictionPolicy(), groups, clock.millis());
        this.budget = new Budget(groups, shape.entries(), shape.liveBytes());
        this.baseMillis = clock.millis();
    }

    /** What an earlier process left is here, and not to be believed yet. Before anything else is called. */
    void doubt(Doubts left) {
        doubts = left;
    }

    /** Nothing is doubted any more. */
    void believe() {
        doubts = null;
    }

    /** What is not to be believed yet; null when everything is. A reader asks before it asks the map. */
    @Nullable
    Doubts doubts() {
        return doubts;
    }

    /** Whether what is in the slot may have been replaced while no process was there. */
    boolean isUnconfirmed(int slot) {
        Doubts known = doubts;
        return known != null && table.exists(slot) && known.isSet(slot);
    }

    /** What is in the slot now is of this process, or nothing. */
    void confirmed(int slot) {
        Doubts known = doubts;
        if (known != null) {
            known.clear(slot);
        }
    }

    long unconfirmed() {
        Doubts known = doubts;
        return known == null ? 0 : known.count();
    }

    boolean isClosed() {
        return closed;
    }

    void hash(byte[] nameAndKey, int length, int nameLength, long[] into) {
        hash.hash(nameAndKey, length, nameLength, into);
    }

    HashKey hashOf(CacheKey key) {
        long[] halves = new long[2];
        hash(key.nameAndKey(), key.nameAndKey().length, key.nameLength(), halves);
        return new HashKey().set(halves[0], halves[1]);
    }

    /** On the clock of {@link SlotTable}'s expiry times. */
    int secondsNow() {
        return (int) ((clock.millis() - baseMillis) / 1000);
    }

    /** The same for a deadline, rounded up. */
    int secondsAt(long deadlineMillis) {
        return (int) Math.min(Integer.MAX_VALUE, (deadlineMillis - baseMillis) / 1000 + 1);
    }

    /** Removes whatever is held under a hash. */
    void remove(long high, long low) {
        ReentrantLock stripe = stripes.of(low);
        stripe.lock();
        try {
            if (!closed) {
                HashKey key = new HashKey().set(high, low);
                StoredValue held = new StoredValue();
                if (map.get(key, held)) {
                    removeLocked(key, held.slot);
                }
            }
        } finally {
            stripe.unlock();
        }
    }

    /** The caller holds the stripe of {@code key}. */
    void removeLocked(HashKey key, int slot) {
        boolean ownsSlots = map.ownSlots() != null;
        if (!ownsSlots) {
            map.remove(key, slot);
        }
        if (owns(slot, key)) {
            // The slot before the budget: whoever is granted an entry by that must find a free slot.
            int charge = table.chargeOf(slot);
            int group = table.groupOf(slot);
            confirmed(slot);
            table.release(slot);
            if (ownsSlots) {
                // From here on the slot is another's, perhaps.
                map.remove(key, slot);
            }
            budget.release(group, charge);
        } else if (ownsSlots) {
            map.remove(key, slot);
        }
    }

    /** As {@link #removeLocked}, of what the slot is known to hold, and counts why. */
    void evictLocked(HashKey key, int slot, EvictionCause cause) {
        int group = table.groupOf(slot);
        removeLocked(key, slot);
        budget.evicted(group, cause);
        counters.evicted(cause).inc();
    }

    /** See {@link EntryMap#inTheWay}. */
    int @Nullable [] inTheWay(HashKey key, int charge, IntPredicate mayGo) {
        ReentrantLock stripe = stripes.of(key.low);
        stripe.lock();
        try {
            return closed ? new int[0] : map.inTheWay(key, charge, slot -> table.exists(slot) && mayGo.test(slot));
        } finally {
            stripe.unlock();
        }
    }

    /** See {@link EntryMap#compact}. */
    void compact(HashKey key) {
        ReentrantLock stripe = stripes.of(key.low);
        stripe.lock();
        try {
            if (!closed) {
                map.compact(key);
            }
        } finally {
            stripe.unlock();
        }
    }

    /** See {@link EntryMap#beside}. */
    List<EntryMap.Resident> beside(HashKey key) {
        ReentrantLock stripe = stripes.of(key.low);
        stripe.lock();
        try {
            return closed ? List.of() : map.beside(key);
        } finally {
            stripe.unlock();
        }
    }

    /** Whether a slot number, which may be damaged, is that of the key. */
    boolean owns(int slot, HashKey key) {
        return table.exists(slot) && table.holds(slot, key);
    }

    /**
     * Removes what the slot holds now.
     *
     * @param cause why, which is counted; with {@link EvictionCause#EXPIRED} it is looked again under the stripe: a writer may have put
     *     something new under the same key since the sweeper looked
     */
    boolean removeSlot(int slot, EvictionCause cause) {
        HashKey key = new HashKey();
        table.keyOf(slot, key);
        ReentrantLock stripe = stripes.of(key.low);
        stripe.lock();
        try {
            return evictHeld(slot, key, cause);
        } finally {
            stripe.unlock();
        }
    }

    /** The same for who holds a stripe already, and so may not wait for another: false when that is taken. */
    boolean tryRemoveSlot(int slot, EvictionCause cause) {
        HashKey key = new HashKey();
        table.keyOf(slot, key);
        ReentrantLock stripe = stripes.of(key.low);
        if (!stripe.tryLock()) {
            return false;
        }
        try {
            return evictHeld(slot, key, cause);
        } finally {
            stripe.unlock();
        }
    }

    /** The caller holds the stripe of {@code key}. */
    private boolean evictHeld(int slot, HashKey key, EvictionCause cause) {
        if (closed
                || !table.holds(slot, key)
                || cause == EvictionCause.EXPIRED && !table.isExpired(slot, secondsNow())) {
            return false;
        }
        evictLocked(key, slot, cause);
        return true;
    }

    /** Address space that the map has reserved, more than what it has touched. */
    long reservedBytes() {
        // Reads native memory for this; under a stripe, like a writer.
        ReentrantLock stripe = stripes.any();
        stripe.lock();
        try {
            return closed ? 0 : map.reservedBytes();
        } finally {
            stripe.unlock();
        }
    }

    /** Of that, what really lies in memory; {@link ResidentPages#UNKNOWN} where the system does not say. */
    long residentBytes() {
        long sum = 0;
        int tiers = tiers();
        for (int tier = 0; tier < tiers; tier++) {
            ReentrantLock stripe = stripes.any();
            stripe.lock();
            try {
                long here = closed ? 0 : map.pages().residentBytes(tier);
                if (here == ResidentPages.UNKNOWN) {
                    return here;
                }
                sum += here;
            } finally {
                stripe.unlock();
            }
        }
        return sum;
    }

    /** Moves what is in a part of the map together; others read and write between the pieces. */
    void tighten(int tier) {
        int next = 0;
        while (next >= 0) {
            ReentrantLock stripe = stripes.any();
            stripe.lock();
            try {
                next = closed ? -1 : map.pages().tighten(tier, next);
            } finally {
                stripe.unlock();
            }
        }
    }

    /** How many parts {@link EntryMap.Pages#release} has to look at. */
    int tiers() {
        ReentrantLock stripe = stripes.any();
        stripe.lock();
        try {
            return closed ? 0 : map.pages().tiers();
        } finally {
            stripe.unlock();
        }
    }

    /** Gives the memory back when the last reader and the last writer are gone. The first call does it. */
    @Override
    public void close() {
        boolean[] first = new boolean[1];
        stripes.lockAll(() -> {
            first[0] = !closed;
            closed = true;
        });
        if (first[0]) {
            map.close(readers.awaitLast());
        }
    }
}
