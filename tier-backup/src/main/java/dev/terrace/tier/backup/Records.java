package dev.terrace.tier.backup;

import dev.terrace.spi.Entry;
import java.security.GeneralSecurityException;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Turns entries into records and back: {@linkplain CompactEntry compact form}, zstd, then AES-256-GCM. Writes format 2 and reads 1, too;
 * the layout stands in {@code docs/format.md}. Thread-safe; threads that used it {@linkplain #releaseThread release} what they hold.
 */
final class Records {
    /** No entry may be longer; a record that declares more is refused before anything is allocated. */
    static final int MAX_ENVELOPE_BYTES = 64 << 20;

    private static final int QUICK_BYTES = 32 << 10;
    private static final int CRC_BYTES = 4;
    private static final byte[] NO_DICTIONARY = new byte[0];

    /** What came out of reading a record. */
    sealed interface Reading permits Sound, Flaw {}

    /** It can be believed. */
    record Sound(Entry entry) implements Reading {}

    /** Why it cannot. */
    enum Flaw implements Reading {
        /** Its bytes are not what they were, or it was moved here from elsewhere. */
        DAMAGED,
        /** A later build wrote it. */
        UNKNOWN_FORMAT,
        /** The ring never had its sub-key, or no longer has it. */
        UNKNOWN_KEY,
        /** The dictionary it was compressed with is not there. */
        UNKNOWN_DICTIONARY
    }

    private final Compression compression;
    private final @Nullable KeyRing keys;
    private final @Nullable SealingKey sealing;
    private final boolean seals;

    /**
     * Without dictionaries.
     *
     * @param compression whether new records are compressed; old ones are read either way
     * @param keys null for a plain folder
     * @param keepMillis how long a record may live
     */
    Records(boolean compression, @Nullable KeyRing keys, long keepMillis) {
        this(Compression.without(compression), keys, keepMillis);
    }

    Records(Compression compression, @Nullable KeyRing keys, long keepMillis) {
        this(compression, keys, keys == null ? null : new SealingKey(keys, keepMillis), true);
    }

    private Records(Compression compression, @Nullable KeyRing keys, @Nullable SealingKey sealing, boolean seals) {
        this.compression = compression;
        this.keys = keys;
        this.sealing = sealing;
        this.seals = seals;
    }

    /** Only reads: makes no sub-key, so that nothing is written into the ring. */
    static Records reading(Compression compression, @Nullable KeyRing keys) {
        return new Records(compression, keys, null, false);
    }

    /** A thread that releases at its end what it used, and keeps no process alive; not started. */
    static Thread thread(Runnable task, String name) {
        Runnable releasing = () -> {
            try {
                task.run();
            } finally {
                releaseThread();
            }
        };
        Thread thread = new Thread(releasing, name);
        thread.setDaemon(true);
        return thread;
    }

    /** Frees what the calling thread used to seal and open; using it again costs making it anew. */
    static void releaseThread() {
        Workspace.releaseThread();
        Gcm.releaseThread();
    }

    /**
     * The record of {@code entry}.
     *
     * @param bound what it is bound to: only with the same bytes does it open. They say where it lies
     * @throws java.io.UncheckedIOException when a fresh sub-key is needed and cannot be stored
     */
    byte[] seal(byte[] bound, Entry entry) {
        if (!seals) {
            throw new IllegalStateException("these records are only read");
        }
        Workspace own = Workspace.ofThread();
        byte[] plain = own.plain(CompactEntry.longest(entry));
        int length = CompactEntry.write(entry, plain);
        SealingKey.Claim claim = sealing == null ? null : sealing.claim(length);
        long dataKey = claim == null ? 0 : claim.key().subKey().keyId();
        String cache = entry.key().cache();
        Dictionary dictionary = null;
        byte[] body = plain;
        int from = 0;
        int bodyLength = length;
        int flags = claim == null ? 0 : RecordHeader.ENCRYPTED;
        if (compression.isFor(cache)) {
            dictionary = compression.dictionary(cache, dataKey);
            byte[] packed = own.packed(length);
            int packedLength = own.squeezer().compress(plain, length, dictionary, packed);
            compression.observe(cache, plain, length, packedLength < 0 ? length : packedLength, dictionary, dataKey);
            if (packedLength >= 0) {
                body = packed;
                from = own.squeezer().from();
                bodyLength = packedLength;
                flags |= RecordHeader.COMPRESSED
                        | (dictionary == null ? 0 : RecordHeader.DICTIONARY)
                        | (own.squeezer().isFrame() ? RecordHeader.FRAME : 0);
            } else {
                dictionary = null;
            }
        }
        RecordHeader header = new RecordHeader(
                flags,
                claim == null ? 0 : claim.key().reference(),
                claim == null ? 0 : claim.counter(),
                length,
                dictionary == null ? 0 : dictionary.reference(),
                entry.version().clock(),
                0);
        byte[] head = own.head();
        int headerBytes = header.write(head);
        byte[] record = new byte[headerBytes + bodyLength + (claim == null ? CRC_BYTES : Gcm.TAG_BYTES)];
        System.arraycopy(head, 0, record, 0, headerBytes);
        byte[] dictionaryId = idOf(dictionary);
        if (claim == null) {
            System.arraycopy(body, from, record, headerBytes, bodyLength);
            int crc = crc(record, record.length - CRC_BYTES, dictionaryId, bound);
            Cursor.putNumber(record, record.length - CRC_BYTES, crc, CRC_BYTES);
        } else {
            Gcm.seal(
                    claim.key().secret(),
                    claim.counter(),
                    body,
                    from,
                    bodyLength,
                    record,
                    headerBytes,
                    claim.key().binding(),
                    dictionaryId,
                    bound);
        }
        return record;
    }

    private static byte[] idOf(@Nullable Dictionary dictionary) {
        return dictionary == null ? NO_DICTIONARY : dictionary.id();
    }

    private static int crc(byte[] record, int length, byte[]... associated) {
        CRC32C crc = new CRC32C();
        crc.update(record, 0, length);
        for (byte[] more : associated) {
            crc.update(more, 0, more.length);
        }
        return (int) crc.getValue();
    }

    /** The entry in {@code record}, or null when it cannot be believed. */
    @Nullable
    Entry open(byte[] bound, byte[] record) {
        return read(bound, record) instanceof Sound sound ? sound.entry() : null;
    }

    /** Reads {@code record}, which must have been sealed with the same {@code bound}. Any bytes are safe to pass. */
    Reading read(byte[] bound, byte[] record) {
        return read(bound, record, Workspace.ofThread());
    }

    /** Whether it takes some microseconds to read {@code record}, rather than as long as whoever wrote it likes. */
    static boolean isQuick(byte[] record) {
        if (record.length > QUICK_BYTES || RecordHeader.formatOf(record) != RecordHeader.FORMAT) {
            return false;
        }
        RecordHeader header = RecordHeader.read(record, record.length);
        return header != null && header.declared() <= QUICK_BYTES;
    }

    /** As the other, with what another thread may use as soon as this has returned. */
    Reading read(byte[] bound, byte[] record, Workspace own) {
        int format = RecordHeader.formatOf(record);
        if (format == 1) {
            return FormatOne.read(bound, record, keys);
        }
        if (format != RecordHeader.FORMAT) {
            return format > RecordHeader.FORMAT ? Flaw.UNKNOWN_FORMAT : Flaw.DAMAGED;
        }
        RecordHeader header = RecordHeader.read(record, record.length);
        if (header == null || header.has(RecordHeader.ENCRYPTED) != (keys != null)) {
            return Flaw.DAMAGED;
        }
        int bodyLength = record.length - header.length() - (keys == null ? CRC_BYTES : Gcm.TAG_BYTES);
        if (bodyLength < 0) {
            return Flaw.DAMAGED;
        }
        if (!header.has(RecordHeader.DICTIONARY)) {
            return read(bound, record, header, bodyLength, null, own);
        }
        // Two bytes can mean several; only the right one gives a sound record, because the whole id is associated.
        Reading reading = Flaw.UNKNOWN_DICTIONARY;
        for (Dictionary candidate : compression.named(header.dictionaryReference())) {
            reading = read(bound, record, header, bodyLength, candidate, own);
            if (reading instanceof Sound) {
                return reading;
            }
        }
        return reading;
    }

    private Reading read(
            byte[] bound,
            byte[] record,
            RecordHeader header,
            int bodyLength,
            @Nullable Dictionary dictionary,
            Workspace own) {
        byte[] body = own.packed(bodyLength);
        int from = Squeezer.ROOM_BEFORE;
        if (keys == null) {
            int at = record.length - CRC_BYTES;
            if (crc(record, at, idOf(dictionary), bound)
                    != (int) new Cursor(record, at, record.length).number(CRC_BYTES)) {
                return Flaw.DAMAGED;
            }
            System.arraycopy(record, header.length(), body, from, bodyLength);
        } else {
            List<SealingSubKey> candidates = keys.subKeysByReference(header.keyReference());
            if (candidates.isEmpty()) {
                return Flaw.UNKNOWN_KEY;
            }
            boolean opened = false;
            for (SealingSubKey candidate : candidates) {
                opened = opened || decrypt(candidate, bound, record, header, dictionary, body, from);
            }
            if (!opened) {
                return Flaw.DAMAGED;
            }
        }
        int length = bodyLength;
        if (header.has(RecordHeader.COMPRESSED)) {
            length = (int) header.declared();
            boolean whole = header.has(RecordHeader.FRAME);
            if (!Squeezer.isPlausible(body, from, bodyLength, whole, length)) {
                return Flaw.DAMAGED;
            }
            byte[] plain = own.plain(length);
            if (!own.squeezer().expand(body, from, bodyLength, whole, dictionary, plain, length)) {
                return Flaw.DAMAGED;
            }
            body = plain;
            from = 0;
        }
        Entry entry = CompactEntry.read(header.clock(), body, from, from + length);
        return entry == null ? Flaw.DAMAGED : new Sound(entry);
    }

    private static boolean decrypt(
            SealingSubKey key,
            byte[] bound,
            byte[] record,
            RecordHeader header,
            @Nullable Dictionary dictionary,
            byte[] body,
            int to) {
        int from = header.length();
        try {
            Gcm.open(
                    key.secret(),
                    header.counter(),
                    record,
                    from,
                    record.length - from,
                    body,
                    to,
                    record,
                    key.binding(),
                    idOf(dictionary),
                    bound);
            return true;
        } catch (GeneralSecurityException e) {
            return false; // Damaged, moved, or of another sub-key. The caller counts it.
        }
    }

    /**
     * The clock half of the version that {@code record} claims to hold, which may be the beginning of a record of at least
     * {@value RecordHeader#MOST_BYTES} bytes or a whole one; null when it cannot be told without opening it. Not authenticated: whoever
     * refuses something because of it opens the record first.
     */
    static @Nullable Long peekClock(byte[] record, int available) {
        if (available == 0 || record[0] == FormatOne.FORMAT) {
            return null;
        }
        RecordHeader header = RecordHeader.read(record, available);
        return header == null ? null : header.clock();
    }

    /** The data key of a record that cannot be read because that key was destroyed; null when that is not the reason. */
    @Nullable
    RingKey destroyed(byte[] record) {
        if (keys == null) {
            return null;
        }
        if (RecordHeader.formatOf(record) == FormatOne.FORMAT) {
            return record.length < FormatOne.HEADER_BYTES
                    ? null
                    : keys.destroyed(key -> key.shortId() == FormatOne.subKeyOf(record));
        }
        RecordHeader header = RecordHeader.read(record, record.length);
        return header == null || !header.has(RecordHeader.ENCRYPTED)
                ? null
                : keys.destroyed(key -> SealingSubKey.referenceOf(key) == header.keyReference());
    }
}
