package dev.terrace.tier.backup.repo;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** How blobs of a repository are called. */
final class Names {
    /** Most writers a repository may have had. */
    static final int MOST_WRITERS = 999_999;

    /** Where {@link #registered} entries lie. */
    static final String REGISTERED = "writers/";

    /** Where {@link #folder}s lie. */
    static final String FOLDERS = "w/";

    /** Where {@link #keys} lie. */
    static final String KEYS = "keys/";

    private static final int WRITER_DIGITS = 6;

    private static final Pattern NUMBERED =
            Pattern.compile("w/\\d{6}/(?:gen/(\\d{20})|data/(\\d{20})/[0-9a-f]{64}(?:\\.box-[0-9a-f]{16})?"
                    + "|delta/(\\d{20})/(\\d{20})-[0-9a-f]{64}(?:\\.box-[0-9a-f]{16})?)");

    private Names() {}

    static String registered(int writer) {
        return REGISTERED + six(writer);
    }

    static String folder(int writer) {
        return FOLDERS + six(writer) + "/";
    }

    static String keys(int writer) {
        return KEYS + six(writer);
    }

    /** The writer whose {@code name} is, directly in {@code place} or deeper; 0 when it is nobody's. */
    static int writerIn(String place, String name) {
        int end = place.length() + WRITER_DIGITS;
        boolean isOnes = name.length() == end || name.length() > end && name.charAt(end) == '/';
        for (int i = place.length(); isOnes && i < end; i++) {
            isOnes = name.charAt(i) >= '0' && name.charAt(i) <= '9';
        }
        return isOnes ? Integer.parseInt(name.substring(place.length(), end)) : 0;
    }

    /** Behind everything of a writer in {@code place}, and before everything of the next. */
    static String behind(String place, int writer) {
        return place + six(writer) + "z";
    }

    static String generation(int writer, long number) {
        return folder(writer) + "gen/" + twenty(number);
    }

    static String boundary(int writer, int step) {
        return folder(writer) + "boundary/" + six(step);
    }

    static String anchor(int writer) {
        return "anchor/" + six(writer);
    }

    static String data(int writer, long epoch, String sha256, Envelope envelope) {
        return folder(writer) + "data/" + twenty(epoch) + "/" + sha256 + envelope.suffix();
    }

    static String delta(int writer, long epoch, long number, String sha256, Envelope envelope) {
        return folder(writer) + "delta/" + twenty(epoch) + "/" + twenty(number) + "-" + sha256 + envelope.suffix();
    }

    /** The {@linkplain Envelope#suffix() suffix} that a name ends with. */
    static String suffix(String name) {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? "" : name.substring(dot);
    }

    /** A name taken apart; numbers that it does not carry are -1. */
    record Parts(long generation, long epoch, long deltaNumber) {}

    /** What a name of a writer's folder says, or null when it is none that pruning may touch. */
    static @Nullable Parts parts(String name) {
        Matcher found = NUMBERED.matcher(name);
        return found.matches()
                ? new Parts(
                        number(found.group(1)),
                        number(found.group(2) == null ? found.group(3) : found.group(2)),
                        number(found.group(4)))
                : null;
    }

    /** The epoch in the name of a blob that generations refer to, or -1. */
    static long epochOf(String name) {
        Parts parts = parts(name);
        return parts == null ? -1 : parts.epoch();
    }

    private static long number(@Nullable String digits) {
        return digits == null ? -1 : digits.charAt(0) != '0' ? Long.MAX_VALUE : Long.parseLong(digits);
    }

    private static String six(int number) {
        return padded(number, WRITER_DIGITS);
    }

    private static String twenty(long number) {
        return padded(number, 20);
    }

    /** Much cheaper than a format string, and every look at a generation needs it. */
    private static String padded(long number, int width) {
        String digits = Long.toString(number);
        return "0".repeat(Math.max(0, width - digits.length())) + digits;
    }
}
