package dev.terrace.spi;

import org.jspecify.annotations.Nullable;

/** What an entry says about its key. */
public enum EntryKind {
    /** The key has a value. */
    VALUE(0),
    /** The key was invalidated or deleted; kept so that late fills of older versions lose. */
    TOMBSTONE(1),
    /** The origin was asked and has no value: a negative answer worth remembering. */
    NOT_FOUND(2);

    private static final EntryKind[] BY_CODE = {VALUE, TOMBSTONE, NOT_FOUND};

    private final byte code;

    EntryKind(int code) {
        this.code = (byte) code;
    }

    /** Its byte in the envelope. */
    public byte code() {
        return code;
    }

    /** The kind with this byte, or null. */
    public static @Nullable EntryKind ofCode(byte code) {
        return code >= 0 && code < BY_CODE.length ? BY_CODE[code] : null;
    }
}
