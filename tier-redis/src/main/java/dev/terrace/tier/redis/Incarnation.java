package dev.terrace.tier.redis;

import java.util.Arrays;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One life of a zone: from an admission until its servers restart, are replaced or lose their data. Kept in the zone itself
 * as a few lines of text, from which every node makes the same {@link FencedScripts}.
 *
 * @param zone the zone's name
 * @param token names the incarnation; never used twice
 * @param runs run ids of its primaries at the admission, where they are needed; else empty
 * @param histories replication ids of its primaries at the admission
 */
record Incarnation(String zone, String token, List<String> runs, List<String> histories) {
    private static final String FORMAT = "terrace-zone 1";
    private static final Pattern TOKEN = Pattern.compile("[0-9A-Za-z._-]{1,64}");
    private static final Pattern NAME = Pattern.compile("[0-9A-Za-z._%-]{1,600}");
    private static final Pattern IDS = Pattern.compile("([0-9a-f]{40})?(,[0-9a-f]{40})*");

    /** Sorts the ids, so that the text does not depend on the order in which servers answered. */
    Incarnation {
        runs = runs.stream().sorted().toList();
        histories = histories.stream().sorted().toList();
    }

    /** True when {@code token} can name an incarnation: it becomes part of the scripts, so it is kept plain. */
    static boolean isToken(String token) {
        return TOKEN.matcher(token).matches();
    }

    /** The text that the zone keeps. The token stands on a line of its own: the fence looks for that line. */
    String text() {
        return String.join("\n", FORMAT, zone, token, String.join(",", runs), String.join(",", histories), "");
    }

    /** Reads what {@link #text} made; null when it is anything else. */
    static @Nullable Incarnation parse(String text) {
        String[] lines = text.split("\n", -1);
        boolean sound = lines.length == 6
                && lines[0].equals(FORMAT)
                && NAME.matcher(lines[1]).matches()
                && isToken(lines[2])
                && IDS.matcher(lines[3]).matches()
                && IDS.matcher(lines[4]).matches();
        return sound ? new Incarnation(lines[1], lines[2], ids(lines[3]), ids(lines[4])) : null;
    }

    private static List<String> ids(String line) {
        return line.isEmpty() ? List.of() : Arrays.asList(line.split(","));
    }
}
