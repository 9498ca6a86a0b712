package dev.terrace.config;

import dev.terrace.api.TerraceException;
import java.util.List;
import java.util.stream.Collectors;

/** A settings file has problems: all of them, in the order of their lines. Fix the file. */
public final class InvalidSettingsException extends TerraceException {
    private static final long serialVersionUID = 1L;

    private final transient List<Problem> problems;

    /** Collects the problems of one source. */
    public InvalidSettingsException(String source, List<Problem> problems) {
        super(
                source + " has " + problems.size() + (problems.size() == 1 ? " problem" : " problems") + ":\n"
                        + problems.stream()
                                .map(problem -> "  " + problem.in(source))
                                .collect(Collectors.joining("\n")),
                "",
                null);
        this.problems = List.copyOf(problems);
    }

    /** Everything that is wrong. */
    public List<Problem> problems() {
        return problems == null ? List.of() : problems;
    }
}
