package dev.terrace.tier.backup;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.terrace.spi.Envelope;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.List;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/** Reads records of format 1, which former builds wrote; {@code docs/format.md} says what they look like. Thread-safe. */
final class FormatOne {
    static final byte FORMAT = 1;
    static final int HEADER_BYTES = 38;

    private static final int COMPRESSED = 1;
    private static final int ENCRYPTED = 2;
    private static final int SUB_KEY_AT = 6;
    private static final int DECLARED_AT = 18;
    private static final int VERSION_AT = 22;

    private FormatOne() {}

    /** What {@code record}, which is as long as its header at least, calls its sub-key. */
    static int subKeyOf(byte[] record) {
        return ByteBuffer.wrap(record).getInt(SUB_KEY_AT);
    }

    /** The clock half of the version that {@code record} claims to hold. */
    static long clockOf(byte[] record) {
        return ByteBuffer.wrap(record).getLong(VERSION_AT);
    }

    /** As {@link Records#read}. */
    static Records.Reading read(byte[] bound, byte[] record, @Nullable KeyRing keys) {
        if (record.length < HEADER_BYTES) {
            return Records.Flaw.DAMAGED;
        }
        ByteBuffer header = ByteBuffer.wrap(record);
        int flags = record[1];
        int declared = header.getInt(DECLARED_AT);
        boolean encrypted = (flags & ENCRYPTED) != 0;
        if ((flags & ~(COMPRESSED | ENCRYPTED)) != 0
                || encrypted != (keys != null)
                || declared < 0
                || declared > Records.MAX_ENVELOPE_BYTES) {
            return Records.Flaw.DAMAGED;
        }
        byte[] body = record;
        if (keys != null) {
            List<SecretKey> candidates = keys.subKeysOfFormat1(header.getInt(SUB_KEY_AT));
            if (candidates.isEmpty()) {
                return Records.Flaw.UNKNOWN_KEY;
            }
            body = null;
            for (SecretKey secret : candidates) {
                body = body == null ? decrypt(bound, record, secret, header.getLong(10)) : body;
            }
        }
        byte[] envelope =
                body == null ? null : expand(body, encrypted ? 0 : HEADER_BYTES, (flags & COMPRESSED) != 0, declared);
        return envelope != null
                        && Envelope.decode(envelope) instanceof Envelope.Sound sound
                        && sound.entry().version().clock() == header.getLong(VERSION_AT)
                        && sound.entry().version().node() == header.getLong(VERSION_AT + 8)
                ? new Records.Sound(sound.entry())
                : Records.Flaw.DAMAGED;
    }

    private static byte @Nullable [] decrypt(byte[] bound, byte[] record, SecretKey secret, long counter) {
        if (record.length < HEADER_BYTES + Gcm.TAG_BYTES) {
            return null;
        }
        byte[] body = new byte[record.length - HEADER_BYTES - Gcm.TAG_BYTES];
        try {
            Gcm.open(secret, counter, record, HEADER_BYTES, record.length - HEADER_BYTES, body, 0, record, bound);
            return body;
        } catch (GeneralSecurityException e) {
            return null; // The tag does not match: damaged, moved, or of another sub-key. The caller counts it.
        }
    }

    private static byte @Nullable [] expand(byte[] body, int from, boolean compressed, int declared) {
        int length = body.length - from;
        if (!compressed) {
            return length == declared ? Arrays.copyOfRange(body, from, body.length) : null;
        }
        // The frame's own claim must agree before either is believed.
        if (length == 0 || Zstd.getFrameContentSize(body, from, length, false) != declared) {
            return null;
        }
        try (ZstdDecompressCtx decompress = new ZstdDecompressCtx()) {
            byte[] envelope = new byte[declared];
            int expanded = decompress.decompressByteArray(envelope, 0, declared, body, from, length);
            return expanded == declared ? envelope : null;
        } catch (ZstdException e) {
            return null; // Damaged. The caller counts it.
        }
    }
}
