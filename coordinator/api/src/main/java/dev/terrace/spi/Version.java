package dev.terrace.spi;

import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * When an entry was written, in a total order that every node agrees on: a hybrid logical clock reading, then the id of
 * the node that took it. The greater version wins every conflict.
 *
 * <p>Sixteen bytes on the wire, big-endian: 48 bits of milliseconds since the epoch, 16 bits of counter, 64 bits of node
 * id of which the lowest bit marks the results of conditional writes. Order is that of the unsigned bytes. See Kulkarni et al., "Logical Physical Clocks", OPODIS 2014.
 *
 * @param clock 48 bits of wall-clock milliseconds followed by a 16-bit counter, compared unsigned
 * @param node 63 bits of the writer's node id and the mark, compared unsigned
 */
public record Version(long clock, long node) implements Comparable<Version> {
    /** Older than every version a clock hands out. */
    public static final Version ZERO = new Version(0, 0);

    /** Length of the binary form. */
    public static final int BYTES = 16;

    /** Returns the version of the given wall-clock milliseconds, counter (0 to 65,535) and node id. */
    public static Version of(long epochMillis, int counter, long node) {
        if (epochMillis >>> 48 != 0) {
            throw new IllegalArgumentException("epochMillis does not fit 48 bits: " + epochMillis);
        }
        if (counter >>> 16 != 0) {
            throw new IllegalArgumentException("counter does not fit 16 bits: " + counter);
        }
        return new Version(epochMillis << 16 | counter, node);
    }

    /** Wall-clock milliseconds since the epoch at the writer. */
    public long epochMillis() {
        return clock >>> 16;
    }

    /** Orders versions taken by one node within the same millisecond. */
    public int counter() {
        return (int) (clock & 0xFFFF);
    }

    /**
     * True for the result of a conditional write over several zones. A plain write that finds it may not count as having
     * happened just before: the condition would not have held.
     */
    public boolean isConditional() {
        return (node & 1) == 1;
    }

    /** True when this version beats {@code other}; null stands for "nothing there". */
    public boolean isNewerThan(@Nullable Version other) {
        return other == null || compareTo(other) > 0;
    }

    @Override
    public int compareTo(Version other) {
        int byClock = Long.compareUnsigned(clock, other.clock);
        return byClock != 0 ? byClock : Long.compareUnsigned(node, other.node);
    }

    /** The 32 hex digits of the binary form, the shape shown to users and taken back by {@link #parse}. */
    @Override
    public String toString() {
        HexFormat hex = HexFormat.of();
        return hex.toHexDigits(clock) + hex.toHexDigits(node);
    }

    /**
     * Reads what {@link #toString} wrote.
     *
     * @throws IllegalArgumentException when {@code text} is not 32 hex digits
     */
    public static Version parse(String text) {
        if (text.length() != 32) {
            throw new IllegalArgumentException("a version is 32 hex digits, not '" + text + "'");
        }
        return new Version(HexFormat.fromHexDigitsToLong(text, 0, 16), HexFormat.fromHexDigitsToLong(text, 16, 32));
    }
}
