package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one register does. A state is a value and the version it was written with, both as numbers, in one long; so that
 * states are cheap to compare and to remember. A version may be unknown, because the write that would have told it
 * was never answered; the first operation that sees it tells it. Not thread-safe.
 */
final class RegisterModel {
    /** The operation cannot happen in this state with the answer it got. */
    static final long ILLEGAL = Long.MIN_VALUE;

    private static final int ABSENT = 0;
    private static final int NO_VERSION = 0;
    private static final @Nullable String NOTHING = null;

    private final Map<@Nullable String, Integer> valueIds = new HashMap<>();
    private final List<@Nullable String> values = new ArrayList<>();
    private final Map<Version, Integer> versionIds = new HashMap<>();

    RegisterModel() {
        values.add(NOTHING);
        valueIds.put(NOTHING, ABSENT);
    }

    static long initial() {
        return state(ABSENT, NO_VERSION);
    }

    private static long state(int value, int version) {
        return (long) value << 32 | version;
    }

    static int value(long state) {
        return (int) (state >>> 32);
    }

    private static int version(long state) {
        return (int) state;
    }

    /** The number of this value; 0 is absent. */
    int valueId(@Nullable String value) {
        Integer known = valueIds.get(value);
        if (known != null) {
            return known;
        }
        valueIds.put(value, values.size());
        values.add(value);
        return values.size() - 1;
    }

    private int versionId(@Nullable Version version) {
        return version == null ? NO_VERSION : versionIds.computeIfAbsent(version, fresh -> versionIds.size() + 1);
    }

    /** The state after {@code operation}, or {@link #ILLEGAL}. One without an answer is illegal where it would do nothing. */
    long apply(long state, Operation operation) {
        Op op = operation.op();
        Observed seen = operation.observed();
        return switch (op.kind()) {
            case GET -> seen == null ? ILLEGAL : look(state, seen);
            case PUT -> written(op, seen);
            case INVALIDATE -> seen == null && value(state) == ABSENT ? ILLEGAL : written(op, seen);
            case PUT_IF_ABSENT -> conditional(state, op, seen, value(state) == ABSENT);
            case COMPARE_AND_SET -> conditional(state, op, seen, value(state) == valueId(op.expected()));
            case REPLACE_VERSION -> replace(state, op, seen);
            case INCREMENT -> increment(state, op, seen);
        };
    }

    /** An answer that tells what is held. */
    private long look(long state, Observed seen) {
        if (value(state) != valueId(seen.value())) {
            return ILLEGAL;
        }
        return told(state, versionId(seen.version()));
    }

    private static long told(long state, int told) {
        if (told == NO_VERSION || version(state) == told) {
            return state;
        }
        if (version(state) == NO_VERSION) {
            return state(value(state), told);
        }
        // Of what is absent, tombstones and markers may tell different versions.
        return value(state) == ABSENT ? state : ILLEGAL;
    }

    private long written(Op op, @Nullable Observed seen) {
        return state(valueId(op.value()), seen == null ? NO_VERSION : versionId(seen.version()));
    }

    private long conditional(long state, Op op, @Nullable Observed seen, boolean condition) {
        if (seen == null || seen.applied()) {
            return condition ? written(op, seen) : ILLEGAL;
        }
        return condition ? ILLEGAL : refused(state, seen);
    }

    private long replace(long state, Op op, @Nullable Observed seen) {
        boolean unknown = version(state) == NO_VERSION;
        boolean equal = version(state) == versionId(op.expectedVersion());
        if (seen == null || seen.applied()) {
            return unknown || equal ? written(op, seen) : ILLEGAL;
        }
        return equal && !unknown ? ILLEGAL : refused(state, seen);
    }

    private long refused(long state, Observed seen) {
        // A refusal need not tell what is held.
        return seen.value() == null ? told(state, versionId(seen.version())) : look(state, seen);
    }

    private long increment(long state, Op op, @Nullable Observed seen) {
        Long sum = sum(values.get(value(state)), op.delta());
        if (seen != null && !seen.applied()) {
            return sum == null ? refused(state, seen) : ILLEGAL;
        }
        if (sum == null) {
            return ILLEGAL;
        }
        String text = Long.toString(sum);
        if (seen != null && seen.value() != null && !seen.value().equals(text)) {
            return ILLEGAL;
        }
        return state(valueId(text), seen == null ? NO_VERSION : versionId(seen.version()));
    }

    /** Null when {@code held} is no number or the sum is none of 64 bits. */
    private static @Nullable Long sum(@Nullable String held, long delta) {
        try {
            return Math.addExact(held == null ? 0 : Long.parseLong(held), delta);
        } catch (NumberFormatException | ArithmeticException e) {
            return null;
        }
    }
}
