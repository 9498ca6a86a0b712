package dev.terrace.spi;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The one binary form of an {@link Entry}, the same bytes in every tier. Big-endian:
 *
 * <pre>
 * offset  size  field
 *      0     1  format, 0x01
 *      1     1  kind: 0 value, 1 tombstone, 2 not found
 *      2    16  version: clock (8), node (8)
 *     18     8  created, milliseconds since the epoch
 *     26     8  fresh until
 *     34     8  stale until
 *     42     2  length of the cache name, unsigned
 *     44     2  length of the key, unsigned
 *     46     2  length of the tags block, unsigned
 *     48     4  length of the payload
 *     52        cache name, key, tags (each: 2 bytes length, UTF-8), payload
 *    end     4  CRC32C of everything before it
 * </pre>
 *
 * <p>Readers check format, lengths and CRC before they believe anything; bytes that fail are reported as
 * {@link Malformed}, never thrown as an exception.
 */
public final class Envelope {
    /** First byte of every envelope this build writes. */
    public static final byte FORMAT = 0x01;

    /** Bytes before the cache name. */
    public static final int HEADER_BYTES = 52;

    /** Bytes of the checksum at the end. */
    public static final int TRAILER_BYTES = 4;

    /** The longest tags block. */
    public static final int MAX_TAGS_BYTES = 65_535;

    static final int VERSION_AT = 2;
    static final int CREATED_AT = 18;
    static final int FRESH_AT = 26;
    static final int STALE_AT = 34;
    static final int NAME_LENGTH_AT = 42;
    static final int KEY_LENGTH_AT = 44;
    static final int TAGS_LENGTH_AT = 46;
    static final int PAYLOAD_LENGTH_AT = 48;

    private Envelope() {}

    /** What came out of reading bytes that should be an envelope. */
    public sealed interface Decoded {}

    /** The bytes were sound. */
    public record Sound(Entry entry) implements Decoded {}

    /** The bytes are not an envelope this build can read; treat as a miss and count it. */
    public record Malformed(Flaw flaw) implements Decoded {}

    /** Why bytes were refused. */
    public enum Flaw {
        /** Shorter than its header says, or than any envelope. */
        TRUNCATED,
        /** A format byte of another build. */
        UNKNOWN_FORMAT,
        /** Lengths, kind, times or tags that cannot be. */
        BAD_STRUCTURE,
        /** The checksum does not match. */
        BAD_CHECKSUM
    }

    /** Length in bytes of the envelope of {@code entry}. */
    public static int length(Entry entry) {
        return HEADER_BYTES
                + entry.key().nameAndKey().length
                + tagsLength(entry.tags())
                + entry.payload().length
                + TRAILER_BYTES;
    }

    /**
     * Writes {@code entry} in its binary form.
     *
     * @throws IllegalArgumentException when its tags take more than {@link #MAX_TAGS_BYTES}
     */
    public static byte[] encode(Entry entry) {
        ByteBuffer out = ByteBuffer.allocate(length(entry));
        encode(entry, out);
        return out.array();
    }

    /**
     * Writes {@code entry} at the position of {@code out}, which must be backed by an accessible array.
     *
     * @throws BufferOverflowException when it does not fit
     */
    public static void encode(Entry entry, ByteBuffer out) {
        int tagsLength = tagsLength(entry.tags());
        if (tagsLength > MAX_TAGS_BYTES) {
            throw new IllegalArgumentException("tags of " + tagsLength + " bytes exceed " + MAX_TAGS_BYTES);
        }
        CacheKey key = entry.key();
        int start = out.position();
        out.put(FORMAT)
                .put(entry.kind().code())
                .putLong(entry.version().clock())
                .putLong(entry.version().node())
                .putLong(entry.createdMillis())
                .putLong(entry.freshUntilMillis())
                .putLong(entry.staleUntilMillis())
                .putShort((short) key.nameLength())
                .putShort((short) key.keyLength())
                .putShort((short) tagsLength)
                .putInt(entry.payload().length)
                .put(key.nameAndKey());
        for (String tag : entry.tags()) {
            byte[] utf8 = tag.getBytes(StandardCharsets.UTF_8);
            out.putShort((short) utf8.length).put(utf8);
        }
        out.put(entry.payload());
        CRC32C crc = new CRC32C();
        crc.update(out.array(), out.arrayOffset() + start, out.position() - start);
        out.putInt((int) crc.getValue());
    }

