package dev.terrace.spi;

import java.util.concurrent.CompletionStage;

/** A tier or zone that can be tried without touching anybody's entries. Thread-safe. */
public interface Probed {
    /**
     * Writes something that means nothing to where entries lie, and reads it back. Completes normally, and within the
     * deadline of a call: with an empty text when that worked, else with why it did not.
     */
    CompletionStage<String> probe();
}
