package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a process asked for: one operation on one key. Immutable.
 *
 * @param kind what to do
 * @param key the register it is done to
 * @param value what is written; null for reads, invalidations and increments
 * @param expected the value that a {@link Kind#COMPARE_AND_SET} asks for; null stands for "absent"
 * @param expectedVersion the version that a {@link Kind#REPLACE_VERSION} asks for, else null
 * @param delta what an {@link Kind#INCREMENT} adds, else 0
 */
public record Op(
        Kind kind,
        String key,
        @Nullable String value,
        @Nullable String expected,
        @Nullable Version expectedVersion,
        long delta) {
    /** The operations of a register. */
    public enum Kind {
        /** Reads. */
        GET,
        /** Writes a value. */
        PUT,
        /** Writes a value if the key is absent. */
        PUT_IF_ABSENT,
        /** Writes a value if the current one is the expected one. */
        COMPARE_AND_SET,
        /** Writes a value if the current version is the expected one. */
        REPLACE_VERSION,
        /** Makes the key absent. */
        INVALIDATE,
        /** Adds to the decimal number that the key holds; an absent key counts as zero. */
        INCREMENT
    }

    /** Checks that the parts belong together. */
    public Op {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(key, "key");
        boolean writesValue = kind == Kind.PUT
                || kind == Kind.PUT_IF_ABSENT
                || kind == Kind.COMPARE_AND_SET
                || kind == Kind.REPLACE_VERSION;
        if (writesValue != (value != null)) {
            throw new IllegalArgumentException(
                    kind + (writesValue ? " needs a value" : " writes no value: '" + value + "'"));
        }
    }

    /** Reads {@code key}. */
    public static Op get(String key) {
        return new Op(Kind.GET, key, null, null, null, 0);
    }

    /** Writes {@code value}. */
    public static Op put(String key, String value) {
        return new Op(Kind.PUT, key, value, null, null, 0);
    }

    /** Writes {@code value} if {@code key} is absent. */
    public static Op putIfAbsent(String key, String value) {
        return new Op(Kind.PUT_IF_ABSENT, key, value, null, null, 0);
    }

    /** Writes {@code value} if {@code key} holds {@code expected}; null for "absent". */
    public static Op compareAndSet(String key, @Nullable String expected, String value) {
        return new Op(Kind.COMPARE_AND_SET, key, value, expected, null, 0);
    }

    /** Writes {@code value} if the version of what {@code key} holds is {@code expected}. */
    public static Op replace(String key, Version expected, String value) {
        return new Op(Kind.REPLACE_VERSION, key, value, null, expected, 0);
    }

    /** Makes {@code key} absent. */
    public static Op invalidate(String key) {
        return new Op(Kind.INVALIDATE, key, null, null, null, 0);
    }

    /** Adds {@code delta} to the number under {@code key}. */
    public static Op increment(String key, long delta) {
        return new Op(Kind.INCREMENT, key, null, null, null, delta);
    }

    /** True when it can never change anything. */
    public boolean isRead() {
        return kind == Kind.GET;
    }

    @Override
    public String toString() {
        return switch (kind) {
            case GET -> "get(" + key + ")";
            case PUT -> "put(" + key + ", " + value + ")";
            case PUT_IF_ABSENT -> "put-if-absent(" + key + ", " + value + ")";
            case COMPARE_AND_SET -> "compare-and-set(" + key + ", " + expected + " -> " + value + ")";
            case REPLACE_VERSION -> "replace(" + key + ", version " + expectedVersion + " -> " + value + ")";
            case INVALIDATE -> "invalidate(" + key + ")";
            case INCREMENT -> "increment(" + key + ", " + delta + ")";
        };
    }
}
