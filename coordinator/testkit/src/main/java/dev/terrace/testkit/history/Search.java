package dev.terrace.testkit.history;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Looks for an order of one key's operations that a register could have carried out: the algorithm of Wing and Gong (1993)
 * with the memory of Lowe ("Testing for linearizability", 2017), in the shape of a list of calls and returns from which
 * what is ordered is lifted out.
 *
 * <p>Four things keep it from trying what cannot help:
 *
 * <ul>
 *   <li>a read that is legal and tells nothing new is ordered at once and never reconsidered: it changes nothing
 *   <li>when a value can be written by one operation only, the next write has to wait until all that saw it are ordered
 *   <li>an unknown write whose value nobody saw is left out: whatever order needs it works without it
 *   <li>unknown invalidations are alike, so they are used in one order only
 * </ul>
 *
 * Not thread-safe; used once.
 */
final class Search {
    /** What came out. */
    enum Result {
        LEGAL,
        ILLEGAL,
        OUT_OF_TIME,
        OUT_OF_MEMORY
    }

    private static final int STEPS_BETWEEN_CHECKS = 1 << 10;
    private static final int BYTES_PER_MEMORY = 96;

    private final RegisterModel model = new RegisterModel();
    private final Operation[] operations;
    private final long deadlineNanos;
    private final long mostBytes;

    // Events of the list: operation i is called at event callOf[i] and returns at event returnOf[i], or never (-1).
    private final int[] operationAt;
    private final boolean[] isReturn;
    private final int[] next;
    private final int[] previous;
    private final int[] returnOf;
    private final int end;

    private final BitSet ordered;
    private final Set<Memory> memories = new HashSet<>();
    private long bytes;
    private int unanswered;

    /** By value id: how many unordered operations saw it; and whether one operation at most can have written it. */
    private int[] observers = new int[64];

    private boolean[] writtenOnce = new boolean[64];

    /** The rank of unknown invalidations among themselves, else -1. */
    private final int[] rankOfUnknownInvalidation;

    private int unknownInvalidationsUsed;

    /** What was ordered: everything before {@code prefix}, and of what follows the {@code rest}. */
    private record Memory(int prefix, BitSet rest, long state) {}

    private record Step(int event, long stateBefore, boolean forced) {}

    private Search(List<Operation> ofOneKey, long deadlineNanos, long mostBytes) {
        this.operations = relevant(ofOneKey).toArray(Operation[]::new);
        this.deadlineNanos = deadlineNanos;
        this.mostBytes = mostBytes;
        this.ordered = new BitSet(operations.length);
        this.returnOf = new int[operations.length];
        this.rankOfUnknownInvalidation = new int[operations.length];

        List<long[]> events = new ArrayList<>();
        for (int i = 0; i < operations.length; i++) {
            events.add(new long[] {operations[i].invokeNanos(), 0, i});
            if (operations[i].returnNanos() != Operation.OPEN) {
                events.add(new long[] {operations[i].returnNanos(), 1, i});
            }
        }
        // Calls before returns of the same moment: they overlap.
        events.sort(Comparator.<long[]>comparingLong(e -> e[0]).thenComparingLong(e -> e[1]));
        end = events.size() + 1;
        operationAt = new int[end + 1];
        isReturn = new boolean[end + 1];
        next = new int[end + 1];
        previous = new int[end + 1];
        Arrays.fill(returnOf, -1);
        for (int e = 1; e < end; e++) {
            long[] event = events.get(e - 1);
            operationAt[e] = (int) event[2];
            isReturn[e] = event[1] == 1;
            if (isReturn[e]) {
                returnOf[operationAt[e]] = e;
                unanswered++;
            }
        }
        for (int e = 0; e <= end; e++) {
            next[e] = e + 1;
            previous[e] = e - 1;
        }
        rank();
        countObservers();
    }

    /** Is there a legal order of these operations, all of one key? */
    static Result run(List<Operation> ofOneKey, long deadlineNanos, long mostBytes) {
        return new Search(ofOneKey, deadlineNanos, mostBytes).run();
    }

    private static List<Operation> relevant(List<Operation> all) {
        Map<String, Integer> seen = new HashMap<>();
        boolean everyWriteMatters = false;
        for (Operation operation : all) {
            String value = observes(operation);
            if (value != null) {
                seen.merge(value, 1, Integer::sum);
            }
            Observed observed = operation.observed();
            everyWriteMatters |= observed != null && !observed.applied();
            everyWriteMatters |=
                    operation.op().kind() == Op.Kind.INCREMENT || operation.op().kind() == Op.Kind.REPLACE_VERSION;
        }
        boolean keepUnseen = everyWriteMatters;
        return all.stream()
                .filter(operation -> operation.outcome() != Outcome.FAIL)
                .filter(operation ->
                        operation.outcome() == Outcome.OK || !operation.op().isRead())
                .filter(operation -> operation.outcome() == Outcome.OK
                        || keepUnseen
                        || operation.op().value() == null
                        || seen.containsKey(operation.op().value()))
                .toList();
    }

    /** The value that {@code operation} proves to have been there when it took effect, or null. */
    private static @Nullable String observes(Operation operation) {
        Observed observed = operation.observed();
        if (operation.op().kind() == Op.Kind.COMPARE_AND_SET && (observed == null || observed.applied())) {
            return operation.op().expected();
        }
        return observed != null && (operation.op().isRead() || !observed.applied()) ? observed.value() : null;
    }

    private void rank() {
        Arrays.fill(rankOfUnknownInvalidation, -1);
        int rank = 0;
        for (int e = 1; e < end; e++) {
            Operation operation = operations[operationAt[e]];
            if (operation.outcome() == Outcome.UNKNOWN && operation.op().kind() == Op.Kind.INVALIDATE) {
                rankOfUnknownInvalidation[operationAt[e]] = rank++;
            }
        }
    }

