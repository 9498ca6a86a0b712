package dev.terrace.node.drill;

import java.util.List;

/** Types commands of {@code terrace}, as a person on call would. */
@FunctionalInterface
public interface Operator {
    /**
     * How a command ended.
     *
     * @param exitCode 0 when all is well
     * @param out what it printed
     * @param err what it complained of
     */
    record Ended(int exitCode, String out, String err) {}

    /** Runs a command to its end. */
    Ended type(List<String> words);
}
