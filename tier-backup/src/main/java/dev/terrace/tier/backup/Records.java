package dev.terrace.tier.backup;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import com.github.luben.zstd.ZstdException;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Cipher;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Turns envelopes into records and back: zstd, then AES-256-GCM. The layout stands in {@code docs/format.md}.
 *
 * <p>{@link #open} is thread-safe. {@link #seal} belongs to one thread, the writer, because nonces are counted.
 */
final class Records {
    static final byte FORMAT = 1;
    static final int HEADER_BYTES = 38;
    static final int TAG_BYTES = 16;

    /** No envelope may be longer; a record that declares more is refused before anything is allocated. */
    static final int MAX_ENVELOPE_BYTES = 64 << 20;

    private static final int COMPRESSED = 1;
    private static final int ENCRYPTED = 2;
    private static final int COMPRESSION_LEVEL = 3;
    private static final int DECLARED_AT = 18;
    private static final int VERSION_AT = 22;

    private static final ThreadLocal<Contexts> CONTEXTS = ThreadLocal.withInitial(Contexts::new);

    /** Costly to make, so each thread has its own. Native memory: whoever ends a thread {@linkplain #releaseThread frees} it. */
    private static final class Contexts {
        final ZstdCompressCtx compress = new ZstdCompressCtx().setLevel(COMPRESSION_LEVEL);
        final ZstdDecompressCtx decompress = new ZstdDecompressCtx();
        final Cipher cipher;

        Contexts() {
            try {
                cipher = Cipher.getInstance("AES/GCM/NoPadding");
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has AES/GCM", e);
            }
        }
    }

    private final boolean compression;
    private final @Nullable KeyRing keys;
    private final @Nullable SealingKey sealing;

    /**
     * @param compression whether new records are compressed; old ones are read either way
     * @param keys null for a plain folder
     * @param keepMillis how long a record may live
     */
    Records(boolean compression, @Nullable KeyRing keys, long keepMillis) {
        this.compression = compression;
        this.keys = keys;
        this.sealing = keys == null ? null : new SealingKey(keys, keepMillis);
    }

    /** Frees what the calling thread used to seal and open; using it again costs making it anew. */
    static void releaseThread() {
        Contexts own = CONTEXTS.get();
        CONTEXTS.remove();
        own.compress.close();
        own.decompress.close();
    }

    /** The record of {@code entry} under {@code hash}. Its envelope must not exceed {@link #MAX_ENVELOPE_BYTES}. */
    byte[] seal(byte[] hash, Entry entry) {
        byte[] envelope = Envelope.encode(entry);
        Contexts own = CONTEXTS.get();
        byte[] body = compression ? own.compress.compress(envelope) : envelope;
        int flags = keys == null ? 0 : ENCRYPTED;
        if (body.length < envelope.length) {
            flags |= COMPRESSED;
        } else {
            body = envelope;
        }
        SealingKey key = sealing;
        if (key != null) {
            key.next(body.length);
        }
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES + body.length + (key == null ? 0 : TAG_BYTES))
                .put(FORMAT)
                .put((byte) flags)
                .putInt(keys == null || key == null ? 0 : keys.epochOf(key.subKey()))
                .putInt(key == null ? 0 : key.subKey().shortId())
                .putLong(key == null ? 0 : key.counter())
                .putInt(envelope.length)
                .putLong(entry.version().clock())
                .putLong(entry.version().node());
        byte[] record = header.array();
        if (key == null) {
            System.arraycopy(body, 0, record, HEADER_BYTES, body.length);
            return record;
        }
        try {
            own.cipher.init(Cipher.ENCRYPT_MODE, key.secret(), SealingKey.nonce(key.counter()));
            own.cipher.updateAAD(record, 0, HEADER_BYTES);
            own.cipher.updateAAD(hash);
            own.cipher.doFinal(body, 0, body.length, record, HEADER_BYTES);
            return record;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing a record failed", e);
        }
    }

    /**
     * The entry that {@code record}, found under {@code hash}, holds.
     *
     * @return null when the bytes are damaged, moved from elsewhere, of an unknown format or of an unknown key
     */
    @Nullable
    Entry open(byte[] hash, byte[] record) {
        if (record.length < HEADER_BYTES || record[0] != FORMAT) {
            return null;
        }
        ByteBuffer header = ByteBuffer.wrap(record);
        int flags = record[1];
        int declared = header.getInt(DECLARED_AT);
        boolean encrypted = (flags & ENCRYPTED) != 0;
        if ((flags & ~(COMPRESSED | ENCRYPTED)) != 0
                || encrypted != (keys != null)
                || declared < 0
                || declared > MAX_ENVELOPE_BYTES) {
            return null;
        }
        byte[] body = encrypted ? decrypt(hash, record, header) : record;
        int from = encrypted ? 0 : HEADER_BYTES;
        byte[] envelope = body == null ? null : expand(body, from, (flags & COMPRESSED) != 0, declared);
        if (envelope != null
                && Envelope.decode(envelope) instanceof Envelope.Sound sound
                && sound.entry().version().clock() == header.getLong(VERSION_AT)
                && sound.entry().version().node() == header.getLong(VERSION_AT + 8)) {
            return sound.entry();
        }
        return null;
    }

    private byte @Nullable [] decrypt(byte[] hash, byte[] record, ByteBuffer header) {
        if (keys == null || record.length < HEADER_BYTES + TAG_BYTES) {
            return null;
        }
        for (SecretKey secret : keys.subKeysOfFormat1(header.getInt(6))) {
            byte[] body = decrypt(secret, hash, record, header.getLong(10));
            if (body != null) {
                return body;
            }
        }
        return null;
    }

    private static byte @Nullable [] decrypt(SecretKey secret, byte[] hash, byte[] record, long counter) {
        try {
            Cipher cipher = CONTEXTS.get().cipher;
            cipher.init(Cipher.DECRYPT_MODE, secret, SealingKey.nonce(counter));
            cipher.updateAAD(record, 0, HEADER_BYTES);
            cipher.updateAAD(hash);
            return cipher.doFinal(record, HEADER_BYTES, record.length - HEADER_BYTES);
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
        try {
            byte[] envelope = new byte[declared];
            int expanded = CONTEXTS.get().decompress.decompressByteArray(envelope, 0, declared, body, from, length);
            return expanded == declared ? envelope : null;
        } catch (ZstdException e) {
            return null; // Damaged. The caller counts it.
        }
    }
}
