package dev.terrace.core;

import java.time.Duration;

/** How long calls may take before they are given up, which should have ended by themselves. */
final class Patience {
    private Patience() {}

    /** For a call of a tier that ends by itself within {@code timeout}. */
    static Duration outer(Duration timeout) {
        return timeout.multipliedBy(2);
    }

    /** For an operation over several zones: up to three rounds, each within a zone's own {@code timeout}. */
    static Duration rounds(Duration timeout) {
        return timeout.multipliedBy(3);
    }
}
