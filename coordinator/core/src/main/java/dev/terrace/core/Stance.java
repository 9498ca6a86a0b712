package dev.terrace.core;

import dev.terrace.api.ReadOnlyException;
import dev.terrace.api.RejectedException;
import dev.terrace.api.Rung;
import java.time.Duration;

/**
 * What one cache does on the rung where the node stands. Immutable.
 *
 * @param rung the rung, as far as the cache goes down at all
 * @param cause why the node is there
 * @param retryAfter when what is refused now may be tried again
 * @param directMillis longest wait for the origin on {@link Rung#DIRECT}
 */
record Stance(Rung rung, String cause, Duration retryAfter, long directMillis) {
    /** All is well. */
    static final Stance NORMAL = new Stance(Rung.NORMAL, "", Duration.ZERO, Long.MAX_VALUE);

    /** The same, for a cache that goes no further down than {@code most}. */
    Stance atMost(Rung most) {
        return rung.isWorseThan(most) ? new Stance(most, cause, retryAfter, directMillis) : this;
    }

    /** How long callers wait for a loader that they would give {@code millis}. */
    long waitMillis(long millis) {
        return rung == Rung.DIRECT ? Math.min(millis, directMillis) : millis;
    }

    /** True when writes that reach the origin go on, and others do not. */
    boolean writesToOriginOnly() {
        return rung == Rung.DIRECT;
    }

    /** True when what L1 holds as fresh is answered as such. */
    boolean usesCopies() {
        return !rung.isWorseThan(Rung.READ_ONLY);
    }

    /** True when a stale value is answered before the origin is asked. */
    boolean prefersStale() {
        return rung == Rung.READ_ONLY;
    }

    /** Throws when reads are refused. */
    void admitRead(String cache) {
        if (rung == Rung.REJECT) {
            throw rejected(cache, "read of");
        }
    }

    /** Throws when writes are refused. */
    void admitWrite(String cache) {
        if (rung == Rung.REJECT) {
            throw rejected(cache, "write to");
        }
        if (rung.isWorseThan(Rung.LOCAL_ONLY)) {
            throw new ReadOnlyException(
                    "write to cache '" + cache + "' was refused: the node is on rung " + rung.text() + " (" + cause
                            + "); nothing was changed",
                    "try again later; 'terrace ladder show' says what would lift it");
        }
    }

    private RejectedException rejected(String cache, String what) {
        return new RejectedException(
                what + " cache '" + cache + "' was refused: the node is on rung " + rung.text() + " (" + cause + ")",
                retryAfter);
    }
}
