package dev.terrace.testkit.history;

import java.util.Objects;

/**
 * A promise that a history breaks. Immutable.
 *
 * @param key the key it is about
 * @param reason what is wrong, in a sentence
 * @param evidence the operations that show it, and no more than are needed; empty when it is not about operations
 */
public record Violation(String key, String reason, History evidence) {
    /** Checks that nothing is missing. */
    public Violation {
        Objects.requireNonNull(key, "key");
        Objects.requireNonNull(reason, "reason");
        Objects.requireNonNull(evidence, "evidence");
    }

    /** The reason and a timeline of the evidence. */
    @Override
    public String toString() {
        return "key '" + key + "': " + reason + "\n" + evidence;
    }
}
