package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** What nodes tell each other. Idempotent: hearing one twice, late or out of order does no harm, because versions decide. */
public sealed interface Notice {
    /** Who says so. */
    long node();

    /**
     * A key was written or invalidated: copies older than {@code version} are no longer current.
     *
     * @param confirm whether the writer waits until all nodes have heard it
     */
    record Changed(long node, CacheKey key, Version version, boolean confirm) implements Notice {}

    /**
     * Everything of a cache, or with a tag, that is not newer than {@code version} is gone.
     *
     * @param tag null for the whole cache
     */
    record Marker(long node, String cache, @Nullable String tag, Version version, boolean confirm) implements Notice {}

    /**
     * A sign of life. A node that hears its own beat back has heard everything that was appended before it sent that beat, and
     * may trust its copies for {@code leaseMillis} from the sending, by its own clock.
     *
     * @param number counts this node's beats
     * @param heardUpTo position in the same channel up to which the node had heard, and acted on, everything when it sent this
     * @param leaseMillis how long the node may trust its copies on the strength of this beat
     * @param leaving true for the last one: the node trusts nothing any more
     */
    record Beat(long node, long number, long heardUpTo, long leaseMillis, boolean leaving) implements Notice {}

    /**
     * A program outside Terrace changed or removed what a tier holds for {@code key}: no version says which copies are current,
     * so a copy is used only after that tier confirmed it. Never takes a position of its own in the channel.
     *
     * @param node who noticed
     */
    record External(long node, CacheKey key) implements Notice {}
}
