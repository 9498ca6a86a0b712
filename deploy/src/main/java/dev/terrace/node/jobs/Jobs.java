package dev.terrace.node.jobs;

import dev.terrace.api.BadInputException;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs jobs of a kind one after the other, on a thread of their own, and keeps the last hundred for questions. Thread-safe. */
public final class Jobs implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Jobs.class);
    private static final int REMEMBERED = 100;
    private static final int MOST_WAITING = 10;

    private final AtomicLong ids = new AtomicLong();
    /** By kind: a warm-up that waits for a restore must not keep a backup from being taken. */
    private final Map<String, ExecutorService> threads = new HashMap<>();

    private boolean closed;
    private final Map<String, Job> jobs = new LinkedHashMap<>();

    /** Of jobs that have not ended. */
    private final Map<String, Future<?>> underWay = new HashMap<>();

    /** For {@code new}. */
    public Jobs() {}

    /** What a job does; it tells its progress as a tree of plain values. */
    @FunctionalInterface
    public interface Work {
        /** Runs, and returns how it ended. */
        Map<String, Object> run(Consumer<Map<String, Object>> progress) throws Exception;
    }

    /**
     * A job as it stands.
     *
     * @param id its number
     * @param kind {@code warmup} or {@code backup}
     * @param state {@code waiting}, {@code running}, {@code done}, {@code failed} or {@code stopped}
     * @param progress the last that it told
     * @param error why it failed, or null
     */
    public record Job(
            String id,
            String kind,
            String state,
            Map<String, Object> progress,
            @Nullable String error) {}

    /**
     * Queues a job.
     *
     * @throws BadInputException when too many of the kind wait already
     * @throws RejectedExecutionException when this is closed
     */
    public synchronized Job start(String kind, Work work) {
        if (closed) {
            throw new RejectedExecutionException("no job is begun any more");
        }
        long waiting = jobs.values().stream()
                .filter(job -> job.kind().equals(kind) && job.state().equals("waiting"))
                .count();
        if (waiting >= MOST_WAITING) {
            throw new BadInputException(waiting + " jobs wait already", "let them end first");
        }
        String id = Long.toString(ids.incrementAndGet());
        Job job = new Job(id, kind, "waiting", Map.of(), null);
        jobs.put(id, job);
        jobs.keySet().stream()
                .filter(other -> !other.equals(id) && !underWay.containsKey(other))
                .limit(Math.max(0, jobs.size() - REMEMBERED))
                .toList()
                .forEach(jobs::remove);
        underWay.put(id, threads.computeIfAbsent(kind, Jobs::thread).submit(() -> run(job, work)));
        return job;
    }

    private static ExecutorService thread(String kind) {
        return Executors.newSingleThreadExecutor(task -> {
            Thread worker = new Thread(task, "terrace-jobs-" + kind);
            worker.setDaemon(true);
            return worker;
        });
    }

    private void run(Job job, Work work) {
        update(new Job(job.id(), job.kind(), "running", Map.of(), null));
        try {
            Map<String, Object> end =
                    work.run(progress -> update(new Job(job.id(), job.kind(), "running", progress, null)));
            end(new Job(job.id(), job.kind(), isStopped(job.id()) ? "stopped" : "done", end, null));
        } catch (Exception | Error e) {
            // Whatever it is: a job that is said to be running would be waited for, for ever.
            if (isStopped(job.id())) {
                Job last = find(job.id());
                end(new Job(job.id(), job.kind(), "stopped", last == null ? Map.of() : last.progress(), null));
                return;
            }
            if (e instanceof Error) {
                LOG.error("job failed id={} kind={}", job.id(), job.kind(), e);
            } else {
                LOG.warn("job failed id={} kind={} reason={}", job.id(), job.kind(), e.toString());
            }
            String why = e instanceof Error ? e.toString() : String.valueOf(e.getMessage());
            end(new Job(job.id(), job.kind(), "failed", Map.of(), why));
        }
    }

    private synchronized boolean isStopped(String id) {
        Future<?> future = underWay.get(id);
        return future != null && future.isCancelled();
    }

    private synchronized void end(Job job) {
        underWay.remove(job.id());
        update(job);
    }

    /**
     * Interrupts a job, or drops it when it is waiting; one that has ended stays as it is. It may take a moment until it has stopped.
     *
     * @return the job as it stands, or null when there is none of this number
     */
    public synchronized @Nullable Job stop(String id) {
        Job job = jobs.get(id);
        Future<?> future = underWay.get(id);
        if (job != null && future != null) {
            future.cancel(true);
            if (job.state().equals("waiting")) {
                end(new Job(id, job.kind(), "stopped", job.progress(), null));
            }
        }
        return jobs.get(id);
    }

    private synchronized void update(Job job) {
        jobs.replace(job.id(), job);
    }

    /** The job with this number, or null. */
    public synchronized @Nullable Job find(String id) {
        return jobs.get(id);
    }

    /** Interrupts the running jobs and drops the waiting ones. */
    @Override
    public synchronized void close() {
        closed = true;
        threads.values().forEach(ExecutorService::shutdownNow);
    }

    /** Seconds with a fraction, for progress. */
    public static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
