package dev.terrace.spi;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** A tier that seals what it holds with keys of its own. Thread-safe. */
public interface KeyHolder {
    /** What keys there are; null when nothing is encrypted. Does not block. */
    @Nullable
    KeyReport keys();

    /**
     * Makes a new key of {@code purpose}, {@code data} or {@code signing}, which seals or signs everything from now on; what is old is still read with
     * the old one, and nothing is rewritten. Completes normally: with an empty text when that is on disk, else with why not.
     *
     * @param by who asked for it, to be remembered with the key; at most 255 bytes of UTF-8 are
     */
    CompletionStage<String> rotateKey(String purpose, String by);
}
