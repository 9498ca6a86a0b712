package dev.terrace.tier.backup;

import dev.terrace.config.JournalSettings;
import dev.terrace.spi.WriteJournal;
import dev.terrace.spi.WriteJournal.Outcome;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/** A process of its own that journals k0, k1, ... and prints each number once it was kept. */
final class JournalChild {
    private JournalChild() {}

    static Process start(Path folder, String sync) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        JournalChild.class.getName(),
                        folder.toString(),
                        sync)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
    }

    /** Reads until so many writes are acknowledged; the greatest number read. */
    static int awaitAcknowledged(Process child, int enough) throws IOException {
        BufferedReader lines = lines(child);
        int last = -1;
        for (String line = lines.readLine(); line != null && last < enough; line = lines.readLine()) {
            last = Integer.parseInt(line);
        }
        return last;
    }

    private static BufferedReader lines(Process child) {
        return new BufferedReader(new InputStreamReader(child.getInputStream(), StandardCharsets.UTF_8));
    }

    /** What is journaled for a key: long enough that a log has many blocks. */
    static String value(String key) {
        return ("value of " + key + " ").repeat(20);
    }

    public static void main(String[] args) {
        Path folder = Path.of(args[0]);
        JournalSettings settings = Journals.settings(folder)
                .withSync(JournalSettings.Sync.valueOf(args[1].toUpperCase(Locale.ROOT)), Duration.ofMillis(50));
        WriteJournal journal =
                Journals.open(Journals.context(settings, Backups.plain(folder.resolveSibling("no-backup"))));
        for (int i = 0; true; i++) {
            int mine = i;
            String key = "k" + i;
            var kept = journal.take(List.of(Journals.waits(key, i + 1, value(key))))
                    .thenAccept(outcome -> {
                        if (outcome == Outcome.KEPT) {
                            System.out.println(mine);
                        }
                    });
            if (i % 50 == 49) {
                kept.toCompletableFuture().orTimeout(20, TimeUnit.SECONDS).join();
            }
        }
    }
}
