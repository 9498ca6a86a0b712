package dev.terrace.node.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Shows how many bytes are done: one line that redraws itself on a terminal, a plain line every few seconds elsewhere, nothing when it is
 * told to be quiet. Called as often as one likes. Thread-safe.
 */
final class ByteProgress implements LongConsumer, AutoCloseable {
    private static final long TERMINAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long PLAIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintWriter out;
    private final String what;
    private final LongSupplier total;
    private final boolean quiet;
    private final boolean terminal;
    private final long started = System.nanoTime();
    private long shown = started;
    private boolean drawn;

    /** @param total how many bytes there are, or 0 when that is not known yet */
    ByteProgress(PrintWriter out, String what, LongSupplier total, boolean quiet) {
        this.out = out;
        this.what = what;
        this.total = total;
        this.quiet = quiet;
        this.terminal = Terminal.isThere();
    }

    @Override
    public synchronized void accept(long done) {
        long now = System.nanoTime();
        if (quiet || now - shown < (terminal ? TERMINAL_NANOS : PLAIN_NANOS)) {
            return;
        }
        shown = now;
        String line = line(what, done, total.getAsLong(), (now - started) / 1e9);
        if (terminal) {
            out.print("\r" + line + "\u001b[K");
            drawn = true;
        } else {
            out.println(line);
        }
        out.flush();
    }

    static String line(String what, long done, long total, double seconds) {
        double rate = done / Math.max(1e-9, seconds);
        String text = String.format(Locale.ROOT, "%s %.1f MiB, %.1f MiB/s", what, mib((double) done), mib(rate));
        if (total <= 0) {
            return text;
        }
        long left = (long) ((total - Math.min(done, total)) / Math.max(1, rate));
        return text
                + String.format(
                        Locale.ROOT,
                        ", %.0f %% of %.1f MiB, %d:%02d left",
                        100.0 * Math.min(done, total) / total,
                        mib((double) total),
                        left / 60,
                        left % 60);
    }

    private static double mib(double bytes) {
        return bytes / (1 << 20);
    }

    @Override
    public synchronized void close() {
        if (drawn) {
            out.println();
            out.flush();
        }
    }
}
