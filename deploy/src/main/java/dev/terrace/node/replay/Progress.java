package dev.terrace.node.replay;

import dev.terrace.node.cli.Terminal;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Shows how far a replay is: one line that redraws itself on a terminal, a plain line every few seconds elsewhere. */
final class Progress implements AutoCloseable {
    private static final int BAR_CHARS = 30;
    private static final long TERMINAL_MILLIS = 250;
    private static final long PLAIN_MILLIS = 5_000;

    private final PrintWriter out;
    private final TraceFile trace;
    private final Replay replay;
    private final long limit;
    private final boolean terminal;
    private final long started = System.nanoTime();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "terrace-progress");
        thread.setDaemon(true);
        return thread;
    });

    Progress(PrintWriter out, TraceFile trace, Replay replay, long limit) {
        this.out = out;
        this.trace = trace;
        this.replay = replay;
        this.limit = limit;
        this.terminal = Terminal.isThere();
        long every = terminal ? TERMINAL_MILLIS : PLAIN_MILLIS;
        timer.scheduleAtFixedRate(this::show, every, every, TimeUnit.MILLISECONDS);
    }

    private synchronized void show() {
        long done = replay.done();
        double fraction = Math.max(trace.fraction(), Math.min(1, (double) done / limit));
        double perSecond = done / Math.max(1e-9, (System.nanoTime() - started) / 1e9);
        String numbers =
                String.format(Locale.ROOT, "%3.0f %%  %,d requests  %,.0f per second", fraction * 100, done, perSecond);
        if (terminal) {
            int full = (int) Math.round(fraction * BAR_CHARS);
            out.print("\r[" + "=".repeat(full) + " ".repeat(BAR_CHARS - full) + "] " + numbers + "   ");
        } else {
            out.println(numbers);
        }
        out.flush();
    }

    @Override
    public void close() {
        timer.shutdownNow();
        synchronized (this) {
            if (terminal) {
                out.print("\r" + " ".repeat(BAR_CHARS + 60) + "\r");
                out.flush();
            }
        }
    }
}
