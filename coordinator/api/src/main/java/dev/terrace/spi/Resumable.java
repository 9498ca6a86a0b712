package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** A {@link Backplane} that can go on where an earlier process stopped. Thread-safe. */
public interface Resumable {
    /** Everything up to here has been heard, and done by the listener. Null before that is known. */
    @Nullable
    String bookmark();

    /**
     * Goes on from a bookmark of an earlier process, instead of from the end: what was appended since is heard first, this node's own
     * notices too. When some of it is gone, that is a gap. To be called before {@link Backplane#start}.
     */
    void resumeFrom(String bookmark);
}
