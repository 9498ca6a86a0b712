package dev.terrace.core;

import java.time.Duration;

/**
 * What a cache promises about copies on this node after another node wrote.
 *
 * @param kind how strong
 * @param boundNanos how old this node's knowledge may be for a copy to be answered as fresh; the lease when strict
 */
record Promise(Kind kind, long boundNanos) {
    /** How strong a promise is. */
    enum Kind {
        /** Copies are trusted always and dropped when a notice comes. */
        EVENTUAL,
        /** Copies are trusted while this node has heard everything up to a short while ago. */
        BOUNDED,
        /** As bounded by a lease, and writers wait until no node trusts an older copy. */
        STRICT
    }

    /** Of strict caches that set none. */
    static final Duration LEASE = Duration.ofSeconds(1);

    static final Promise EVENTUAL = new Promise(Kind.EVENTUAL, Long.MAX_VALUE);

    static Promise bounded(Duration bound) {
        return new Promise(Kind.BOUNDED, bound.toNanos());
    }

    /** Whoever trusts a copy by a lease gives it up a sixteenth early: clocks of two machines do not tick alike. */
    static Promise strict(Duration lease) {
        return new Promise(Kind.STRICT, lease.toNanos() - lease.toNanos() / 16);
    }

    boolean isStrict() {
        return kind == Kind.STRICT;
    }

    boolean isEventual() {
        return kind == Kind.EVENTUAL;
    }

    /** The one that is harder to keep. */
    Promise tighter(Promise other) {
        return other.boundNanos < boundNanos ? other : this;
    }
}
