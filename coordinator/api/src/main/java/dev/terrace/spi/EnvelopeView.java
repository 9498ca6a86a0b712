package dev.terrace.spi;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Reads the fields of an {@link Envelope} in place, for hot paths that must not allocate. Reusable and mutable; not
 * thread-safe: one per thread. The getters mean something only after {@link #wrap} returned null.
 */
public final class EnvelopeView {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INTS = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle SHORTS = MethodHandles.byteArrayViewVarHandle(short[].class, ByteOrder.BIG_ENDIAN);

    private final CRC32C crc = new CRC32C();
    private byte[] bytes = new byte[0];
    private EntryKind kind = EntryKind.VALUE;
    private long readAtMillis;

    /**
     * Checks that {@code source} holds a whole, sound envelope in its first {@code length} bytes and makes this view
     * read it. The array is kept, not copied.
     *
     * @return null when sound, otherwise what is wrong
     */
    public Envelope.@Nullable Flaw wrap(byte[] source, int length) {
        if (length < 1) {
            return Envelope.Flaw.TRUNCATED;
        }
        if (source[0] != Envelope.FORMAT) {
            return Envelope.Flaw.UNKNOWN_FORMAT;
        }
        if (length < Envelope.HEADER_BYTES + Envelope.TRAILER_BYTES) {
            return Envelope.Flaw.TRUNCATED;
        }
        bytes = source;
        long declared = (long) Envelope.HEADER_BYTES
                + nameLength()
                + keyLength()
                + tagsLength()
                + (payloadLength() & 0xFFFF_FFFFL)
                + Envelope.TRAILER_BYTES;
        if (declared != length) {
            return declared > length ? Envelope.Flaw.TRUNCATED : Envelope.Flaw.BAD_STRUCTURE;
        }
        crc.reset();
        crc.update(source, 0, length - Envelope.TRAILER_BYTES);
        if ((int) crc.getValue() != (int) INTS.get(source, length - Envelope.TRAILER_BYTES)) {
            return Envelope.Flaw.BAD_CHECKSUM;
        }
        EntryKind declaredKind = EntryKind.ofCode(source[1]);
        if (declaredKind == null
                || nameLength() == 0
                || keyLength() == 0
                || payloadLength() < 0
                || staleUntilMillis() < freshUntilMillis()
                || (declaredKind != EntryKind.VALUE && payloadLength() != 0)) {
            return Envelope.Flaw.BAD_STRUCTURE;
        }
        kind = declaredKind;
        return null;
    }

    /** True when the envelope is about the key in {@code buffer}. */
    public boolean isFor(KeyBuffer buffer) {
        int total = nameLength() + keyLength();
        return nameLength() == buffer.nameLength()
                && Arrays.equals(
                        bytes,
                        Envelope.HEADER_BYTES,
                        Envelope.HEADER_BYTES + total,
                        buffer.array(),
                        0,
                        buffer.length());
    }

    /** True when the envelope is about {@code key}. */
    public boolean isFor(CacheKey key) {
        int total = nameLength() + keyLength();
        byte[] wanted = key.nameAndKey();
        return nameLength() == key.nameLength()
                && Arrays.equals(bytes, Envelope.HEADER_BYTES, Envelope.HEADER_BYTES + total, wanted, 0, wanted.length);
    }

    /** Notes when the envelope was read, so that whoever judges its freshness need not look at the clock again. */
    public void readAt(long nowMillis) {
        readAtMillis = nowMillis;
    }

    /** When the envelope was read, by the clock of the tier that read it. */
    public long readAtMillis() {
        return readAtMillis;
    }

    /** Takes the freshness from the copy that this view reads: it may be answered as stale only. */
    public void expire() {
        LONGS.set(bytes, Envelope.FRESH_AT, 0L);
    }

    /** The wrapped array. */
    public byte[] array() {
        return bytes;
    }

    /** Value, tombstone or negative answer. */
    public EntryKind kind() {
        return kind;
    }

    /** Clock half of the version. */
    public long versionClock() {
        return (long) LONGS.get(bytes, Envelope.VERSION_AT);
    }

    /** Node half of the version. */
    public long versionNode() {
        return (long) LONGS.get(bytes, Envelope.VERSION_AT + 8);
    }

    /** The version; allocates. */
    public Version version() {
        return new Version(versionClock(), versionNode());
    }

    /** When the value was written or loaded. */
    public long createdMillis() {
        return (long) LONGS.get(bytes, Envelope.CREATED_AT);
    }

    /** Until when it may be answered as fresh. */
    public long freshUntilMillis() {
        return (long) LONGS.get(bytes, Envelope.FRESH_AT);
    }

    /** Until when it may be answered at all. */
    public long staleUntilMillis() {
        return (long) LONGS.get(bytes, Envelope.STALE_AT);
    }

    /** Length of the cache name. */
    public int nameLength() {
        return (short) SHORTS.get(bytes, Envelope.NAME_LENGTH_AT) & 0xFFFF;
    }

    /** Length of the key. */
    public int keyLength() {
        return (short) SHORTS.get(bytes, Envelope.KEY_LENGTH_AT) & 0xFFFF;
    }

    /** True when the entry carries tags. */
    public boolean hasTags() {
        return tagsLength() != 0;
    }

    /** The tags; allocates. Empty when they are not what they should be. */
    public List<String> tags() {
        List<String> tags =
                Envelope.readTags(bytes, Envelope.HEADER_BYTES + nameLength() + keyLength(), payloadOffset());
        return tags == null ? List.of() : tags;
    }

    private int tagsLength() {
        return (short) SHORTS.get(bytes, Envelope.TAGS_LENGTH_AT) & 0xFFFF;
    }

    /** Where the payload starts in {@link #array()}. */
    public int payloadOffset() {
        return Envelope.HEADER_BYTES + nameLength() + keyLength() + tagsLength();
    }

    /** Length of the payload. */
    public int payloadLength() {
        return (int) INTS.get(bytes, Envelope.PAYLOAD_LENGTH_AT);
    }
}
