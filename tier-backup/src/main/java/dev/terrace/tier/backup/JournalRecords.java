package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal.Dead;
import dev.terrace.spi.WriteJournal.Wait;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the journal writes. Entries, and the reasons of dead letters, are sealed as in L3, bound to where they lie and what stands before
 * them. Big-endian:
 *
 * <pre>
 * waiting  name: hash of the key (16)
 *          format 0x01 (1), since (8), record
 * dead     name: hash of the key (16), version (16)
 *          format 0x01 (1), since (8), died (8), attempts (4), length of the record (4), record, record of the reason
 * </pre>
 *
 * <p>{@code seal} belongs to one thread, as {@link Records} say.
 */
final class JournalRecords {
    static final byte FORMAT = 1;
    private static final int WAIT_HEAD = 9;
    private static final int DEAD_HEAD = 25;
    private static final int NAME_WITH_VERSION = KeyHash.BYTES + Version.BYTES;

    private final Records records;
    private final KeyHash hash;

    JournalRecords(Records records, KeyHash hash) {
        this.records = records;
        this.hash = hash;
    }

    byte[] name(CacheKey key) {
        return hash.of(key);
    }

    byte[] name(CacheKey key, Version version) {
        return ByteBuffer.allocate(NAME_WITH_VERSION)
                .put(hash.of(key))
                .putLong(version.clock())
                .putLong(version.node())
                .array();
    }

    private static byte[] bound(byte[] name, byte[] value, int head, char what) {
        return ByteBuffer.allocate(name.length + head + 1)
                .put(name)
                .put(value, 0, head)
                .put((byte) what)
                .array();
    }

    byte[] seal(Wait wait) {
        byte[] head = ByteBuffer.allocate(WAIT_HEAD)
                .put(FORMAT)
                .putLong(wait.sinceMillis())
                .array();
        byte[] record = records.seal(bound(name(wait.key()), head, WAIT_HEAD, 'w'), wait.entry());
        return ByteBuffer.allocate(WAIT_HEAD + record.length)
                .put(head)
                .put(record)
                .array();
    }

    /** What was sealed, or null when it cannot be believed. */
    @Nullable
    Wait openWaiting(byte[] name, byte[] value) {
        if (value.length < WAIT_HEAD || value[0] != FORMAT || name.length != KeyHash.BYTES) {
            return null;
        }
        Entry entry =
                records.open(bound(name, value, WAIT_HEAD, 'w'), Arrays.copyOfRange(value, WAIT_HEAD, value.length));
        return entry == null || !Arrays.equals(name, name(entry.key()))
                ? null
                : new Wait(entry, ByteBuffer.wrap(value).getLong(1));
    }

    byte[] seal(Dead dead) {
        byte[] name = name(dead.key(), dead.entry().version());
        byte[] head = ByteBuffer.allocate(DEAD_HEAD)
                .put(FORMAT)
                .putLong(dead.sinceMillis())
                .putLong(dead.diedMillis())
                .putInt(dead.attempts())
                .putInt(0)
                .array();
        byte[] record = records.seal(bound(name, head, DEAD_HEAD - Integer.BYTES, 'd'), dead.entry());
        byte[] reason = records.seal(bound(name, head, DEAD_HEAD - Integer.BYTES, 'r'), reason(dead));
        return ByteBuffer.allocate(DEAD_HEAD + record.length + reason.length)
                .put(head)
                .putInt(DEAD_HEAD - Integer.BYTES, record.length)
                .put(record)
                .put(reason)
                .array();
    }

    private static Entry reason(Dead dead) {
        return new Entry(
                CacheKey.of("terrace.journal", "reason"),
                EntryKind.VALUE,
                dead.entry().version(),
                dead.diedMillis(),
                Entry.FOREVER,
                Entry.FOREVER,
                List.of(),
                dead.reason().getBytes(StandardCharsets.UTF_8));
    }

    /** What was sealed, or null when it cannot be believed. */
    @Nullable
    Dead openDead(byte[] name, byte[] value) {
        if (value.length < DEAD_HEAD || value[0] != FORMAT || name.length != NAME_WITH_VERSION) {
            return null;
        }
        ByteBuffer head = ByteBuffer.wrap(value);
        int length = head.getInt(DEAD_HEAD - Integer.BYTES);
        if (length < 0 || length > value.length - DEAD_HEAD) {
            return null;
        }
        int middle = DEAD_HEAD + length;
        Entry entry = records.open(
                bound(name, value, DEAD_HEAD - Integer.BYTES, 'd'), Arrays.copyOfRange(value, DEAD_HEAD, middle));
        Entry reason = records.open(
                bound(name, value, DEAD_HEAD - Integer.BYTES, 'r'), Arrays.copyOfRange(value, middle, value.length));
        if (entry == null || reason == null || !Arrays.equals(name, name(entry.key(), entry.version()))) {
            return null;
        }
        return new Dead(
                entry,
                head.getLong(1),
                head.getLong(9),
                head.getInt(17),
                new String(reason.payload(), StandardCharsets.UTF_8));
    }
}
