package dev.terrace.spi;

import java.util.concurrent.CompletionStage;

/** A tier or zone that can lengthen the life of what it holds without being sent the value again. */
public interface Prolonging {
    /** What became of a life that was to be lengthened. */
    enum Prolonged {
        /** It ends with the entry, or later. */
        DONE,
        /** Something newer is held. */
        REPLACED,
        /** That version is not held, nor anything newer. */
        NOT_HELD,
        /** There was no answer. */
        UNAVAILABLE
    }

    /**
     * Makes what is held end when {@code entry} does, if it is the same version of the same key and ends sooner. Its version stays, so
     * that whatever was to replace it still does. One step, against any number of concurrent writers. Completes normally.
     *
     * @param entry a whole copy of what is held, with other times
     */
    CompletionStage<Prolonged> prolong(Entry entry);
}
