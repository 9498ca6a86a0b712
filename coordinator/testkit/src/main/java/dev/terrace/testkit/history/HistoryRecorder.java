package dev.terrace.testkit.history;

import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Notes what processes do and what they are told. Thread-safe.
 *
 * <pre>{@code
 * HistoryRecorder history = new HistoryRecorder();
 * Pending put = history.begin("p1", Op.put("k", "v1"));
 * try {
 *     put.ok(cache.put("k", "v1").version());
 * } catch (UnavailableException e) {
 *     put.unknown();
 * }
 * new LinearizabilityChecker().check(history.history()).require();
 * }</pre>
 *
 * <p>All times come from one clock, by default {@code System.nanoTime} counted from the recorder's beginning. A simulation
 * passes its own, or tells every moment itself by {@link #beginAt} and {@link Pending#at}.
 */
public final class HistoryRecorder {
    private final LongSupplier clock;
    private final AtomicInteger ids = new AtomicInteger();
    private final Queue<Note> notes = new ConcurrentLinkedQueue<>();
    private final ConcurrentHashMap<String, Session> sessions = new ConcurrentHashMap<>();

    /** Notes real time. */
    public HistoryRecorder() {
        long origin = System.nanoTime();
        clock = () -> System.nanoTime() - origin;
    }

    /** Notes the time that {@code clock} tells, in nanoseconds; it must never go back. */
    public HistoryRecorder(LongSupplier clock) {
        this.clock = Objects.requireNonNull(clock, "clock");
    }

    /** The recorder's time, in nanoseconds. */
    public long now() {
        return clock.getAsLong();
    }

    /** An operation begins now. The process counts as its own node. */
    public Pending begin(String process, Op op) {
        return begin(process, process, op);
    }

    /** An operation begins now, at the cache node {@code node}. */
    public Pending begin(String process, String node, Op op) {
        Note note = session(process).begin(node, op);
        // Last of all, so that nothing of the recorder's own work is inside the operation.
        note.invokeNanos = now();
        return new Pending(note);
    }

    /** An operation begins at a moment that the caller knows better. */
    public Pending beginAt(String process, String node, Op op, long nanos) {
        Note note = session(process).begin(node, op);
        note.invokeNanos = nanos;
        return new Pending(note);
    }

    private Session session(String process) {
        if (process.indexOf('#') >= 0) {
            throw new IllegalArgumentException("'#' marks the lives of a process: '" + process + "'");
        }
        return sessions.computeIfAbsent(process, Session::new);
    }

    /** Everything so far; what is still under way is unknown. */
    public History history() {
        return History.of(notes.stream().map(Note::operation).toList());
    }

    /** One user: does one thing at a time, and gets a new name when it does not know what it has done. */
    private final class Session {
        private final String name;
        private int life = 1;
        private @Nullable Note current;

        Session(String name) {
            this.name = name;
        }

        synchronized Note begin(String node, Op op) {
            if (current != null) {
                Outcome ended = current.outcome();
                if (ended == null) {
                    throw new IllegalStateException(
                            "process '" + name + "' begins " + op + " before it has ended " + current.op);
                }
                if (ended == Outcome.UNKNOWN) {
                    life++;
                }
            }
            Note note = new Note(ids.incrementAndGet(), life == 1 ? name : name + '#' + life, node, op);
            current = note;
            notes.add(note);
            return note;
        }
    }

    /** One operation, begun. */
    final class Note {
        private final int id;
        private final String process;
        private final String node;
        private final Op op;
        private volatile long invokeNanos;
        private @Nullable Operation ended;

        Note(int id, String process, String node, Op op) {
            this.id = id;
            this.process = process;
            this.node = node;
            this.op = op;
        }

        long now() {
            return HistoryRecorder.this.now();
        }

        synchronized boolean end(Outcome outcome, @Nullable Observed observed, long nanos) {
            if (ended != null) {
                return false;
            }
            long returned = outcome == Outcome.UNKNOWN ? Operation.OPEN : nanos;
            ended = new Operation(id, process, node, op, invokeNanos, returned, outcome, observed);
            return true;
        }

        synchronized @Nullable Outcome outcome() {
            return ended == null ? null : ended.outcome();
        }

        synchronized Operation operation() {
            return ended != null
                    ? ended
                    : new Operation(id, process, node, op, invokeNanos, Operation.OPEN, Outcome.UNKNOWN, null);
        }
    }
}
