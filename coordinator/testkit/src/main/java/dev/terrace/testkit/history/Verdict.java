package dev.terrace.testkit.history;

import java.util.ArrayList;
import java.util.List;

/** What a checker says of a history. Immutable. */
public sealed interface Verdict {
    /**
     * The promise was kept.
     *
     * @param judged how many operations were judged
     * @param skipped how many could not be, for want of a version or of a known writer
     */
    record Holds(int judged, int skipped) implements Verdict {
        @Override
        public String toString() {
            return "holds (" + judged + " judged, " + skipped + " skipped)";
        }
    }

    /**
     * The promise was broken.
     *
     * @param violations at least one, and not necessarily all
     */
    record Violated(List<Violation> violations) implements Verdict {
        private static final int MOST_PRINTED = 10;

        /** Copies the list. */
        public Violated {
            violations = List.copyOf(violations);
            if (violations.isEmpty()) {
                throw new IllegalArgumentException("violated by nothing");
            }
        }

        @Override
        public String toString() {
            StringBuilder text = new StringBuilder("violated (" + violations.size() + ")\n");
            violations.stream()
                    .limit(MOST_PRINTED)
                    .forEach(violation -> text.append(violation).append('\n'));
            return violations.size() > MOST_PRINTED ? text.append("...\n").toString() : text.toString();
        }
    }

    /**
     * The checker could not say within its limits, or the history is not of the kind it understands.
     *
     * @param reasons why, a sentence per key
     */
    record Undecided(List<String> reasons) implements Verdict {
        /** Copies the list. */
        public Undecided {
            reasons = List.copyOf(reasons);
        }

        @Override
        public String toString() {
            return "undecided: " + String.join("; ", reasons);
        }
    }

    /** True for {@link Holds}. */
    default boolean holds() {
        return this instanceof Holds;
    }

    /** True for {@link Violated}. */
    default boolean isViolated() {
        return this instanceof Violated;
    }

    /** The violations; empty unless {@link Violated}. */
    default List<Violation> violations() {
        return List.of();
    }

    /**
     * Asks for {@link Holds}.
     *
     * @throws AssertionError with the whole verdict for people, otherwise
     */
    default void require() {
        if (!holds()) {
            throw new AssertionError(toString());
        }
    }

    /** Violated if one is, else undecided if one is, else holds. */
    static Verdict all(List<Verdict> verdicts) {
        List<Violation> violations = new ArrayList<>();
        List<String> reasons = new ArrayList<>();
        int judged = 0;
        int skipped = 0;
        for (Verdict verdict : verdicts) {
            violations.addAll(verdict.violations());
            if (verdict instanceof Undecided undecided) {
                reasons.addAll(undecided.reasons());
            } else if (verdict instanceof Holds holds) {
                judged += holds.judged();
                skipped += holds.skipped();
            }
        }
        if (!violations.isEmpty()) {
            return new Violated(violations);
        }
        return reasons.isEmpty() ? new Holds(judged, skipped) : new Undecided(reasons);
    }
}
