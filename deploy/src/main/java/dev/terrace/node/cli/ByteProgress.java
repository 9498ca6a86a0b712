package dev.terrace.node.cli;

import java.io.PrintWriter;
import java.util.Locale;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Shows on a {@link ProgressLine} how many bytes are done. Called as often as one likes. Thread-safe. */
final class ByteProgress implements LongConsumer, AutoCloseable {
    private final ProgressLine shown;
    private final String what;
    private final LongSupplier total;
    private final long started = System.nanoTime();

    /** @param total how many bytes there are, or 0 when that is not known yet */
    ByteProgress(PrintWriter out, String what, LongSupplier total, boolean quiet) {
        this.shown = new ProgressLine(out, quiet);
        this.what = what;
        this.total = total;
    }

    @Override
    public void accept(long done) {
        shown.show(() -> line(what, done, total.getAsLong(), (System.nanoTime() - started) / 1e9));
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
    public void close() {
        shown.close();
    }
}
