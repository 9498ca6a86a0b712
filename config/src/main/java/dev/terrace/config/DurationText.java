package dev.terrace.config;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Durations as people write them: {@code 250ms}, {@code 30s}, {@code 1h30m}, {@code 7d}, or ISO 8601 {@code PT5M}. */
final class DurationText {
    static final String ALLOWED = "a duration such as 250ms, 30s, 5m, 1h30m, 7d or PT5M";

    private static final Pattern PART = Pattern.compile("(\\d{1,15})(ms|s|m|h|d)");

    private DurationText() {}

    /** The duration, or null when the text is none. */
    static @Nullable Duration parse(String text) {
        String trimmed = text.trim().toLowerCase(Locale.ROOT);
        try {
            if (trimmed.startsWith("pt") || trimmed.startsWith("p")) {
                return Duration.parse(trimmed);
            }
            Matcher part = PART.matcher(trimmed);
            Duration sum = Duration.ZERO;
            int at = 0;
            while (at < trimmed.length()) {
                if (!part.find(at) || part.start() != at) {
                    return null;
                }
                long amount = Long.parseLong(part.group(1));
                sum = sum.plus(
                        switch (part.group(2)) {
                            case "ms" -> Duration.ofMillis(amount);
                            case "s" -> Duration.ofSeconds(amount);
                            case "m" -> Duration.ofMinutes(amount);
                            case "h" -> Duration.ofHours(amount);
                            default -> Duration.ofDays(amount);
                        });
                at = part.end();
            }
            return at == 0 ? null : sum;
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
        long[] sizes = {86_400_000, 3_600_000, 60_000, 1_000, 1};
        String[] units = {"d", "h", "m", "s", "ms"};
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < sizes.length; i++) {
            if (millis >= sizes[i]) {
                text.append(millis / sizes[i]).append(units[i]);
                millis %= sizes[i];
            }
        }
        return text.toString();
    }
}
