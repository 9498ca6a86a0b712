package dev.terrace.benchmarks;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** A table of what was measured beside what is wanted. For one thread. */
final class Targets {
    private final List<String> lines = new ArrayList<>();
    private int missed;

    /** @param target the least that is wanted */
    void atLeast(String what, double value, double target) {
        add(what, value, ">=", target, value >= target);
    }

    /** @param target the most that is wanted */
    void atMost(String what, double value, double target) {
        add(what, value, "<=", target, value <= target);
    }

    /** Something worth knowing for which there is no target. */
    void note(String what, double value) {
        lines.add(String.format(Locale.ROOT, "%-74s %9.2f", what, value));
    }

    private void add(String what, double value, String relation, double target, boolean met) {
        missed += met ? 0 : 1;
        lines.add(String.format(
                Locale.ROOT, "%-74s %9.2f  %s %-7.2f %s", what, value, relation, target, met ? "met" : "MISSED"));
    }

    /** Prints all, and how busy the machine is. */
    void print(String title) {
        System.out.printf("%n%s%n", title);
        lines.forEach(System.out::println);
        System.out.printf("%s; %s%n", missed == 0 ? "all targets met" : missed + " targets missed", Figures.load());
    }
}
