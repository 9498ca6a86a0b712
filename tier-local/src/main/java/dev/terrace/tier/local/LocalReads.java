package dev.terrace.tier.local;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads of L1, on the caller's thread, without a lock and without allocating. Thread-safe. */
final class LocalReads {
    private static final Logger LOG = LoggerFactory.getLogger(LocalReads.class);

    private final Shelf shelf;

    LocalReads(Shelf shelf) {
        this.shelf = shelf;
    }

    boolean read(KeyBuffer key, EnvelopeView into) {
        if (!find(key.array(), key.length(), key.nameLength(), into)) {
            return false;
        }
        if (!into.isFor(key)) {
            shelf.counters.collisions.inc();
            return false;
        }
        return true;
    }

    Lookup lookUp(CacheKey key) {
        if (shelf.isClosed()) {
            return new Lookup.Unavailable(TierLevel.L1, Unavailability.CLOSED, "the local tier is closed");
        }
        EnvelopeView view = new EnvelopeView();
        if (!find(key.nameAndKey(), key.nameAndKey().length, key.nameLength(), view)) {
            return Lookup.MISS;
        }
        if (!view.isFor(key)) {
            shelf.counters.collisions.inc();
            return Lookup.MISS;
        }
        return Envelope.decode(view) instanceof Envelope.Sound sound ? new Lookup.Hit(sound.entry()) : Lookup.MISS;
    }

    private boolean find(byte[] nameAndKey, int length, int nameLength, EnvelopeView into) {
        try {
            return locate(nameAndKey, length, nameLength, into);
        } catch (InternalError late) {
            shelf.counters.errors.inc();
            return false;
        }
    }

    /** Finds the entry under the hash of the key, in its time and sound, but perhaps another key's. */
    private boolean locate(byte[] nameAndKey, int length, int nameLength, EnvelopeView into) {
        ReadScratch mine = shelf.readers.mine();
        boolean damaged = false;
        mine.enter();
        try {
            if (shelf.isClosed()) {
                return false;
            }
            shelf.hash(nameAndKey, length, nameLength, mine.hash);
            // Straight into the view's own array, so that a nested read through another view cannot disturb it.
            mine.value.envelope = into.array();
            // First: what is confirmed from here on may have been replaced long ago, and be dropped before that.
            Doubts doubts = shelf.doubts();
            if (!shelf.map.get(mine.key.set(mine.hash[0], mine.hash[1]), mine.value)) {
                return false;
            }
            boolean doubted = doubts != null && mine.value.slot != StoredValue.NO_SLOT;
            if (doubts != null && doubted && !doubts.isSet(mine.value.slot)) {
                // It was never doubted, or was dropped or replaced since it was read; what is found now is what came
                // after.
                int slot = mine.value.slot;
                if (!shelf.map.get(mine.key, mine.value)) {
                    return false;
                }
                doubted = mine.value.slot != slot;
            }
            long now = shelf.clock.millis();
            if (now >= mine.value.deadlineMillis) {
                return false;
            }
            // The checksum covers the envelope, not the prefix: its slot must at least exist, and its deadline is
            // believed only as far as the envelope's own.
            damaged = !shelf.table.exists(mine.value.slot) || into.wrap(mine.value.envelope, mine.value.length) != null;
            if (!damaged && now >= into.staleUntilMillis()) {
                return false;
            }
            if (!damaged && doubted && !answersAsStale(into)) {
                return false;
            }
            if (!damaged) {
                shelf.table.touch(mine.value.slot, mine.reads++);
                into.readAt(now);
                return true;
            }
        } catch (RuntimeException | InternalError e) {
            // Whatever a map throws must not reach a caller; to them it is a miss. The error is how the JVM tells
            // of a
            // page of a mapped file that its disk does not give, perhaps a little later.
            shelf.counters.errors.inc();
            LOG.warn("local tier read failed", e);
            return false;
        } finally {
            mine.leave();
        }
        shelf.counters.corrupt.inc();
        shelf.remove(mine.hash[0], mine.hash[1]);
        return false;
    }

    /** What an earlier process left may have been replaced since: true when it may be answered, and then not as fresh. */
    private static boolean answersAsStale(EnvelopeView view) {
        if (view.kind() == EntryKind.TOMBSTONE) {
            return true;
        }
        if (view.staleUntilMillis() <= view.freshUntilMillis()) {
            return false;
        }
        view.expire();
        return true;
    }
}
