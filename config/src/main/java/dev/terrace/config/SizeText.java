package dev.terrace.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 1048576}, {@code 64KiB}, {@code 1 MB} (taken as MiB), {@code 2g}. */
public final class SizeText {
    /** What messages say is allowed. */
    public static final String ALLOWED = "a size such as 4096, 64KiB, 1MiB or 2GiB";

    // 9 digits: with the largest unit still far from the end of a long.
    private static final Pattern WITH_UNIT = Pattern.compile("(\\d{1,9})\\s*([bkmgt])(?:(?<=[kmgt])i?b)?");
    private static final Pattern PLAIN = Pattern.compile("\\d{1,18}");

    private SizeText() {}

    /** True when the text is a number without a unit. */
    static boolean isPlain(String text) {
        return PLAIN.matcher(text.trim()).matches();
    }

    /** Bytes, or -1 when the text is no size. */
    public static long parse(String text) {
        String trimmed = text.trim().toLowerCase(Locale.ROOT);
        if (PLAIN.matcher(trimmed).matches()) {
            return Long.parseLong(trimmed);
        }
        Matcher size = WITH_UNIT.matcher(trimmed);
        if (!size.matches()) {
            return -1;
        }
        return Long.parseLong(size.group(1)) << (10 * "bkmgt".indexOf(size.group(2)));
    }
}
