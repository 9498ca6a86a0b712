package dev.terrace.tier.local;

import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;

/**
 * One entry in a segment of the file: a header of {@value #HEADER_BYTES} bytes, then the envelope. Big-endian.
 *
 * <pre>
 *  0 mark 4       {@link #MARK} while the record counts; written last, taken away first
 *  4 length 4     of the envelope
 *  8 hash 16
 * 24 deadline 8   until when L1 may answer it, in milliseconds of the wall clock
 * 32 check 4      of all of these, of the place, and of which file this is
 * 36 envelope     with its own checksum
 * </pre>
 *
 * <p>A process that is killed leaves whole records only, because its stores reach the page cache in the order in which it made them; a
 * machine that stops may leave anything, and the checks say so. A copy of a record elsewhere, and the bytes of a value, are no record: the
 * check is keyed by a number that nobody outside the file knows.
 */
final class FileRecord {
    static final int HEADER_BYTES = 36;

    private static final int MARK = 0x54524543;
    private static final int LENGTH_AT = 4;
    private static final int HIGH_AT = 8;
    private static final int LOW_AT = 16;
    private static final int DEADLINE_AT = 24;
    private static final int CHECK_AT = 32;

    private FileRecord() {}

    /** Writes a whole record, which counts from the last store on. */
    static void write(ByteBuffer segment, int at, long salt, HashKey key, StoredValue value) {
        segment.putInt(at + LENGTH_AT, value.length);
        segment.putLong(at + HIGH_AT, key.high);
        segment.putLong(at + LOW_AT, key.low);
        segment.putLong(at + DEADLINE_AT, value.deadlineMillis);
        segment.put(at + HEADER_BYTES, value.envelope, 0, value.length);
        segment.putInt(at + CHECK_AT, check(segment, at, salt, value.length, value.deadlineMillis));
        // A kill between any two stores must leave no mark over half a record.
        VarHandle.releaseFence();
        segment.putInt(at, MARK);
        VarHandle.releaseFence();
    }

    /** The record counts no more. */
    static void wipe(ByteBuffer segment, int at) {
        segment.putInt(at, 0);
        // Before its room is written to by another.
        VarHandle.releaseFence();
    }

    static boolean isMarked(ByteBuffer segment, int at) {
        return segment.getInt(at) == MARK;
    }

    /** Whether the header is what was written here. */
    static boolean isSound(ByteBuffer segment, int at, long salt) {
        return isSound(segment, at, salt, length(segment, at), deadline(segment, at));
    }

    /** The same of a length and a deadline that were read before: what is in the file may change between two looks. */
    private static boolean isSound(ByteBuffer segment, int at, long salt, int length, long deadlineMillis) {
        return isMarked(segment, at)
                && length >= 0
                && length <= segment.capacity() - at - HEADER_BYTES
                && segment.getInt(at + CHECK_AT) == check(segment, at, salt, length, deadlineMillis);
    }

    static boolean isFor(ByteBuffer segment, int at, HashKey key) {
        return segment.getLong(at + HIGH_AT) == key.high && segment.getLong(at + LOW_AT) == key.low;
    }

    static void key(ByteBuffer segment, int at, HashKey into) {
        into.set(segment.getLong(at + HIGH_AT), segment.getLong(at + LOW_AT));
    }

    static int length(ByteBuffer segment, int at) {
        return segment.getInt(at + LENGTH_AT);
    }

    static long deadline(ByteBuffer segment, int at) {
        return segment.getLong(at + DEADLINE_AT);
    }

    /** Gives a record another deadline. */
    static void end(ByteBuffer segment, int at, long salt, long deadlineMillis) {
        wipe(segment, at);
        segment.putLong(at + DEADLINE_AT, deadlineMillis);
        segment.putInt(at + CHECK_AT, check(segment, at, salt, length(segment, at), deadlineMillis));
        VarHandle.releaseFence();
        segment.putInt(at, MARK);
        VarHandle.releaseFence();
    }

    /** Copies a record whose header is sound, or says that it is damaged; of no use while it is being replaced. */
    static void read(ByteBuffer segment, int at, long salt, int slot, StoredValue into) {
        int length = length(segment, at);
        long deadlineMillis = deadline(segment, at);
        if (!isSound(segment, at, salt, length, deadlineMillis)) {
            into.damaged();
            return;
        }
        into.slot = slot;
        into.deadlineMillis = deadlineMillis;
        into.resize(length);
        segment.get(at + HEADER_BYTES, into.envelope, 0, length);
    }

    private static int check(ByteBuffer segment, int at, long salt, int length, long deadlineMillis) {
        long mixed = FileHeader.mix(salt ^ at);
        mixed = FileHeader.mix(mixed ^ length);
        mixed = FileHeader.mix(mixed ^ segment.getLong(at + HIGH_AT));
        mixed = FileHeader.mix(mixed ^ segment.getLong(at + LOW_AT));
        mixed = FileHeader.mix(mixed ^ deadlineMillis);
        return (int) (mixed >>> 32);
    }
}
