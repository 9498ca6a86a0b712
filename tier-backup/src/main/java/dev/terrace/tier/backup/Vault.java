package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.WriteCondition;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Entries in a {@link PartitionedStore}: hashes their keys, seals and opens their records, counts what cannot be
 * believed.
 */
final class Vault {
    private static final Logger LOG = LoggerFactory.getLogger(Vault.class);

    private final PartitionedStore store;
    private final Records records;
    private final KeyHash hash;
    private final Meters meters;
    private final byte[] peeked = new byte[RecordHeader.MOST_BYTES];

    /** Destroyed keys that were spoken of. */
    private final Set<Long> told = ConcurrentHashMap.newKeySet();

    Vault(PartitionedStore store, Records records, KeyHash hash, Meters meters) {
        this.store = store;
        this.records = records;
        this.hash = hash;
        this.meters = meters;
    }

    PartitionedStore store() {
        return store;
    }

    /** Names the order in which keys lie, which a secret decides where there is one, and reveals nothing of it. */
    String layout() {
        return HexFormat.of().formatHex(hash.of(CacheKey.of("terrace.layout", "name of the layout")));
    }

    /** What is held under {@code key}, expired or not; null when there is nothing that can be believed. */
    @Nullable
    Entry find(CacheKey key) throws RocksDBException, PartitionedStore.ClosedStore {
        return find(key, hash.of(key));
    }

    /**
     * What is held for sure.
     *
     * @param entry null when there is nothing
     */
    record Certain(@Nullable Entry entry) {}

    /**
     * What {@link #find} finds, if that is in memory and quickly read; waits for nothing.
     *
     * @return null when it is not certain
     */
    @Nullable
    Certain findInMemory(CacheKey key, Workspace own) {
        byte[] hashed = hash.of(key);
        PartitionedStore.InMemory certain = store.getFromMemory(hashed);
        if (certain == null) {
            return null;
        }
        byte[] record = certain.record();
        if (record == null) {
            return new Certain(null);
        }
        // What cannot be believed is for a reader to find again, and to count.
        return Records.isQuick(record)
                        && records.read(hashed, record, own) instanceof Records.Sound sound
                        && sound.entry().key().equals(key)
                ? new Certain(sound.entry())
                : null;
    }

    private @Nullable Entry find(CacheKey key, byte[] hashed) throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] record;
        try {
            record = store.get(hashed);
        } catch (RocksDBException e) {
            return damaged(e);
        }
        if (record == null) {
            return null;
        }
        Entry entry = open(new PartitionedStore.Stored(hashed, record));
        if (entry != null && !entry.key().equals(key)) {
            meters.collisions.inc();
            return null;
        }
        return entry;
    }

    private @Nullable Entry damaged(RocksDBException e) throws RocksDBException {
        if (!Opening.isCorruption(e)) {
            throw e;
        }
        meters.corrupt.inc();
        return null;
    }

    /**
     * What is held and may keep {@code write} out; null when nothing does. Opens what is held only when its beginning does not
     * already say that it is older. Writer thread only.
     */
    @Nullable
    Entry rival(Write write) throws RocksDBException, PartitionedStore.ClosedStore {
        if (write.condition() instanceof WriteCondition.IfNewer) {
            int length;
            try {
                length = store.peek(write.hash(), peeked);
            } catch (RocksDBException e) {
                return damaged(e);
            }
            Long clock = length < 0 ? null : Records.peekClock(peeked, length);
            boolean older = clock != null
                    && Long.compareUnsigned(clock, write.entry().version().clock()) < 0;
            if (length < 0 || older) {
                return null;
            }
        }
        return find(write.entry().key(), write.hash());
    }

    /** The entry of a record, or null, counted, when it cannot be believed. */
    @Nullable
    Entry open(PartitionedStore.Stored stored) {
        Records.Reading reading = records.read(stored.hash(), stored.record());
        if (reading instanceof Records.Sound sound) {
            return sound.entry();
        }
        RingKey destroyed = records.destroyed(stored.record());
        if (destroyed != null) {
            meters.destroyed.inc();
            if (told.add(destroyed.id())) {
                LOG.warn("backup holds records that cannot be read reason={}", KeyRing.whenDestroyed(destroyed));
            }
            return null;
        }
        meters.corrupt.inc();
        if (reading == Records.Flaw.UNKNOWN_DICTIONARY) {
            meters.unknownDictionary.inc();
        }
        return null;
    }

    /** A write that waits; its key is hashed here, it is sealed later. Any thread. */
    Write write(Entry entry, WriteCondition condition, int bytes) {
        return new Write(entry, condition, bytes, hash.of(entry.key()), records);
    }

    PartitionedStore.Stored seal(byte[] hashed, Entry entry) {
        return new PartitionedStore.Stored(hashed, records.seal(hashed, entry));
    }

    /** Writer thread only; {@code kept} are hashes of those that must be {@linkplain Keeper carried on}. */
    void write(List<PartitionedStore.Stored> sealed, List<byte[]> kept)
            throws RocksDBException, PartitionedStore.ClosedStore {
        store.write(sealed, kept);
        meters.writes.inc(sealed.size());
    }
}
