package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Locale;

/** A warm-up in one line, for people. */
final class WarmupLine {
    private static final int BAR = 20;

    private WarmupLine() {}

    /** A bar, how much is done, how fast, and how long the rest may take. */
    static String progress(JsonNode state) {
        JsonNode progress = state.path("progress");
        if (!state.path("state").asText().equals("running") || !progress.has("seconds")) {
            return state.path("state").asText();
        }
        double seconds = Math.max(0.001, progress.path("seconds").asDouble());
        long read = progress.path("read").asLong();
        double part = part(progress);
        int full = (int) (BAR * part);
        String left = "";
        if (part > 0 && part < 1) {
            long more = Math.round(seconds / part * (1 - part));
            left = String.format(Locale.ROOT, ", %d:%02d left", more / 60, more % 60);
        }
        return String.format(
                Locale.ROOT,
                "[%s%s] %3.0f %%  %,d copied, %,d not needed, %,.0f/s of at most %,d/s%s",
                "#".repeat(full),
                ".".repeat(BAR - full),
                100 * part,
                progress.path("copied").asLong(),
                progress.path("superseded").asLong(),
                read / seconds,
                progress.path("entries_per_second").asLong(),
                left);
    }

    /** By finished parts, or by entries while the first of them are not finished. */
    private static double part(JsonNode progress) {
        long all = progress.path("all_parts").asLong();
        double byParts = all == 0 ? 0 : (double) progress.path("parts").asLong() / all;
        long total = progress.path("total").asLong();
        double byEntries =
                total <= 0 ? 0 : Math.min(0.99, (double) progress.path("read").asLong() / total);
        return Math.min(1, Math.max(byParts, byEntries));
    }

    /** How it ended. */
    static String summary(JsonNode state) {
        JsonNode progress = state.path("progress");
        String outcome = progress.path("outcome").asText();
        String text = state.path("state").asText() + (outcome.isEmpty() ? "" : " (" + outcome.replace('_', ' ') + ")")
                + ": copied "
                + progress.path("copied").asLong()
                + ", not needed " + progress.path("superseded").asLong() + ", failed "
                + progress.path("failed").asLong() + " in "
                + progress.path("seconds").asText() + " s";
        long doubted = progress.path("doubted").asLong();
        if (doubted > 0) {
            text += "; left alone " + doubted
                    + " of bounded or strict caches that another node may have replaced (--trust-backup copies them)";
        }
        return text + (state.has("error") ? "; " + state.path("error").asText() : "");
    }
}
