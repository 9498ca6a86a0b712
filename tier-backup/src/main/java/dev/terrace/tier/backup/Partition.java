package dev.terrace.tier.backup;

import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.rocksdb.ColumnFamilyHandle;

/**
 * A column family that holds what was written from {@code startMillis} until the next one began.
 *
 * @param sequence orders partitions by age whatever the clock did
 * @param startMillis milliseconds since the epoch
 * @param handle RocksDB's handle; only touched under the store's lock
 */
record Partition(long sequence, long startMillis, ColumnFamilyHandle handle) {
    private static final Pattern NAME = Pattern.compile("p-(\\d{1,18})-(\\d{1,18})");

    static byte[] name(long sequence, long startMillis) {
        return ("p-" + sequence + "-" + startMillis).getBytes(StandardCharsets.US_ASCII);
    }

    /** The partition that a column family is, or null when its name is not a partition's. */
    static @Nullable Partition of(byte[] name, ColumnFamilyHandle handle) {
        Matcher parts = NAME.matcher(new String(name, StandardCharsets.ISO_8859_1));
        return parts.matches()
                ? new Partition(Long.parseLong(parts.group(1)), Long.parseLong(parts.group(2)), handle)
                : null;
    }
}
