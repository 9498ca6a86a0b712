package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Runs asynchronous operations of one key one after the other, without holding a thread. Thread-safe. */
final class KeyQueue {
    private final ConcurrentHashMap<CacheKey, Line> lines = new ConcurrentHashMap<>();

    /** Who waits for one key. Guarded by itself. */
    private static final class Line {
        final Deque<Runnable> waiting = new ArrayDeque<>(1);

        /** An operation has begun and not ended. */
        boolean running;

        /** A thread lets them in, one after the other. */
        boolean served;

        /** It is no longer in the table. */
        boolean gone;

        /** @param begun whether the thread that makes it begins an operation */
        Line(boolean begun) {
            running = begun;
            served = begun;
        }
    }

    /** Runs {@code operation} when those queued before it have ended, however they ended. */
    <T> CompletionStage<T> run(CacheKey key, Supplier<CompletionStage<T>> operation) {
        Line fresh = new Line(true);
        if (lines.putIfAbsent(key, fresh) == null) {
            return alone(key, fresh, operation);
        }
        CompletableFuture<T> result = new CompletableFuture<>();
        Line line = enter(key, own -> begin(key, own, operation, result));
        serve(key, line, false);
        return result;
    }

    /** Nobody is in line, as nearly always: what ends at once needs no stage but its own. */
    private <T> CompletionStage<T> alone(CacheKey key, Line line, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<T> stage = begun(operation);
        CompletableFuture<T> result = stage;
        if (stage.isDone()) {
            synchronized (line) {
                line.running = false;
            }
        } else {
            result = new CompletableFuture<>();
            whenEnded(key, line, stage, result);
        }
        serve(key, line, true);
        return result;
    }

    /**
     * The same, when those of all {@code keys} have ended that were queued before it; those queued after it wait for it. Begins on a
     * thread of the common pool: what ends at once, and lets another one begin, must not nest.
     */
    <T> CompletionStage<T> runAll(Collection<CacheKey> keys, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<Void> over = new CompletableFuture<>();
        List<CompletableFuture<Void>> turns = new ArrayList<>();
        Map<CacheKey, Line> entered = new HashMap<>();
        // All lines in one step, else two that share two keys could each wait for the other.
        synchronized (this) {
            for (CacheKey key : Set.copyOf(keys)) {
                CompletableFuture<Void> turn = new CompletableFuture<>();
                turns.add(turn);
                Supplier<CompletionStage<Void>> waiting = () -> {
                    turn.complete(null);
                    return over;
                };
                entered.put(key, enter(key, own -> begin(key, own, waiting, new CompletableFuture<>())));
            }
        }
        entered.forEach((key, line) -> serve(key, line, false));
        return CompletableFuture.allOf(turns.toArray(CompletableFuture[]::new))
                .thenComposeAsync(ready -> operation.get())
                .whenComplete((value, failure) -> over.complete(null));
    }

    private interface Turn {
        void begin(Line line);
    }

    private Line enter(CacheKey key, Turn turn) {
        while (true) {
            Line line = lines.computeIfAbsent(key, fresh -> new Line(false));
            synchronized (line) {
                if (!line.gone) {
                    line.waiting.add(() -> turn.begin(line));
                    return line;
                }
            }
        }
    }

    /**
     * A loop and not a chain of stages: however many end at once, each within the one before, the stack would not hold them.
     *
     * @param serving whether the calling thread has let one in already
     */
    private void serve(CacheKey key, Line line, boolean serving) {
        Runnable next = next(key, line, serving);
        while (next != null) {
            next.run();
            next = next(key, line, true);
        }
    }

    /** What may begin now; null when nothing may, or another thread sees to it. */
    private @Nullable Runnable next(CacheKey key, Line line, boolean serving) {
        synchronized (line) {
            if (line.served && !serving || line.gone) {
                return null;
            }
            line.served = false;
            if (line.running) {
                return null;
            }
            Runnable next = line.waiting.poll();
            if (next == null) {
                line.gone = true;
                lines.remove(key, line);
                return null;
            }
            line.served = true;
            line.running = true;
            return next;
        }
    }

    private <T> void begin(
            CacheKey key, Line line, Supplier<CompletionStage<T>> operation, CompletableFuture<T> result) {
        whenEnded(key, line, begun(operation), result);
    }

    private static <T> CompletableFuture<T> begun(Supplier<CompletionStage<T>> operation) {
        try {
            return operation.get().toCompletableFuture();
        } catch (RuntimeException | Error e) {
            // It fails its stage and lets the next one run.
            return CompletableFuture.failedFuture(e);
        }
    }

    private <T> void whenEnded(CacheKey key, Line line, CompletableFuture<T> stage, CompletableFuture<T> result) {
        stage.whenComplete((value, failure) -> {
            synchronized (line) {
                line.running = false;
            }
            try {
                if (failure == null) {
                    result.complete(value);
                } else {
                    result.completeExceptionally(failure);
                }
            } finally {
                serve(key, line, false);
            }
        });
    }

    /** Keys with operations. */
    int size() {
        return lines.size();
    }
}
