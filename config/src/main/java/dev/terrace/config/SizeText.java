package dev.terrace.config;

import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes as people write them: {@code 1048576}, {@code 64KiB}, {@code 1 MB} (taken as MiB), {@code 2g}. */
final class SizeText {
    static final String ALLOWED = "a size such as 4096, 64KiB, 1MiB or 2GiB";

    private static final Pattern SIZE = Pattern.compile("(\\d{1,12})\\s*(b|k|kb|kib|m|mb|mib|g|gb|gib)?");

    private SizeText() {}

    /** Bytes, or -1 when the text is no size. */
    static long parse(String text) {
        Matcher size = SIZE.matcher(text.trim().toLowerCase(Locale.ROOT));
        if (!size.matches()) {
            return -1;
        }
        long amount = Long.parseLong(size.group(1));
        String unit = size.group(2) == null ? "b" : size.group(2);
        int shift = switch (unit.charAt(0)) {
            case 'k' -> 10;
            case 'm' -> 20;
            case 'g' -> 30;
            default -> 0;
        };
        return amount << shift;
    }
}
