package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Was an acknowledged write lost? At the end, every one must be readable, or superseded by something newer that was really issued.
 * Newer is what has the higher version, or, where versions were not told, what was not over before the lost one began.
 *
 * <p>Stateless and thread-safe.
 */
public final class DurabilityChecker {
    /**
     * Judges every key of the history.
     *
     * @param end what reads after the last write found; a key without an entry was not found
     */
    public Verdict check(History history, Map<String, Held> end) {
        List<Verdict> verdicts = new ArrayList<>();
        history.byKey()
                .forEach(
                        (key, operations) -> verdicts.add(check(key, operations, end.getOrDefault(key, Held.NOTHING))));
        return Verdict.all(verdicts);
    }

    private static Verdict check(String key, List<Operation> operations, Held end) {
        List<Operation> acknowledged =
                operations.stream().filter(Operation::isAcknowledgedWrite).toList();
        Operation origin = origin(operations, end);
        if (end.value() != null && origin == null) {
            return violated(key, "at the end it holds " + end + ", which nobody wrote", List.of());
        }
        List<Operation> lost = acknowledged.stream()
                .filter(write -> isLost(write, operations, end, origin))
                .sorted(Comparator.comparingLong(Operation::invokeNanos).reversed())
                .toList();
        if (lost.isEmpty()) {
            return new Verdict.Holds(acknowledged.size(), 0);
        }
        List<Operation> evidence = new ArrayList<>(lost.subList(0, Math.min(5, lost.size())));
        if (origin != null) {
            evidence.add(origin);
        }
        return violated(
                key,
                "at the end it holds " + end + "; " + lost.size() + " acknowledged and newer write"
                        + (lost.size() == 1 ? " is" : "s are") + " lost",
                evidence);
    }

    /** The write of what is held at the end; null when there is none. */
    private static @Nullable Operation origin(List<Operation> operations, Held end) {
        return operations.stream()
                .filter(operation -> !operation.op().isRead() && operation.mayWrite())
                .filter(operation -> end.value() == null
                        ? operation.op().kind() == Op.Kind.INVALIDATE
                                && end.version() != null
                                && end.version().equals(operation.version())
                        : wrote(operation, end.value()))
                .findFirst()
                .orElse(null);
    }

    private static boolean wrote(Operation operation, String value) {
        // An increment that was not answered may have written any number.
        return operation.op().kind() == Op.Kind.INCREMENT && operation.written() == null
                || value.equals(operation.written());
    }

    private static boolean isLost(Operation write, List<Operation> operations, Held end, @Nullable Operation origin) {
        if (write.equals(origin)) {
            return false;
        }
        Version endVersion = end.version() != null ? end.version() : origin == null ? null : origin.version();
        if (write.version() != null && endVersion != null) {
            return write.version().isNewerThan(endVersion);
        }
        if (origin != null) {
            return origin.precedes(write);
        }
        // Nothing is there, and nothing says which invalidation left it so: any that came later, or may have, will do.
        return operations.stream()
                .filter(operation -> operation.op().kind() == Op.Kind.INVALIDATE && operation.mayWrite())
                .noneMatch(invalidation -> invalidation.equals(write) || supersedes(invalidation, write));
    }

    private static boolean supersedes(Operation later, Operation write) {
        return later.version() != null && write.version() != null
                ? later.version().isNewerThan(write.version())
                : !later.precedes(write);
    }

    private static Verdict violated(String key, String reason, List<Operation> evidence) {
        return new Verdict.Violated(List.of(new Violation(
                key,
                reason,
                History.of(evidence.stream().filter(Objects::nonNull).toList()))));
    }
}
