package dev.terrace.testkit.history;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Is every key an atomic register? That is: can its operations be put into one order, in which an operation that returned
 * before another was invoked comes first, such that a plain variable would have given the same answers? Understands puts,
 * reads, conditional writes by value and by version, increments and invalidations, values used twice, and unknown outcomes.
 *
 * <p>Linearizability is local (Herlihy and Wing 1990), so each key is judged by itself, by the search of Wing and Gong (1993)
 * with Lowe's memory (2017). Its worst case is exponential in how many operations overlap; it gives up at its limits and
 * then says so. For long histories of plain writes with unique values, {@link UniqueWriteChecker} takes next to no time.
 *
 * <p>Versions, where told, are judged too: the same written value is never seen with two versions. Freshness flags are not
 * looked at: filter out answers that were flagged stale if they are allowed. A violation carries a counter-example from which
 * nothing more can be left out.
 *
 * <p>Immutable and thread-safe.
 */
public final class LinearizabilityChecker {
    private final CheckLimits limits;

    /** With {@link CheckLimits#DEFAULT}. */
    public LinearizabilityChecker() {
        this(CheckLimits.DEFAULT);
    }

    /** With these limits. */
    public LinearizabilityChecker(CheckLimits limits) {
        this.limits = Objects.requireNonNull(limits, "limits");
    }

    /** Judges every key. */
    public Verdict check(History history) {
        long deadline = System.nanoTime() + limits.time().toNanos();
        List<Verdict> verdicts = new ArrayList<>();
        for (Map.Entry<String, List<Operation>> key : history.byKey().entrySet()) {
            verdicts.add(check(key.getKey(), key.getValue(), deadline));
        }
        return Verdict.all(verdicts);
    }

    private Verdict check(String key, List<Operation> operations, long deadline) {
        return switch (Search.run(operations, deadline, limits.memoryBytes())) {
            case LEGAL -> new Verdict.Holds(operations.size(), 0);
            case ILLEGAL -> new Verdict.Violated(List.of(violation(key, operations)));
            case OUT_OF_TIME ->
                new Verdict.Undecided(List.of(
                        "key '" + key + "', " + operations.size() + " operations: no answer within " + limits.time()));
            case OUT_OF_MEMORY ->
                new Verdict.Undecided(List.of("key '" + key + "', " + operations.size()
                        + " operations: no answer within " + limits.memoryBytes() + " bytes"));
        };
    }

    private Violation violation(String key, List<Operation> operations) {
        long deadline = System.nanoTime() + limits.time().toNanos();
        List<Operation> least = Shrinking.shrink(
                operations,
                fewer -> Search.run(fewer, deadline, limits.memoryBytes()) == Search.Result.ILLEGAL,
                deadline);
        return new Violation(
                key,
                "not linearizable: no order of these " + least.size() + " operations explains their answers (out of "
                        + operations.size() + ")",
                History.of(least));
    }
}
