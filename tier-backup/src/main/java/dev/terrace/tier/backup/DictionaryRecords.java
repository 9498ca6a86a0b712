package dev.terrace.tier.backup;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.zip.CRC32C;
import javax.crypto.SecretKey;
import org.jspecify.annotations.Nullable;

/**
 * Dictionaries as they lie in their column family, under their ids. They hold pieces of values, so they are sealed like these, each under
 * a key of its own that comes from the data key and the id: it seals one message ever. A dictionary goes with its data key.
 *
 * <pre>
 * format 0x01 (1), flags (1): 2 encrypted, id of the data key (8), 0 when plain
 * then, sealed: length of the cache name (1), cache name, partition (8), created (8), ratio in thousandths (4), dictionary
 * tag (16), or CRC32C of all before it and the id (4) when plain
 * </pre>
 */
final class DictionaryRecords {
    private static final byte FORMAT = 1;
    private static final int HEADER_BYTES = 10;
    private static final int CRC_BYTES = 4;
    private static final int NUMBERS_BYTES = 1 + 8 + 8 + 4;
    private static final int MOST_DICTIONARY_BYTES = 1 << 20;

    private DictionaryRecords() {}

    static byte[] seal(Dictionary dictionary, @Nullable KeyRing keys) {
        byte[] name = dictionary.cache().getBytes(StandardCharsets.UTF_8);
        byte[] body = new byte[NUMBERS_BYTES + name.length + dictionary.bytes().length];
        body[0] = (byte) name.length;
        int at = Cursor.put(body, 1, name, 0, name.length);
        at = Cursor.putNumber(body, at, dictionary.sequence(), Long.BYTES);
        at = Cursor.putNumber(body, at, dictionary.createdMillis(), Long.BYTES);
        at = Cursor.putNumber(body, at, dictionary.ratioPermille(), Integer.BYTES);
        Cursor.put(body, at, dictionary.bytes(), 0, dictionary.bytes().length);
        byte[] record = new byte[HEADER_BYTES + body.length + (keys == null ? CRC_BYTES : Gcm.TAG_BYTES)];
        record[0] = FORMAT;
        record[1] = (byte) (keys == null ? 0 : RecordHeader.ENCRYPTED);
        Cursor.putNumber(record, 2, dictionary.dataKey(), Long.BYTES);
        if (keys == null) {
            Cursor.put(record, HEADER_BYTES, body, 0, body.length);
            Cursor.putNumber(record, record.length - CRC_BYTES, crc(record, dictionary.id()), CRC_BYTES);
            return record;
        }
        SecretKey key = keys.dictionaryKey(dictionary.dataKey(), dictionary.id());
        if (key == null) {
            throw new IllegalStateException("the data key of a new dictionary is not in the ring");
        }
        Gcm.seal(key, 0, body, 0, body.length, record, HEADER_BYTES, dictionary.id());
        return record;
    }

    private static int crc(byte[] record, byte[] id) {
        CRC32C crc = new CRC32C();
        crc.update(record, 0, record.length - CRC_BYTES);
        crc.update(id, 0, id.length);
        return (int) crc.getValue();
    }

    /** The dictionary, or null when it is damaged, moved, of a later build, or its data key is gone. Any bytes are safe to pass. */
    static @Nullable Dictionary open(byte[] id, byte[] record, @Nullable KeyRing keys) {
        int tail = keys == null ? CRC_BYTES : Gcm.TAG_BYTES;
        if (id.length != Dictionary.ID_BYTES
                || record.length < HEADER_BYTES + tail
                || record.length > MOST_DICTIONARY_BYTES
                || record[0] != FORMAT
                || record[1] != (keys == null ? 0 : RecordHeader.ENCRYPTED)) {
            return null;
        }
        long dataKey = new Cursor(record, 2, HEADER_BYTES).number(Long.BYTES);
        byte[] body = record;
        int from = HEADER_BYTES;
        int end = record.length - tail;
        if (keys == null) {
            if (crc(record, id) != (int) new Cursor(record, end, record.length).number(CRC_BYTES)) {
                return null;
            }
        } else {
            SecretKey key = keys.dictionaryKey(dataKey, id);
            body = new byte[end - from];
            if (key == null || !decrypt(key, id, record, body)) {
                return null;
            }
            end = body.length;
            from = 0;
        }
        Cursor in = new Cursor(body, from, end);
        String cache = new String(in.take(in.u8()), StandardCharsets.UTF_8);
        long sequence = in.number(Long.BYTES);
        long created = in.number(Long.BYTES);
        int ratio = (int) in.number(Integer.BYTES);
        byte[] content = in.take(in.left());
        return in.isBad() || cache.isEmpty() || content.length == 0
                ? null
                : new Dictionary(id, cache, dataKey, sequence, created, ratio, content);
    }

    private static boolean decrypt(SecretKey key, byte[] id, byte[] record, byte[] body) {
        try {
            Gcm.open(key, 0, record, HEADER_BYTES, record.length - HEADER_BYTES, body, 0, record, id);
            return true;
        } catch (GeneralSecurityException e) {
            return false; // Damaged or moved. The caller counts it.
        }
    }
}
