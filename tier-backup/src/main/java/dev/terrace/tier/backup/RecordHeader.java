package dev.terrace.tier.backup;

import org.jspecify.annotations.Nullable;

/**
 * What stands before the body of a record of format 2, in clear; the layout stands in {@code docs/format.md}.
 *
 * @param flags what was done to the body
 * @param keyReference lowest 16 bits of the sub-key's id; 0 when plain
 * @param counter nonce under that sub-key; 0 when plain
 * @param declared length of the body when expanded; 0 when it is not compressed
 * @param dictionaryReference first two bytes of the dictionary's id; 0 when there is none
 * @param clock clock half of the version
 * @param length of the header itself
 */
record RecordHeader(
        int flags, int keyReference, long counter, long declared, int dictionaryReference, long clock, int length) {
    static final int FORMAT = 2;

    /** The body is a zstd block or frame. */
    static final int COMPRESSED = 1;
    /** The body is sealed by AES-256-GCM; otherwise a CRC32C follows it. */
    static final int ENCRYPTED = 2;
    /** It was compressed with a dictionary. */
    static final int DICTIONARY = 4;
    /** It is a whole frame, without the magic number, rather than a single block without its header. */
    static final int FRAME = 8;

    static final int MOST_BYTES = 32;
    private static final int MILLIS_BYTES = 6;
    private static final long MOST_VERSION_COUNTER = 0xFFFF;

    /** Which format a record is of: 0 when it can be of none, and perhaps one that only later builds know. */
    static int formatOf(byte[] record) {
        if (record.length == 0) {
            return 0;
        }
        // Format 1 had a whole byte for its number.
        int format = (record[0] & 0xFF) >>> 4;
        return record[0] == FormatOne.FORMAT ? 1 : format < FORMAT ? 0 : format;
    }

    boolean has(int flag) {
        return (flags & flag) != 0;
    }

    /** Writes it at the beginning of {@code out}. Returns its length. */
    int write(byte[] out) {
        out[0] = (byte) (FORMAT << 4 | flags);
        int at = 1;
        if (has(ENCRYPTED)) {
            at = Cursor.putNumber(out, at, keyReference, 2);
            at = Cursor.putVarint(out, at, counter);
        }
        if (has(COMPRESSED)) {
            at = Cursor.putVarint(out, at, declared);
        }
        if (has(DICTIONARY)) {
            at = Cursor.putNumber(out, at, dictionaryReference, 2);
        }
        at = Cursor.putNumber(out, at, clock >>> 16, MILLIS_BYTES);
        return Cursor.putVarint(out, at, clock & MOST_VERSION_COUNTER);
    }

    /** Reads the first {@code available} bytes of a record of format 2; null when they are no header. */
    static @Nullable RecordHeader read(byte[] record, int available) {
        Cursor in = new Cursor(record, 0, available);
        int first = in.u8();
        int flags = first & 0xF;
        boolean encrypted = (flags & ENCRYPTED) != 0;
        boolean compressed = (flags & COMPRESSED) != 0;
        int key = encrypted ? (int) in.number(2) : 0;
        long counter = encrypted ? in.varint() : 0;
        long declared = compressed ? in.varint() : 0;
        int dictionary = (flags & DICTIONARY) != 0 ? (int) in.number(2) : 0;
        long millis = in.number(MILLIS_BYTES);
        long versionCounter = in.varint();
        if (in.isBad()
                || first >>> 4 != FORMAT
                || counter < 0
                || declared < 0
                || declared > Records.MAX_ENVELOPE_BYTES
                || versionCounter < 0
                || versionCounter > MOST_VERSION_COUNTER
                || (!compressed && (flags & (DICTIONARY | FRAME)) != 0)) {
            return null;
        }
        return new RecordHeader(flags, key, counter, declared, dictionary, millis << 16 | versionCounter, in.at());
    }
}
