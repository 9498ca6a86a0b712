package dev.terrace.core;

import dev.terrace.config.LoadingRules;
import org.jspecify.annotations.Nullable;

/**
 * A flight whose load somebody has taken upon himself.
 *
 * @param rules how long its callers wait
 * @param within the load whose loader asks for it and waits; null for callers that are no loaders, and for what nobody waits for
 */
record Claim(Flight flight, LoadingRules rules, @Nullable Load within) {
    /** As for nobody who waits. */
    Claim inBackground() {
        return within == null ? this : new Claim(flight, rules, null);
    }
}
