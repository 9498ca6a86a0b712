package dev.terrace.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.nodes.Node;

/** The state of reading one file: problems so far, the paths it sets, the environment. */
final class Reading {
    private static final Pattern REFERENCE = Pattern.compile("\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?}");

    private final Map<String, String> environment;
    private final List<Problem> problems = new ArrayList<>();
    private final Set<String> explicit = new LinkedHashSet<>();

    Reading(Map<String, String> environment) {
        this.environment = environment;
    }

    void problem(String path, @Nullable Node node, String value, String message, String suggestion) {
        int line = node == null ? 0 : node.getStartMark().getLine() + 1;
        problems.add(new Problem(path, line, value, message, suggestion));
    }

    /** In the order of their lines. */
    List<Problem> problems() {
        return problems.stream().sorted(Comparator.comparingInt(Problem::line)).toList();
    }

    void sets(String path) {
        explicit.add(path);
    }

    Set<String> explicit() {
        return explicit;
    }

    /** Replaces {@code ${NAME}} and {@code ${NAME:default}}; null, with a problem, when a name is not set. */
    @Nullable
    String resolve(String path, Node node, String text) {
        Matcher reference = REFERENCE.matcher(text);
        StringBuilder resolved = new StringBuilder();
        while (reference.find()) {
            String value = environment.getOrDefault(reference.group(1), reference.group(2));
            if (value == null) {
                problem(
                        path,
                        node,
                        text,
                        "refers to the environment variable " + reference.group(1)
                                + ", which is not set; set it or write ${" + reference.group(1) + ":default}",
                        "");
                return null;
            }
            reference.appendReplacement(resolved, Matcher.quoteReplacement(value));
        }
        return reference.appendTail(resolved).toString();
    }
}
