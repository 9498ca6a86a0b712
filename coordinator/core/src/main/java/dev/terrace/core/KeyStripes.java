package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.concurrent.locks.ReentrantLock;

/** Locks shared by keys. Held for one store into L1 and nothing that waits. */
final class KeyStripes {
    private final Stripe[] stripes = new Stripe[256];

    KeyStripes() {
        for (int i = 0; i < stripes.length; i++) {
            stripes[i] = new Stripe();
        }
    }

    Stripe of(CacheKey key) {
        int spread = key.hashCode() * 0x9E3779B9;
        return stripes[spread >>> 24];
    }

    /** Whoever held a stripe when this was called has let go of it when this returns; all count as written. */
    void passAll(Version upTo) {
        for (Stripe stripe : stripes) {
            stripe.lock();
            try {
                stripe.noteWrite(upTo);
            } finally {
                stripe.unlock();
            }
        }
    }

    /** A lock, and how many writes it has seen. */
    static final class Stripe extends ReentrantLock {
        private static final long serialVersionUID = 1L;

        /** Guarded by this lock. */
        private long writes;

        /** Changes of copies, fills included; guarded by this lock. */
        private long touches;

        /**
         * Of what was written here or heard of from other nodes; guarded by this lock. In two halves, because each write changes it: an old
         * object that gets to know a new one is work for the collector.
         */
        private long newestClock = Version.ZERO.clock();

        private long newestNode = Version.ZERO.node();

        /**
         * Notes a write, here or elsewhere; the caller holds the lock.
         *
         * @return false when something newer was written, perhaps to another key of the stripe
         */
        boolean noteWrite(Version version) {
            noteWrite();
            int order = Long.compareUnsigned(version.clock(), newestClock);
            boolean isNewest = order > 0 || order == 0 && Long.compareUnsigned(version.node(), newestNode) > 0;
            if (isNewest) {
                newestClock = version.clock();
                newestNode = version.node();
            }
            return isNewest;
        }

        /** Notes a write; the caller holds the lock. */
        void noteWrite() {
            writes++;
            touches++;
        }

        /** Notes that a copy may change that nobody wrote here; the caller holds the lock. */
        void noteFill() {
            touches++;
        }

        /** How many changes there were; takes the lock, so that none is under way. */
        long touches() {
            lock();
            try {
                return touches;
            } finally {
                unlock();
            }
        }

        /** How many writes there were; takes the lock. */
        long writes() {
            lock();
            try {
                return writes;
            } finally {
                unlock();
            }
        }
    }
}
