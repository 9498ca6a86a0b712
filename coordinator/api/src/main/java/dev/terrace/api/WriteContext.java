package dev.terrace.api;

import dev.terrace.spi.Version;

/**
 * What a {@link Writer} is told besides key and value.
 *
 * @param version orders the writes of a key, across nodes as far as their clocks agree, and never repeats. An origin that keeps it
 *     and refuses older ones is safe from calls that arrive twice, late, or from another node
 * @param attempt 1 for the first call; more when the write is tried again. A restart begins anew
 */
public record WriteContext(Version version, int attempt) {
    /** The same text for each attempt of one write, and for no other write: what origins call an idempotency key. */
    public String token() {
        return version.toString();
    }
}
