package dev.terrace.tier.backup;

import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;

/**
 * A column family that holds what was written from {@code startMillis} until the next one began.
 *
 * @param startMillis milliseconds since the epoch
 * @param handle RocksDB's handle; only touched under the store's lock
 */
record Partition(long startMillis, ColumnFamilyHandle handle) {
    private static final String PREFIX = "p-";

    static byte[] name(long startMillis) {
        return (PREFIX + startMillis).getBytes(StandardCharsets.US_ASCII);
    }

    /** The start that a column family's name states, or null when it is not a partition. */
    static @Nullable Long startOf(byte[] name) {
        String text = new String(name, StandardCharsets.ISO_8859_1);
        return text.matches(PREFIX + "\\d{1,18}") ? Long.valueOf(text.substring(PREFIX.length())) : null;
    }
}
