package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One operation of a history. Immutable.
 *
 * @param id its number in the recorder, by time of invocation
 * @param process who asked; does one thing at a time; a process whose operation ended unknown goes on as {@code name#2},
 *     {@code name#3}, ...
 * @param node whom it asked: the cache node, for what is promised per node
 * @param op what was asked
 * @param invokeNanos when it was asked, by the recorder's clock
 * @param returnNanos when the caller had the answer; {@link #OPEN} for unknown ones
 * @param outcome how it ended
 * @param observed what the caller was told; null unless the outcome is {@link Outcome#OK}
 */
public record Operation(
        int id,
        String process,
        String node,
        Op op,
        long invokeNanos,
        long returnNanos,
        Outcome outcome,
        @Nullable Observed observed) {
    /** The return time of an operation that never returned. */
    public static final long OPEN = Long.MAX_VALUE;

    /** Checks that the parts belong together. */
    public Operation {
        Objects.requireNonNull(process, "process");
        Objects.requireNonNull(node, "node");
        Objects.requireNonNull(op, "op");
        if ((outcome == Outcome.OK) != (observed != null)) {
            throw new IllegalArgumentException("an operation tells something if and only if it is OK: " + op);
        }
        if ((outcome == Outcome.UNKNOWN) != (returnNanos == OPEN)) {
            throw new IllegalArgumentException("an operation stays open if and only if it is UNKNOWN: " + op);
        }
        if (returnNanos < invokeNanos) {
            throw new IllegalArgumentException(
                    op + " returned at " + returnNanos + " before it was invoked at " + invokeNanos);
        }
    }

    /** Its key. */
    public String key() {
        return op.key();
    }

    /** True when it may change, or has changed, what its key holds. */
    public boolean mayWrite() {
        return !op.isRead() && outcome != Outcome.FAIL && (observed == null || observed.applied());
    }

    /** True for a write that its caller was told has taken place. */
    public boolean isAcknowledgedWrite() {
        return !op.isRead() && observed != null && observed.applied();
    }

    /** True for a read with an answer. */
    public boolean isAnsweredRead() {
        return op.isRead() && observed != null;
    }

    /** The version told to the caller, or null. */
    public @Nullable Version version() {
        return observed == null ? null : observed.version();
    }

    /** What the key holds after this write took effect, null for absent; for increments, if it was told. */
    public @Nullable String written() {
        return op.kind() == Op.Kind.INCREMENT && observed != null ? observed.value() : op.value();
    }

    /** The process without its number: the same user, before and after unknown outcomes. */
    public String session() {
        int mark = process.lastIndexOf('#');
        return mark < 0 ? process : process.substring(0, mark);
    }

    /** True when it returned strictly before {@code other} was invoked. */
    public boolean precedes(Operation other) {
        return returnNanos < other.invokeNanos;
    }

    /** The same, as if its answer had told no version. */
    Operation withoutVersion() {
        return observed == null || observed.version() == null
                ? this
                : new Operation(
                        id,
                        process,
                        node,
                        op,
                        invokeNanos,
                        returnNanos,
                        outcome,
                        new Observed(observed.applied(), observed.value(), null, observed.fresh()));
    }

    /** The same, as if its answer had been lost. */
    Operation opened() {
        return new Operation(id, process, node, op, invokeNanos, OPEN, Outcome.UNKNOWN, null);
    }

    @Override
    public String toString() {
        return process + (node.equals(process) ? "" : "@" + node) + " " + op + " -> " + answer();
    }

    private String answer() {
        if (observed == null) {
            return outcome == Outcome.FAIL ? "failed" : "unknown";
        }
        String version = observed.version() == null ? "" : " version " + observed.version();
        String said;
        if (op.isRead()) {
            said = (observed.value() == null ? "absent" : observed.value()) + (observed.fresh() ? "" : " (stale)");
        } else if (!observed.applied()) {
            said = "refused" + (observed.value() == null ? "" : ", holds " + observed.value());
        } else {
            said = observed.value() == null ? "ok" : observed.value();
        }
        return said + version;
    }
}
