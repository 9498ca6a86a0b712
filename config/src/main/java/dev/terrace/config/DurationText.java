package dev.terrace.config;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Durations as people write them: {@code 250ms}, {@code 30s}, {@code 1h 30m}, {@code 7d}, or ISO 8601 {@code PT5M}. Each
 * unit once, the larger first; whole milliseconds.
 */
public final class DurationText {
    /** What messages say is allowed. */
    public static final String ALLOWED = "a duration such as 250ms, 30s, 5m, 1h30m, 7d or PT5M";

    private static final Pattern UNITS =
            Pattern.compile("(?:(\\d{1,15}) ?d)? ?(?:(\\d{1,15}) ?h)? ?(?:(\\d{1,15}) ?m)? ?"
                    + "(?:(\\d{1,15}) ?s)? ?(?:(\\d{1,15}) ?ms)?");

    private static final long[] MILLIS = {86_400_000, 3_600_000, 60_000, 1_000, 1};
    private static final String[] NAMES = {"d", "h", "m", "s", "ms"};

    private DurationText() {}

    /** The duration, or null when the text is none. */
    public static @Nullable Duration parse(String text) {
        String trimmed = text.trim().toLowerCase(Locale.ROOT);
        try {
            if (trimmed.startsWith("p")) {
                Duration duration = Duration.parse(trimmed);
                return duration.toNanosPart() % 1_000_000 == 0 ? duration : null;
            }
            Matcher units = UNITS.matcher(trimmed);
            if (trimmed.isEmpty() || trimmed.length() > 100 || !units.matches()) {
                return null;
            }
            long sum = 0;
            for (int i = 0; i < MILLIS.length; i++) {
                if (units.group(i + 1) != null) {
                    long amount = Long.parseLong(units.group(i + 1));
                    sum = Math.addExact(sum, Math.multiplyExact(amount, MILLIS[i]));
                }
            }
            return Duration.ofMillis(sum);
        } catch (DateTimeException | ArithmeticException e) {
            return null;
        }
    }

    /** The shortest text that {@link #parse} reads back. */
    static String format(Duration duration) {
        long millis = duration.toMillis();
        if (millis == 0) {
            return "0s";
        }
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < MILLIS.length; i++) {
            if (millis >= MILLIS[i]) {
                text.append(millis / MILLIS[i]).append(NAMES[i]);
                millis %= MILLIS[i];
            }
        }
        return text.toString();
    }
}