    private void countObservers() {
        Map<Integer, Integer> writers = new HashMap<>();
        boolean increments = false;
        for (Operation operation : operations) {
            increments |= operation.op().kind() == Op.Kind.INCREMENT;
            if (operation.mayWrite()) {
                writers.merge(model.valueId(operation.op().value()), 1, Integer::sum);
            }
        }
        // Absent is "written" once before the history begins.
        writers.merge(0, 1, Integer::sum);
        for (Operation operation : operations) {
            if (operation.outcome() == Outcome.OK && seesWhatWasThere(operation)) {
                int value = saw(operation);
                observers = grown(observers, value);
                observers[value]++;
            }
        }
        for (Map.Entry<Integer, Integer> writer : writers.entrySet()) {
            if (writtenOnce.length <= writer.getKey()) {
                writtenOnce = Arrays.copyOf(writtenOnce, writer.getKey() * 2);
            }
            writtenOnce[writer.getKey()] = !increments && writer.getValue() == 1;
        }
    }

    private static int[] grown(int[] array, int index) {
        return index < array.length ? array : Arrays.copyOf(array, index * 2);
    }

    private static boolean seesWhatWasThere(Operation operation) {
        Observed observed = Objects.requireNonNull(operation.observed());
        return switch (operation.op().kind()) {
            case GET -> true;
            case PUT, INVALIDATE, INCREMENT, REPLACE_VERSION -> false;
            case PUT_IF_ABSENT -> observed.applied() || observed.value() != null;
            case COMPARE_AND_SET -> observed.applied() || observed.value() != null;
        };
    }

    private int saw(Operation operation) {
        Observed observed = Objects.requireNonNull(operation.observed());
        if (operation.op().isRead() || !observed.applied()) {
            return model.valueId(observed.value());
        }
        return operation.op().kind() == Op.Kind.COMPARE_AND_SET
                ? model.valueId(operation.op().expected())
                : 0;
    }

    private void observersOf(Operation operation, int change) {
        if (operation.outcome() == Outcome.OK && seesWhatWasThere(operation)) {
            observers[saw(operation)] += change;
        }
    }

    private Result run() {
        Deque<Step> steps = new ArrayDeque<>();
        long state = RegisterModel.initial();
        int event = next[0];
        int countdown = STEPS_BETWEEN_CHECKS;
        while (unanswered > 0) {
            if (--countdown <= 0) {
                countdown = STEPS_BETWEEN_CHECKS;
                if (System.nanoTime() - deadlineNanos > 0) {
                    return Result.OUT_OF_TIME;
                }
            }
            if (bytes > mostBytes) {
                return Result.OUT_OF_MEMORY;
            }
            if (event != end && !isReturn[event]) {
                int index = operationAt[event];
                Operation operation = operations[index];
                long after = mayFollow(index) ? model.apply(state, operation) : RegisterModel.ILLEGAL;
                boolean forced = after == state && operation.op().isRead();
                if (after != RegisterModel.ILLEGAL && !leavesSomethingUnseen(state, after, operation)) {
                    lift(event, index);
                    if (forced || remember(after)) {
                        steps.push(new Step(event, state, forced));
                        state = after;
                        event = next[0];
                        continue;
                    }
                    putBack(event, index);
                }
                event = next[event];
            } else {
                // Something returned here that could not be ordered before: the last free choice was wrong.
                Step wrong;
                do {
                    if (steps.isEmpty()) {
                        return Result.ILLEGAL;
                    }
                    wrong = steps.pop();
                    putBack(wrong.event(), operationAt[wrong.event()]);
                } while (wrong.forced());
                state = wrong.stateBefore();
                event = next[wrong.event()];
            }
        }
        return Result.LEGAL;
    }

    private boolean mayFollow(int index) {
        int rank = rankOfUnknownInvalidation[index];
        return rank < 0 || rank == unknownInvalidationsUsed;
    }

    private boolean leavesSomethingUnseen(long state, long after, Operation operation) {
        int value = RegisterModel.value(state);
        if (value == RegisterModel.value(after)
                || value >= writtenOnce.length
                || value >= observers.length
                || !writtenOnce[value]) {
            return false;
        }
        boolean sawIt = operation.outcome() == Outcome.OK && seesWhatWasThere(operation) && saw(operation) == value;
        return observers[value] > (sawIt ? 1 : 0);
    }

    private void lift(int event, int index) {
        unlink(event);
        ordered.set(index);
        if (returnOf[index] >= 0) {
            unlink(returnOf[index]);
            unanswered--;
        }
        observersOf(operations[index], -1);
        if (rankOfUnknownInvalidation[index] >= 0) {
            unknownInvalidationsUsed++;
        }
    }

    private void putBack(int event, int index) {
        if (returnOf[index] >= 0) {
            link(returnOf[index]);
            unanswered++;
        }
        link(event);
        ordered.clear(index);
        observersOf(operations[index], 1);
        if (rankOfUnknownInvalidation[index] >= 0) {
            unknownInvalidationsUsed--;
        }
    }

    private void unlink(int event) {
        next[previous[event]] = next[event];
        previous[next[event]] = previous[event];
    }

    private void link(int event) {
        next[previous[event]] = event;
        previous[next[event]] = event;
    }

    private boolean remember(long state) {
        // What is ordered is nearly a prefix: only the ragged rest is kept.
        int prefix = ordered.nextClearBit(0);
        BitSet rest = ordered.get(prefix, Math.max(prefix, ordered.length()));
        if (!memories.add(new Memory(prefix, rest, state))) {
            return false;
        }
        bytes += BYTES_PER_MEMORY + rest.size() / 8;
        return true;
    }
}
