package dev.terrace.spi;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Notices as bytes, the same on every channel. Big-endian: the byte {@value #FORMAT}, then per notice a kind byte, the length
 * of what follows as a base-128 varint, and the fields in the order of the record. In the kind byte the low four bits are the
 * kind, the others are flags; a reader that does not know a kind or a flag passes over the notice and says so.
 *
 * <pre>
 * 1 Changed   node 8, version 16, length of cache name 1, cache name, key       flag 0x10: confirm
 * 2 Marker    node 8, version 16, length of cache name 1, cache name, tag       flags 0x10: confirm, 0x20: there is a tag
 * 3 Beat      node 8, number 8, heard up to 8, lease 8                          flag 0x10: leaving
 * 4 External  node 8, length of cache name 1, cache name, key
 * </pre>
 */
public final class NoticeFormat {
    /** First byte of what this build writes. */
    public static final byte FORMAT = 1;

    /** The longest notice, in bytes; longer ones cannot be written. */
    public static final int MAX_NOTICE_BYTES = 4 + 25 + CacheKey.MAX_CACHE_NAME_BYTES + CacheKey.MAX_KEY_BYTES;

    private static final int CHANGED = 1;
    private static final int MARKER = 2;
    private static final int BEAT = 3;
    private static final int EXTERNAL = 4;
    private static final int FIRST_FLAG = 0x10;
    private static final int SECOND_FLAG = 0x20;

    private NoticeFormat() {}

    /**
     * What was read.
     *
     * @param notices those that could be
     * @param unread how many could not: damaged, or of a later build. What they said is not known
     * @param own how many were passed over because the reader itself had sent them
     */
    public record Read(List<Notice> notices, int unread, int own) {
        /** Something was there, and none of it could be read. */
        public static final Read NOTHING = new Read(List.of(), 1);

        /** None was the reader's own. */
        public Read(List<Notice> notices, int unread) {
            this(notices, unread, 0);
        }
    }

    /**
     * The bytes of some notices.
     *
     * @throws IllegalArgumentException when a cache name or tag is longer than {@link CacheKey} allows
     */
    public static byte[] write(List<Notice> notices) {
        int length = 1;
        for (Notice notice : notices) {
            length += lengthOf(notice);
        }
        ByteBuffer out = ByteBuffer.allocate(length).put(FORMAT);
        notices.forEach(notice -> write(notice, out));
        return out.array();
    }

    /** How many bytes {@code notice} takes. */
    public static int lengthOf(Notice notice) {
        int body = bodyOf(notice);
        return 1 + varintLength(body) + body;
    }

    private static int bodyOf(Notice notice) {
        if (notice instanceof Notice.Changed changed) {
            return 25 + changed.key().nameAndKey().length;
        }
        if (notice instanceof Notice.Marker marker) {
            return 25 + utf8(marker.cache()).length + utf8(marker.tag()).length;
        }
        if (notice instanceof Notice.External external) {
            return 9 + external.key().nameAndKey().length;
        }
        return 32;
    }

    private static byte[] utf8(@Nullable String text) {
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.UTF_8);
    }

    private static void write(Notice notice, ByteBuffer out) {
        int body = bodyOf(notice);
        if (notice instanceof Notice.Changed changed) {
            begin(out, CHANGED | (changed.confirm() ? FIRST_FLAG : 0), body, changed.node());
            out.putLong(changed.version().clock()).putLong(changed.version().node());
            out.put((byte) changed.key().nameLength()).put(changed.key().nameAndKey());
        } else if (notice instanceof Notice.Marker marker) {
            int flags = (marker.confirm() ? FIRST_FLAG : 0) | (marker.tag() == null ? 0 : SECOND_FLAG);
            byte[] cache = utf8(marker.cache());
            byte[] tag = utf8(marker.tag());
            if (cache.length > CacheKey.MAX_CACHE_NAME_BYTES || tag.length > CacheKey.MAX_KEY_BYTES) {
                throw new IllegalArgumentException(
                        "cache name of " + cache.length + " bytes or tag of " + tag.length + " bytes is too long");
            }
            begin(out, MARKER | flags, body, marker.node());
            out.putLong(marker.version().clock()).putLong(marker.version().node());
            out.put((byte) cache.length).put(cache).put(tag);
        } else if (notice instanceof Notice.Beat beat) {
            begin(out, BEAT | (beat.leaving() ? FIRST_FLAG : 0), body, beat.node());
            out.putLong(beat.number()).putLong(beat.heardUpTo()).putLong(beat.leaseMillis());
        } else if (notice instanceof Notice.External external) {
            begin(out, EXTERNAL, body, external.node());
            out.put((byte) external.key().nameLength()).put(external.key().nameAndKey());
        }
    }

    private static void begin(ByteBuffer out, int kind, int body, long node) {
        out.put((byte) kind);
        int rest = body;
        for (; rest > 0x7F; rest >>>= 7) {
            out.put((byte) (rest | 0x80));
        }
        out.put((byte) rest).putLong(node);
    }

    private static int varintLength(int value) {
        int bytes = 1;
        for (int rest = value >>> 7; rest != 0; rest >>>= 7) {
            bytes++;
        }
        return bytes;
    }

    /** Reads what {@link #write} wrote, or as much of anything else as makes sense; never throws. */
    public static Read read(byte[] bytes) {
        return read(bytes, null);
    }

    /** As {@link #read}, without what {@code node} sent, but with its beats: it need not hear what it said itself. */
    public static Read readOfOthers(byte[] bytes, long node) {
        return read(bytes, node);
    }

    private static Read read(byte[] bytes, @Nullable Long without) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (!in.hasRemaining() || in.get() != FORMAT) {
            return Read.NOTHING;
        }
        List<Notice> notices = new ArrayList<>();
        int unread = 0;
        int own = 0;
        try {
            while (in.hasRemaining()) {
                int kind = in.get() & 0xFF;
                int length = varint(in);
                if (length < 0 || length > in.remaining()) {
                    unread++;
                    break;
                }
                boolean passed = without != null
                        && (kind & 0xF) != BEAT
                        && length >= Long.BYTES
                        && in.getLong(in.position()) == without;
                Notice notice = passed ? null : one(kind, in.slice(in.position(), length));
                in.position(in.position() + length);
                if (passed) {
                    own++;
                } else if (notice == null) {
                    unread++;
                } else {
                    notices.add(notice);
                }
            }
        } catch (BufferUnderflowException cutShort) {
            unread++;
        }
        return new Read(notices, unread, own);
    }

    /** Negative when it is none. */
    private static int varint(ByteBuffer in) {
        int value = 0;
        for (int shift = 0; shift < 28; shift += 7) {
            byte next = in.get();
            value |= (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        return -1;
    }

    private static @Nullable Notice one(int kind, ByteBuffer in) {
        boolean first = (kind & FIRST_FLAG) != 0;
        boolean second = (kind & SECOND_FLAG) != 0;
        int flagsKnown = (kind & 0xF) == MARKER ? 0x30 : (kind & 0xF) == EXTERNAL ? 0 : 0x10;
        if ((kind & 0xF0 & ~flagsKnown) != 0) {
            return null;
        }
        try {
            return switch (kind & 0xF) {
                case CHANGED -> changed(in, first);
                case MARKER -> marker(in, first, second);
                case BEAT -> beat(in, first);
                case EXTERNAL -> external(in);
                default -> null;
            };
        } catch (BufferUnderflowException cutShort) {
            return null;
        }
    }

    private static @Nullable Notice changed(ByteBuffer in, boolean confirm) {
        long node = in.getLong();
        Version version = new Version(in.getLong(), in.getLong());
        CacheKey key = key(in);
        return key == null ? null : new Notice.Changed(node, key, version, confirm);
    }

    private static @Nullable Notice marker(ByteBuffer in, boolean confirm, boolean tagged) {
        long node = in.getLong();
        Version version = new Version(in.getLong(), in.getLong());
        String cache = text(in, in.get() & 0xFF);
        String tag = tagged ? text(in, in.remaining()) : null;
        return in.hasRemaining() ? null : new Notice.Marker(node, cache, tag, version, confirm);
    }

    private static @Nullable Notice beat(ByteBuffer in, boolean leaving) {
        return in.remaining() == 32
                ? new Notice.Beat(in.getLong(), in.getLong(), in.getLong(), in.getLong(), leaving)
                : null;
    }

    private static @Nullable Notice external(ByteBuffer in) {
        long node = in.getLong();
        CacheKey key = key(in);
        return key == null ? null : new Notice.External(node, key);
    }

    private static @Nullable CacheKey key(ByteBuffer in) {
        int nameLength = in.get() & 0xFF;
        int keyLength = in.remaining() - nameLength;
        if (nameLength == 0 || keyLength <= 0 || keyLength > CacheKey.MAX_KEY_BYTES) {
            return null;
        }
        byte[] both = new byte[in.remaining()];
        in.get(both);
        return CacheKey.wrap(both, nameLength);
    }

    private static String text(ByteBuffer in, int length) {
        if (length > in.remaining()) {
            throw new BufferUnderflowException();
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
