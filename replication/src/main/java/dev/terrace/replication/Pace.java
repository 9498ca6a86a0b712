package dev.terrace.replication;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/** Spreads background work evenly: no more than so many entries a second, whoever asks. Thread-safe. */
final class Pace {
    private final Timing timing;
    private final double nanosEach;
    private long freeNanos;

    /**
     * @param perSecond entries a second, at least 1
     */
    Pace(Timing timing, int perSecond) {
        this.timing = timing;
        this.nanosEach = 1e9 / Math.max(1, perSecond);
        this.freeNanos = timing.nanos();
    }

    /** Completes when {@code entries} may be worked on, which delays those who ask later; never on the caller's stack. */
    CompletionStage<Void> take(int entries) {
        long waitNanos;
        synchronized (this) {
            long now = timing.nanos();
            if (freeNanos - now < 0) {
                freeNanos = now;
            }
            waitNanos = freeNanos - now;
            freeNanos += (long) (entries * nanosEach);
        }
        CompletableFuture<Void> turn = new CompletableFuture<>();
        timing.after(TimeUnit.NANOSECONDS.toMillis(waitNanos + 999_999), () -> turn.complete(null));
        return turn;
    }
}
