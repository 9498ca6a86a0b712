package dev.terrace.node.drill;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** What was done when, from the drill's beginning. For one thread. */
final class Timeline {
    private final long beganNanos = System.nanoTime();
    private final List<Stage> stages = new ArrayList<>();
    private final Consumer<Stage> watcher;

    Timeline(Consumer<Stage> watcher) {
        this.watcher = watcher;
    }

    /**
     * A step.
     *
     * @param name what was done
     * @param fromMillis when it began, since the drill's beginning
     * @param toMillis when it ended
     * @param detail more about it, may be empty
     * @param failed whether it did not succeed
     */
    record Stage(String name, long fromMillis, long toMillis, String detail, boolean failed) {}

    /** What a step does; it returns more about it, for people. */
    @FunctionalInterface
    interface Step {
        String run() throws Exception;
    }

    long millis(long nanos) {
        return TimeUnit.NANOSECONDS.toMillis(nanos - beganNanos);
    }

    long beganNanos() {
        return beganNanos;
    }

    List<Stage> stages() {
        return List.copyOf(stages);
    }

    void stage(String name, Step step) throws Exception {
        long from = System.nanoTime();
        String detail = "";
        boolean failed = true;
        try {
            detail = step.run();
            failed = false;
        } catch (Exception e) {
            detail = String.valueOf(e.getMessage());
            throw e;
        } finally {
            Stage stage = new Stage(name, millis(from), millis(System.nanoTime()), detail, failed);
            stages.add(stage);
            watcher.accept(stage);
        }
    }
}
