package dev.terrace.spi;

import java.time.Duration;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Says who of a fleet asks the origin for a key. Thread-safe; stages complete normally, within a deadline of the store.
 *
 * <p>A lease runs out by itself, so an owner that dies, freezes or is cut off wedges nothing; and it is best effort: a store that
 * restarts or fails over may grant one twice. Nothing but the number of calls of an origin may depend on it, never what a cache
 * answers: that is decided by {@linkplain Version versions}. The idea is that of R. Nishtala et al., "Scaling Memcache at Facebook",
 * NSDI 2013, section 3.2.1.
 */
public interface LeaseStore {
    /** Claims a lease, or claims it again for its owner. */
    CompletionStage<Claimed> claim(Claim claim);

    /**
     * Keeps a lease for {@code keep} from now on.
     *
     * @return {@link Claimed.Granted}, {@link Claimed.Held} when it is another's or nobody's by now, or {@link Claimed.Unavailable}
     */
    CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep);

    /** Gives a lease back, if it still is the owner's. */
    CompletionStage<Released> release(CacheKey key, String owner);

    /**
     * A wish for a lease.
     *
     * @param key what is to be loaded
     * @param owner names this very load, of all nodes and ever; at most 200 ASCII characters
     * @param keep when it runs out unless it is renewed
     * @param seen the newest version that the search before found, {@link Version#ZERO} for nothing at all: should the store hold
     *     something newer, there is nothing to be loaded yet. Null to claim the lease whatever is held
     */
    record Claim(
            CacheKey key,
            String owner,
            Duration keep,
            @Nullable Version seen) {}

    /** The answer to a claim. */
    sealed interface Claimed {
        /** The claimant has it. */
        record Granted() implements Claimed {}

        /**
         * Somebody else has it, who is told on release that others wait.
         *
         * @param owner who; empty for nobody
         * @param left until it runs out, unless it is renewed
         */
        record Held(String owner, Duration left) implements Claimed {}

        /**
         * What is held is newer than what was seen: look again.
         *
         * @param held its version, by which to claim again if it turns out to be of no use
         */
        record Changed(Version held) implements Claimed {}

        /** The store could not say. */
        record Unavailable(Unavailability cause, String detail) implements Claimed {}
    }

    /** The answer to a release. */
    enum Released {
        /** Given back; nobody asked for it meanwhile. */
        UNWANTED,
        /** Given back; somebody asked for it meanwhile and is waiting. */
        WANTED,
        /** It was another's or nobody's. */
        NOT_HELD,
        /** The store could not say; it runs out by itself. */
        UNAVAILABLE
    }
}
