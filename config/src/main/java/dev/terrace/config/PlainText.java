package dev.terrace.config;

import java.util.regex.Pattern;

/** Text that others wrote, made fit for a line on a terminal. */
public final class PlainText {
    /** Also the control characters above ASCII, which terminals obey, and those that turn the direction of the text. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{C}\\p{Zl}\\p{Zp}]");

    private PlainText() {}

    /** One line, in which whatever steers a terminal is a question mark. */
    public static String of(String text) {
        return UNPRINTABLE.matcher(text).replaceAll("?");
    }

    /** The first {@code most} characters of a text, or one less where that would divide one. */
    public static String start(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        return text.substring(0, most > 0 && Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most);
    }
}
