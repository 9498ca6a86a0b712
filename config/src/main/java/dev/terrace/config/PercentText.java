package dev.terrace.config;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Percentages as people write them: {@code 80%}, {@code 80 %}, {@code 80}. Whole numbers. */
final class PercentText {
    static final String ALLOWED = "a percentage such as 80%";

    private static final Pattern PERCENT = Pattern.compile("(\\d{1,3})\\s*%?");

    private PercentText() {}

    /** The percentage, or -1 when the text is none. */
    static int parse(String text) {
        Matcher percent = PERCENT.matcher(text.trim());
        return percent.matches() ? Integer.parseInt(percent.group(1)) : -1;
    }
}
