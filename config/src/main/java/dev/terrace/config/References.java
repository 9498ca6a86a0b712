package dev.terrace.config;

import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * {@code ${NAME}} and {@code ${NAME:default}} inside a value; a dollar sign doubled before the brace stands for itself. What
 * a variable holds is taken as it is and not looked into again.
 */
final class References {
    private static final Pattern OPENING =
            Pattern.compile("\\$\\$\\{|\\$\\{([A-Za-z_][A-Za-z0-9_]*)(?::([^}]*))?}|\\$\\{");

    private References() {}

    /** Replaces every reference. */
    static String resolve(String written, Map<String, String> environment) throws Unusable {
        Matcher reference = OPENING.matcher(written);
        StringBuilder resolved = new StringBuilder();
        while (reference.find()) {
            reference.appendReplacement(resolved, Matcher.quoteReplacement(valueOf(reference, environment)));
        }
        return reference.appendTail(resolved).toString();
    }

    private static String valueOf(Matcher reference, Map<String, String> environment) throws Unusable {
        if (reference.group().equals("$${")) {
            return "${";
        }
        String name = reference.group(1);
        if (name == null) {
            throw new Unusable(
                    "has a '${' that is no reference; write ${NAME}, ${NAME:default}, or $${ for a literal ${");
        }
        String value = environment.getOrDefault(name, reference.group(2));
        if (value == null) {
            throw new Unusable("refers to the environment variable " + name + ", which is not set; set it or write ${"
                    + name + ":default}");
        }
        return value;
    }

    /** {@code value} so that {@link #resolve} gives it back. */
    static String escape(String value) {
        return value.replace("${", "$${");
    }
}
