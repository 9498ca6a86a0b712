package dev.terrace.spi;

/**
 * Hears which keys of the remote tier were changed by anybody, programs outside Terrace included. What it hears of is not what
 * changed, only that something may have; a value is never taken from it. Thread-safe.
 */
public interface KeyWatch extends AutoCloseable {
    /** What people call it: {@code watch}, or {@code watch-} and a zone's name. */
    String name();

    /** Begins to listen, in the background. Called once. */
    void start(Listener listener);

    /** Why some part of the tier is not listened to at present; empty while all is well. */
    String trouble();

    /** Stops listening. Idempotent. */
    @Override
    void close();

    /** Hears a watch. Called by its threads, several of them when it listens to several servers; must not block. */
    interface Listener {
        /** What the tier holds for {@code key} was written, removed or dropped, by Terrace or by another program. */
        void changed(CacheKey key);

        /**
         * Changes of any keys may have been missed up to now; those from now on will be told, until the next gap. Also called when
         * listening begins.
         *
         * @param why for people
         */
        void gap(String why);
    }
}
