package dev.terrace.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The state of reading one file: problems so far, where which path stands, the paths it sets, the environment. */
final class Reading {
    private final Map<String, String> environment;
    private final List<Problem> problems = new ArrayList<>();
    private final List<Problem> warnings = new ArrayList<>();
    private final Map<String, Integer> lines = new HashMap<>();
    private final Set<String> explicit = new LinkedHashSet<>();
    private final Set<String> known = new LinkedHashSet<>();
    private final Set<String> doubtful = new HashSet<>();

    Reading(Map<String, String> environment) {
        this.environment = environment;
    }

    void problem(String path, int line, String value, String message, String suggestion) {
        problems.add(new Problem(path, line, value, message, suggestion));
        doubt(path);
    }

    /** A problem at the line of {@code path}, or of the section that it would stand in. */
    void problem(String path, String value, String message) {
        problem(path, lineOf(path), value, message, "");
    }

    void warning(String path, String value, String message) {
        warnings.add(new Problem(path, lineOf(path), value, message, ""));
    }

    /** From now on the value of {@code path} is a stand-in: what depends on it is not worth reporting. */
    void doubt(String path) {
        doubtful.add(path);
    }

    /** True when none of the paths, nor what holds them or is in them, has a problem of its own. */
    boolean sound(String... paths) {
        for (String path : paths) {
            for (String bad : doubtful) {
                if (bad.equals(path)
                        || path.startsWith(bad + ".")
                        || bad.startsWith(path + ".")
                        || bad.startsWith(path + "[")) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Remembers where {@code path} stands. */
    void stands(String path, int line) {
        lines.put(path, line);
    }

    /** The line of {@code path}, else of the closest section around it, else 0. */
    int lineOf(String path) {
        String at = path;
        while (true) {
            Integer line = lines.get(at);
            if (line != null) {
                return line;
            }
            int dot = at.lastIndexOf('.');
            if (dot < 0) {
                return 0;
            }
            at = at.substring(0, dot);
        }
    }

    /** In the order of their lines. */
    List<Problem> problems() {
        return inOrder(problems);
    }

    /** In the order of their lines. */
    List<Problem> warnings() {
        return inOrder(warnings);
    }

    private static List<Problem> inOrder(List<Problem> list) {
        return list.stream().sorted(Comparator.comparingInt(Problem::line)).toList();
    }

    /** Remembers that the file sets {@code path}. */
    void sets(String path) {
        explicit.add(path);
    }

    Set<String> explicit() {
        return explicit;
    }

    /** Remembers that {@code path} is a setting, in the file or not. */
    void knows(String path) {
        known.add(path);
    }

    /** Every path that was asked for. */
    Set<String> known() {
        return known;
    }

    Map<String, String> environment() {
        return environment;
    }
}