    private static int tagsLength(List<String> tags) {
        int total = 0;
        for (String tag : tags) {
            total += 2 + tag.getBytes(StandardCharsets.UTF_8).length;
        }
        return total;
    }

    /** Reads a whole array as one envelope. Any bytes are safe to pass. */
    public static Decoded decode(byte[] bytes) {
        EnvelopeView view = new EnvelopeView();
        Flaw flaw = view.wrap(bytes, bytes.length);
        return flaw != null ? new Malformed(flaw) : decode(view);
    }

    /** As {@link #decode(byte[])} for bytes that were found under {@code key}, which the entry then shares when it is its own. */
    public static Decoded decode(byte[] bytes, CacheKey key) {
        EnvelopeView view = new EnvelopeView();
        Flaw flaw = view.wrap(bytes, bytes.length);
        return flaw != null ? new Malformed(flaw) : decode(view, view.isFor(key) ? key : null);
    }

    /** How long the cache's name is, with which the key begins, in an envelope that nobody has checked; 0 when there is no key. */
    public static int peekNameLength(ByteBuffer in, int at, int length) {
        if (length < HEADER_BYTES + TRAILER_BYTES) {
            return 0;
        }
        int name = in.getShort(at + NAME_LENGTH_AT) & 0xFFFF;
        int key = in.getShort(at + KEY_LENGTH_AT) & 0xFFFF;
        return key == 0
                        || name > CacheKey.MAX_CACHE_NAME_BYTES
                        || key > CacheKey.MAX_KEY_BYTES
                        || name + key > length - HEADER_BYTES - TRAILER_BYTES
                ? 0
                : name;
    }

    /** The key in an envelope that nobody has checked, for counting and the like; null when there is none. */
    public static @Nullable CacheKey peekKey(ByteBuffer in, int at, int length) {
        int name = peekNameLength(in, at, length);
        if (name == 0) {
            return null;
        }
        byte[] both = new byte[name + (in.getShort(at + KEY_LENGTH_AT) & 0xFFFF)];
        in.get(at + HEADER_BYTES, both);
        return CacheKey.wrap(both, name);
    }

    /** The {@linkplain Version#clock clock} of the version in an envelope that nobody has checked; it is as long as one with a key. */
    public static long peekVersionClock(ByteBuffer in, int at) {
        return in.getLong(at + VERSION_AT);
    }

    /** Whether an envelope that nobody has checked, and which is as long as one with a key, has tags. */
    public static boolean peekTagged(ByteBuffer in, int at) {
        return in.getShort(at + TAGS_LENGTH_AT) != 0;
    }

    /** Reads the entry that a {@linkplain EnvelopeView#wrap checked} view holds. */
    public static Decoded decode(EnvelopeView view) {
        return decode(view, null);
    }

    private static Decoded decode(EnvelopeView view, @Nullable CacheKey same) {
        byte[] bytes = view.array();
        int tagsFrom = HEADER_BYTES + view.nameLength() + view.keyLength();
        int payloadFrom = view.payloadOffset();
        List<String> tags = readTags(bytes, tagsFrom, payloadFrom);
        if (tags == null) {
            return new Malformed(Flaw.BAD_STRUCTURE);
        }
        return new Sound(new Entry(
                same != null
                        ? same
                        : CacheKey.wrap(Arrays.copyOfRange(bytes, HEADER_BYTES, tagsFrom), view.nameLength()),
                view.kind(),
                view.version(),
                view.createdMillis(),
                view.freshUntilMillis(),
                view.staleUntilMillis(),
                tags,
                Arrays.copyOfRange(bytes, payloadFrom, payloadFrom + view.payloadLength())));
    }

    static @Nullable List<String> readTags(byte[] bytes, int from, int to) {
        if (from == to) {
            return List.of();
        }
        List<String> tags = new ArrayList<>();
        int at = from;
        while (at < to) {
            int length = to - at < 2 ? Integer.MAX_VALUE : (bytes[at] & 0xFF) << 8 | bytes[at + 1] & 0xFF;
            if (length > to - at - 2) {
                return null;
            }
            tags.add(new String(bytes, at + 2, length, StandardCharsets.UTF_8));
            at += 2 + length;
        }
        return tags;
    }
}
