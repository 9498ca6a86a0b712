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
 * @param handle RocksDB's handle; only touched within the store's guard
 */
record Partition(long sequence, long startMillis, ColumnFamilyHandle handle) {
    private static final Pattern NAME = Pattern.compile("p-(\\d{1,18})-(\\d{1,18})");

    static byte[] name(long sequence, long startMillis) {
        return ("p-" + sequence + "-" + startMillis).getBytes(StandardCharsets.US_ASCII);
    }

    /**
     * How old a partition is.
     *
     * @param sequence the higher the newer
     * @param startMillis milliseconds since the epoch
     */
    record Age(long sequence, long startMillis) {}

    /** How old the partition is that a column family of this name is; null when it is none. */
    static @Nullable Age age(String name) {
        Matcher parts = NAME.matcher(name);
        return parts.matches() ? new Age(Long.parseLong(parts.group(1)), Long.parseLong(parts.group(2))) : null;
    }

    /** The partition that a column family is, or null when its name is not a partition's. */
    static @Nullable Partition of(byte[] name, ColumnFamilyHandle handle) {
        Age age = age(new String(name, StandardCharsets.ISO_8859_1));
        return age == null ? null : new Partition(age.sequence(), age.startMillis(), handle);
    }
}
