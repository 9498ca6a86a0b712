package dev.terrace.tier.backup;

import java.util.Arrays;

/**
 * Reads numbers and bytes from a part of an array that may hold anything. What goes beyond its end, or is too long to be a number,
 * reads as zero or nothing and makes {@link #isBad} true for good, so that a reader checks once in the end. Not thread-safe.
 */
final class Cursor {
    private static final int MOST_VARINT_BYTES = 10;
    private static final byte[] NOTHING = new byte[0];

    private final byte[] bytes;
    private final int end;
    private int at;
    private boolean bad;

    Cursor(byte[] bytes, int from, int end) {
        this.bytes = bytes;
        this.at = from;
        this.end = end;
    }

    boolean isBad() {
        return bad;
    }

    int at() {
        return at;
    }

    int left() {
        return end - at;
    }

    private boolean has(long count) {
        bad |= count < 0 || count > end - at;
        return !bad;
    }

    int u8() {
        return has(1) ? bytes[at++] & 0xFF : 0;
    }

    /** A big-endian number of that many bytes. */
    long number(int size) {
        long value = 0;
        if (has(size)) {
            for (int i = 0; i < size; i++) {
                value = value << 8 | bytes[at++] & 0xFF;
            }
        }
        return value;
    }

    /** Seven bits a byte, the lowest first, the highest bit set in all but the last byte. */
    long varint() {
        long value = 0;
        for (int i = 0; i < MOST_VARINT_BYTES && has(1); i++) {
            byte next = bytes[at++];
            value |= (next & 0x7FL) << 7 * i;
            if (next >= 0) {
                return value;
            }
        }
        bad = true;
        return 0;
    }

    /** A {@link #varint} that may be negative: 0, -1, 1, -2 are 0, 1, 2, 3. */
    long zigzag() {
        long value = varint();
        return value >>> 1 ^ -(value & 1);
    }

    byte[] take(long count) {
        if (!has(count)) {
            return NOTHING;
        }
        at += (int) count;
        return Arrays.copyOfRange(bytes, at - (int) count, at);
    }

    // The writing side: each returns where the next byte goes.

    static int putNumber(byte[] out, int at, long value, int size) {
        for (int i = 0; i < size; i++) {
            out[at + i] = (byte) (value >>> 8 * (size - 1 - i));
        }
        return at + size;
    }

    static int putVarint(byte[] out, int at, long value) {
        int to = at;
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out[to++] = (byte) (rest | 0x80);
            rest >>>= 7;
        }
        out[to++] = (byte) rest;
        return to;
    }

    static int putZigzag(byte[] out, int at, long value) {
        return putVarint(out, at, value << 1 ^ value >> 63);
    }

    static int put(byte[] out, int at, byte[] value, int from, int length) {
        System.arraycopy(value, from, out, at, length);
        return at + length;
    }
}
