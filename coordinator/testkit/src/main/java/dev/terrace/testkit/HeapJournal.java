package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A {@link WriteJournal} on the heap that can be killed and opened again: {@link #reopened} has what was kept. It keeps steps at once, or,
 * made {@link #stepwise}, one at a time when told to, so that a test can die between any two. Thread-safe.
 */
public final class HeapJournal implements WriteJournal {
    private final Map<CacheKey, Wait> waiting;
    private final Map<Version, Dead> dead;
    private final Deque<Asked> asked = new ArrayDeque<>();
    private final boolean stepwise;
    private boolean broken;
    private boolean closed;

    private record Asked(List<Step> steps, CompletableFuture<Outcome> outcome) {}

    private HeapJournal(boolean stepwise, Map<CacheKey, Wait> waiting, Map<Version, Dead> dead) {
        this.stepwise = stepwise;
        this.waiting = new HashMap<>(waiting);
        this.dead = new LinkedHashMap<>(dead);
    }

    /** One that keeps what it is given at once. */
    public HeapJournal() {
        this(false, Map.of(), Map.of());
    }

    /** One that keeps nothing before {@link #keepNext}. */
    public static HeapJournal stepwise() {
        return new HeapJournal(true, Map.of(), Map.of());
    }

    /** What a process finds that starts after this one was killed; what was asked and not kept is lost. */
    public synchronized HeapJournal reopened() {
        closed = true;
        return new HeapJournal(stepwise, waiting, dead);
    }

    /** From now on nothing is kept, or everything again. */
    public synchronized void breakDown(boolean nowBroken) {
        broken = nowBroken;
    }

    /** Keeps, or fails to keep, what was asked first of what has not been. Returns false when there is nothing. */
    public boolean keepNext() {
        Asked next;
        Outcome outcome;
        synchronized (this) {
            next = asked.poll();
            if (next == null) {
                return false;
            }
            outcome = keep(next.steps);
        }
        next.outcome.complete(outcome);
        return true;
    }

    /** Steps that were asked for and are not kept yet. */
    public synchronized int asked() {
        return asked.size();
    }

    private Outcome keep(List<Step> steps) {
        if (closed || broken) {
            return closed ? Outcome.CLOSED : Outcome.FAILED;
        }
        for (Step step : steps) {
            if (step instanceof Wait wait) {
                waiting.put(wait.key(), wait);
            } else if (step instanceof Done done) {
                done(done.key(), done.version());
            } else if (step instanceof Bury bury) {
                done(bury.key(), bury.dead().entry().version());
                dead.put(bury.dead().entry().version(), bury.dead());
            } else if (step instanceof Forget forget) {
                dead.remove(forget.version());
            }
        }
        return Outcome.KEPT;
    }

    private void done(CacheKey key, Version version) {
        Wait known = waiting.get(key);
        if (known != null && known.entry().version().equals(version)) {
            waiting.remove(key);
        }
    }

    @Override
    public synchronized Contents load() {
        return new Contents(List.copyOf(waiting.values()), List.copyOf(dead.values()), 0);
    }

    @Override
    public CompletionStage<Outcome> take(List<Step> steps) {
        CompletableFuture<Outcome> outcome = new CompletableFuture<>();
        synchronized (this) {
            if (stepwise && !closed) {
                asked.add(new Asked(List.copyOf(steps), outcome));
                return outcome;
            }
            return CompletableFuture.completedFuture(keep(steps));
        }
    }

    @Override
    public synchronized @Nullable String trouble() {
        return broken ? "the disk is full" : null;
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}
