package dev.terrace.config;

import java.util.Collection;
import java.util.Locale;

/**
 * Guesses what a mistyped word was meant to be, by edit distance with swaps of neighbours (optimal string alignment).
 * Case, dashes and underscores do not count: {@code maxMemoryMb} is a way to write {@code max_memory_mb}.
 */
final class Spelling {
    private static final int LONGEST = 64;

    private Spelling() {}

    /** The closest of {@code known} if it is close enough, else empty. */
    static String closest(String word, Collection<String> known) {
        if (word.length() > LONGEST) {
            return "";
        }
        String plain = plain(word);
        String best = "";
        int bestDistance = Math.max(1, plain.length() / 3) + 1;
        for (String candidate : known) {
            int distance = distance(plain, plain(candidate));
            if (distance < bestDistance) {
                best = candidate;
                bestDistance = distance;
            }
        }
        return best;
    }

    private static String plain(String word) {
        return word.toLowerCase(Locale.ROOT).replaceAll("[-_ ]", "");
    }

    private static int distance(String a, String b) {
        int[][] edits = new int[a.length() + 1][b.length() + 1];
        for (int i = 0; i <= a.length(); i++) {
            for (int j = 0; j <= b.length(); j++) {
                edits[i][j] = Math.min(i, j) == 0 ? Math.max(i, j) : cheapest(edits, a, b, i, j);
            }
        }
        return edits[a.length()][b.length()];
    }

    private static int cheapest(int[][] edits, String a, String b, int i, int j) {
        boolean same = a.charAt(i - 1) == b.charAt(j - 1);
        int least = edits[i - 1][j - 1] + (same ? 0 : 1);
        least = Math.min(least, Math.min(edits[i - 1][j], edits[i][j - 1]) + 1);
        boolean swapped = i > 1 && j > 1 && a.charAt(i - 1) == b.charAt(j - 2) && a.charAt(i - 2) == b.charAt(j - 1);
        return swapped ? Math.min(least, edits[i - 2][j - 2] + 1) : least;
    }
}
