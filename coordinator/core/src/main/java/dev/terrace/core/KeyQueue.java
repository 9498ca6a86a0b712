package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import java.util.ArrayDeque;
import java.util.Deque;
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
        final Deque<Runnable> waiting = new ArrayDeque<>();

        /** An operation has begun and not ended. */
        boolean running;

        /** A thread lets them in, one after the other. */
        boolean served;

        /** It is no longer in the table. */
        boolean gone;
    }

    /** Runs {@code operation} when those queued before it have ended, however they ended. */
    <T> CompletionStage<T> run(CacheKey key, Supplier<CompletionStage<T>> operation) {
        CompletableFuture<T> result = new CompletableFuture<>();
        Line line = enter(key, own -> begin(key, own, operation, result));
        serve(key, line);
        return result;
    }

    private interface Turn {
        void begin(Line line);
    }

    private Line enter(CacheKey key, Turn turn) {
        while (true) {
            Line line = lines.computeIfAbsent(key, fresh -> new Line());
            synchronized (line) {
                if (!line.gone) {
                    line.waiting.add(() -> turn.begin(line));
                    return line;
                }
            }
        }
    }

    /** A loop and not a chain of stages: however many end at once, each within the one before, the stack would not hold them. */
    private void serve(CacheKey key, Line line) {
        Runnable next = next(key, line, false);
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
        CompletionStage<T> stage;
        try {
            stage = operation.get();
        } catch (RuntimeException | Error e) {
            // It fails its stage and lets the next one run.
            stage = CompletableFuture.failedStage(e);
        }
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
                serve(key, line);
            }
        });
    }

    /** Keys with operations. */
    int size() {
        return lines.size();
    }
}
