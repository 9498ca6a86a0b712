package dev.terrace.node.cli;

import java.io.PrintWriter;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One line that redraws itself on a terminal, a plain line every few seconds elsewhere, nothing when it is told to be quiet. Called as often
 * as one likes. Thread-safe.
 */
final class ProgressLine implements AutoCloseable {
    private static final long TERMINAL_NANOS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long PLAIN_NANOS = TimeUnit.SECONDS.toNanos(5);

    private final PrintWriter out;
    private final boolean quiet;
    private final boolean terminal = Terminal.isThere();
    private long shown = System.nanoTime();
    private boolean drawn;

    ProgressLine(PrintWriter out, boolean quiet) {
        this.out = out;
        this.quiet = quiet;
    }

    /** Shows {@code line} if it is time for one. */
    synchronized void show(Supplier<String> line) {
        long now = System.nanoTime();
        if (quiet || now - shown < (terminal ? TERMINAL_NANOS : PLAIN_NANOS)) {
            return;
        }
        shown = now;
        if (terminal) {
            out.print("\r" + line.get() + "\u001b[K");
            drawn = true;
        } else {
            out.println(line.get());
        }
        out.flush();
    }

    /** Ends the line that was drawn. */
    @Override
    public synchronized void close() {
        if (drawn) {
            out.println();
            out.flush();
            drawn = false;
        }
    }
}
