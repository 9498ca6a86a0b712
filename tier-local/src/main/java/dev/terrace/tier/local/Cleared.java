package dev.terrace.tier.local;

import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Caches that were cleared: markers hide what they held at once, this gives the space back. One walk over the slots frees what is left of
 * all caches that were waiting when it began; what is cleared meanwhile waits for the next walk, of each cache only the newest, so that
 * neither grows with the number of clears. {@link #add} is thread-safe; one thread calls {@link #free}.
 */
final class Cleared {
    private static final Logger LOG = LoggerFactory.getLogger(Cleared.class);

    /** Slots that are passed over between two looks at the time; one less than a power of two. */
    private static final int PASSED = (1 << 12) - 1;

    private final Shelf shelf;
    private final ConcurrentHashMap<String, Version> waiting = new ConcurrentHashMap<>();
    private final Map<String, Version> walking = new HashMap<>();
    private final HashKey key = new HashKey();
    private int next;

    Cleared(Shelf shelf) {
        this.shelf = shelf;
    }

    /** From now on entries of {@code cache} that are not newer than {@code upTo} may go. */
    void add(String cache, Version upTo) {
        waiting.merge(cache, upTo, (one, other) -> other.isNewerThan(one) ? other : one);
    }

    /** Walks on for about so long, but not beyond the end of a walk. */
    void free(long nanos) {
        if (walking.isEmpty()) {
            begin();
        }
        if (walking.isEmpty()) {
            return;
        }
        // Of one turn: it may become as large as the largest entry.
        StoredValue stored = new StoredValue();
        EnvelopeView view = new EnvelopeView();
        long began = System.nanoTime();
        int end = shelf.table.highWater();
        while (next < end && !shelf.isClosed()) {
            int slot = next++;
            boolean looks = mayBeCleared(slot);
            if (looks) {
                look(slot, stored, view);
            }
            if ((looks || (slot & PASSED) == PASSED) && System.nanoTime() - began >= nanos) {
                return;
            }
        }
        walking.clear();
    }

    private void begin() {
        next = 0;
        waiting.forEach((cache, upTo) -> {
            // If a newer one has just come, it waits, and this one is as good as done.
            if (waiting.remove(cache, upTo)) {
                walking.put(cache, upTo);
            }
        });
    }

    /** Most slots are passed over by this: to look into an entry takes a copy of it. */
    private boolean mayBeCleared(int slot) {
        if (!shelf.table.isResident(slot)) {
            return false;
        }
        String cache = shelf.groups.cacheOf(shelf.table.groupOf(slot));
        return cache == null || walking.containsKey(cache);
    }

    private void look(int slot, StoredValue stored, EnvelopeView view) {
        shelf.table.keyOf(slot, key);
        ReentrantLock stripe = shelf.stripes.of(key.low);
        stripe.lock();
        try {
            if (!shelf.isClosed()
                    && shelf.table.holds(slot, key)
                    && shelf.map.get(key, stored)
                    && view.wrap(stored.envelope, stored.length) == null
                    && isCleared(view)) {
                shelf.evictLocked(key, slot, EvictionCause.CLEARED);
            }
        } catch (RuntimeException | InternalError unreadable) {
            // It stays until it is evicted; the others need not.
            shelf.counters.errors.inc();
            LOG.warn("an entry that may be cleared cannot be read", unreadable);
        } finally {
            stripe.unlock();
        }
    }

    private boolean isCleared(EnvelopeView view) {
        Version upTo =
                walking.get(new String(view.array(), Envelope.HEADER_BYTES, view.nameLength(), StandardCharsets.UTF_8));
        return upTo != null && !view.version().isNewerThan(upTo);
    }
}
