package dev.terrace.tier.backup;

import dev.terrace.api.UnavailableException;
import dev.terrace.spi.Entry;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Walks through the live values of a part of all hashes, newest partition first, a slice at a time; the lock is free while visitors work.
 */
final class Scan {
    private static final int SLICE = 256;

    /** Hashes are told apart by their first two bytes. */
    private static final int PREFIXES = 1 << 16;

    private final Vault vault;
    private final Meters meters;
    private final InstantSource clock;
    private final byte[] first;
    private final byte @Nullable [] end;

    /** @param part of {@code parts} equal ones, from 0; at most 65,536 */
    Scan(Vault vault, Meters meters, InstantSource clock, int part, int parts) {
        if (parts < 1 || parts > PREFIXES || part < 0 || part >= parts) {
            throw new IllegalArgumentException("part " + part + " of " + parts);
        }
        this.vault = vault;
        this.meters = meters;
        this.clock = clock;
        this.first = beginning(part, parts);
        this.end = part + 1 == parts ? null : beginning(part + 1, parts);
    }

    private static byte[] beginning(int part, int parts) {
        int prefix = (int) ((long) part * PREFIXES / parts);
        return ByteBuffer.allocate(KeyHash.BYTES).putShort((short) prefix).array();
    }

    void run(Predicate<Entry> visitor) {
        try {
            for (long partition : vault.store().sequences()) {
                if (!walk(partition, visitor)) {
                    return;
                }
            }
        } catch (PartitionedStore.ClosedStore e) {
            throw new UnavailableException("the backup tier was closed during a scan", "scan again after opening it");
        } catch (RocksDBException e) {
            throw new UnavailableException("the backup tier cannot be read: " + e.getMessage(), "check its disk");
        }
    }

    private boolean walk(long partition, Predicate<Entry> visitor)
            throws RocksDBException, PartitionedStore.ClosedStore {
        byte[] from = first;
        while (from != null) {
            PartitionedStore.Slice slice = vault.store().slice(partition, from, end, SLICE);
            if (slice.damaged()) {
                meters.corrupt.inc();
            }
            for (PartitionedStore.Stored stored : slice.records()) {
                Entry entry = vault.open(stored);
                if (entry != null
                        && entry.isValue()
                        && !entry.isExpired(clock.millis())
                        && !vault.store().isShadowed(partition, stored.hash())
                        && !visitor.test(entry)) {
                    return false;
                }
            }
            from = slice.next();
        }
        return true;
    }
}
