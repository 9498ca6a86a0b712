package dev.terrace.testkit.history;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Makes an illegal history of one key small. Only steps that cannot make a legal history illegal are taken, so what
 * remains shows the same fault and not one of the shrinking:
 *
 * <ul>
 *   <li>ending the history earlier: what had not returned by then becomes unknown
 *   <li>leaving out what changes nothing
 *   <li>leaving out a write together with everything that may have seen it; not while there are conditional writes that were
 *       refused, as they may have been refused because of it
 * </ul>
 */
final class Shrinking {
    private final Predicate<List<Operation>> illegal;
    private final long deadlineNanos;

    private Shrinking(Predicate<List<Operation>> illegal, long deadlineNanos) {
        this.illegal = illegal;
        this.deadlineNanos = deadlineNanos;
    }

    static List<Operation> shrink(List<Operation> operations, Predicate<List<Operation>> illegal, long deadlineNanos) {
        return new Shrinking(illegal, deadlineNanos).shrink(operations);
    }

    private boolean late() {
        return System.nanoTime() - deadlineNanos > 0;
    }

    private List<Operation> shrink(List<Operation> all) {
        List<Operation> least = shortest(all.stream()
                .filter(operation -> operation.outcome() == Outcome.OK
                        || operation.mayWrite() && !operation.op().isRead())
                .toList());
        boolean smaller = true;
        while (smaller && !late()) {
            smaller = false;
            for (int size = Math.max(1, least.size() / 2); size >= 1 && !late(); size /= 2) {
                for (int from = 0; from < least.size() && !late(); ) {
                    List<Operation> fewer = without(least, from, Math.min(least.size(), from + size));
                    if (fewer.size() < least.size() && illegal.test(fewer)) {
                        least = fewer;
                        smaller = true;
                    } else {
                        from += size;
                    }
                }
            }
        }
        return least;
    }

    /** The shortest illegal beginning. A beginning of a legal history is legal, so halving finds it. */
    private List<Operation> shortest(List<Operation> all) {
        List<Long> returns = all.stream()
                .map(Operation::returnNanos)
                .filter(nanos -> nanos != Operation.OPEN)
                .distinct()
                .sorted()
                .toList();
        int legal = -1;
        int bad = returns.size() - 1;
        while (bad - legal > 1 && !late()) {
            int middle = (legal + bad) >>> 1;
            if (illegal.test(until(all, returns.get(middle)))) {
                bad = middle;
            } else {
                legal = middle;
            }
        }
        List<Operation> beginning = until(all, returns.get(bad));
        return illegal.test(beginning) ? beginning : all;
    }

    private static List<Operation> until(List<Operation> all, long nanos) {
        List<Operation> beginning = new ArrayList<>();
        for (Operation operation : all) {
            if (operation.invokeNanos() <= nanos) {
                boolean returned = operation.returnNanos() <= nanos;
                if (returned) {
                    beginning.add(operation);
                } else if (operation.mayWrite()) {
                    beginning.add(operation.outcome() == Outcome.OK ? operation.opened() : operation);
                }
            }
        }
        return beginning;
    }

    private static List<Operation> without(List<Operation> all, int from, int to) {
        boolean refusals = all.stream().anyMatch(Shrinking::isRefusal);
        Set<Operation> leaving = new HashSet<>();
        for (Operation operation : all.subList(from, to)) {
            if (!operation.mayWrite() || operation.op().isRead()) {
                leaving.add(operation);
            } else if (!refusals) {
                leave(operation, all, leaving);
            }
        }
        return all.stream().filter(operation -> !leaving.contains(operation)).toList();
    }

    private static boolean isRefusal(Operation operation) {
        return operation.observed() != null && !operation.observed().applied();
    }

    private static void leave(Operation write, List<Operation> all, Set<Operation> leaving) {
        List<Operation> work = new ArrayList<>(List.of(write));
        while (!work.isEmpty()) {
            Operation gone = work.remove(work.size() - 1);
            if (leaving.add(gone) && gone.mayWrite() && !gone.op().isRead()) {
                for (Operation other : all) {
                    if (other.outcome() == Outcome.OK && maySee(other, gone)) {
                        work.add(other);
                    }
                }
            }
        }
    }

    private static boolean maySee(Operation reader, Operation write) {
        if (reader.equals(write) || reader.precedes(write)) {
            return false;
        }
        Observed seen = Objects.requireNonNull(reader.observed());
        boolean anyValue = write.op().kind() == Op.Kind.INCREMENT && write.written() == null;
        @Nullable String written = write.written();
        return switch (reader.op().kind()) {
            case GET -> anyValue || Objects.equals(seen.value(), written);
            case PUT, INVALIDATE -> false;
            case PUT_IF_ABSENT -> written == null && !anyValue;
            case COMPARE_AND_SET -> anyValue || Objects.equals(reader.op().expected(), written);
            case REPLACE_VERSION ->
                write.version() == null || write.version().equals(reader.op().expectedVersion());
            case INCREMENT -> true;
        };
    }
}
