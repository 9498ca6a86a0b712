package dev.terrace.testkit.nemesis;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Carries out a {@link Schedule} on a thread of its own. Whatever happens, every fault that was begun is ended. Thread-safe;
 * used once.
 */
public final class Nemesis implements AutoCloseable {
    private final Schedule schedule;
    private final Set<Schedule.Strike> running = new LinkedHashSet<>();
    private final List<String> log = new ArrayList<>();
    private final Thread thread;
    private volatile boolean stopping;
    private long startNanos;

    /** Of this schedule; {@link #start} begins it. */
    public Nemesis(Schedule schedule) {
        this.schedule = schedule;
        this.thread = new Thread(this::run, "nemesis");
        thread.setDaemon(true);
    }

    /** What it does. */
    public Schedule schedule() {
        return schedule;
    }

    /** Begins. */
    public Nemesis start() {
        startNanos = System.nanoTime();
        thread.start();
        return this;
    }

    private record Event(long millis, boolean begins, Schedule.Strike strike) {}

    private void run() {
        List<Event> events = new ArrayList<>();
        for (Schedule.Strike strike : schedule.strikes()) {
            events.add(new Event(strike.beginMillis(), true, strike));
            events.add(new Event(strike.endMillis(), false, strike));
        }
        // What ends goes before what begins, but nothing ends before it began.
        events.sort(Comparator.comparingLong(Event::millis)
                .thenComparing(
                        event -> event.strike().beginMillis() == event.strike().endMillis() || event.begins()));
        try {
            for (Event event : events) {
                waitUntil(event.millis());
                if (stopping) {
                    return;
                }
                carryOut(event.begins(), event.strike());
            }
        } finally {
            for (Schedule.Strike left : List.copyOf(running)) {
                carryOut(false, left);
            }
        }
    }

    private void waitUntil(long millis) {
        long until = startNanos + TimeUnit.MILLISECONDS.toNanos(millis);
        for (long left = until - System.nanoTime(); left > 0 && !stopping; left = until - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private void carryOut(boolean begins, Schedule.Strike strike) {
        String what = (begins ? "begin " : "end ") + strike.fault();
        try {
            if (begins) {
                running.add(strike);
                strike.fault().begin().run();
            } else {
                running.remove(strike);
                strike.fault().end().run();
            }
            note(what);
        } catch (Throwable e) {
            // An error, too: a nemesis that dies of it would leave a calm run that proves nothing.
            note(what + " FAILED: " + e);
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void note(String what) {
        synchronized (log) {
            log.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - startNanos) + " ms: " + what);
        }
    }

    /** What was done and when it was done, in fact; a line for each half of a fault. */
    public List<String> log() {
        synchronized (log) {
            return List.copyOf(log);
        }
    }

    /** What could not be carried out; a harness that cannot break or mend things proves nothing. */
    public List<String> failures() {
        return log().stream().filter(line -> line.contains(" FAILED: ")).toList();
    }

    /** Waits for the end of the schedule, with everything undone; false when that takes longer. */
    public boolean awaitEnd(long timeout, TimeUnit unit) throws InterruptedException {
        thread.join(unit.toMillis(timeout));
        return !thread.isAlive();
    }

    /** Stops now and undoes what is being done. */
    @Override
    public void close() {
        stopping = true;
        LockSupport.unpark(thread);
        boolean interrupted = Thread.interrupted();
        try {
            thread.join(TimeUnit.MINUTES.toMillis(1));
        } catch (InterruptedException e) {
            interrupted = true;
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
