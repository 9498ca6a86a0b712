package dev.terrace.tier.backup;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What RocksDB's manifest says of its table files: to which column family each belongs, and between which keys its keys lie. So a file is only
 * fetched when a key may be in it. The format is that of RocksDB's {@code VersionEdit} (db/version_edit.cc of 11.8): tags as varints, each
 * with its own fields. Immutable.
 */
final class TableRanges {
    private static final int COMPARATOR = 1;
    private static final int LOG_NUMBER = 2;
    private static final int NEXT_FILE = 3;
    private static final int LAST_SEQUENCE = 4;
    private static final int COMPACT_CURSOR = 5;
    private static final int DELETED_FILE = 6;
    private static final int PREVIOUS_LOG = 9;
    private static final int LEAST_LOG = 10;
    private static final int NEW_FILE = 103;
    private static final int FAMILY = 200;
    private static final int FAMILY_ADDED = 201;
    private static final int FAMILY_DROPPED = 202;
    private static final int MOST_FAMILY = 203;
    private static final int ATOMIC_GROUP = 300;
    /** Of tags from here on a reader may know no more than that a length and so many bytes follow. */
    private static final int IGNORABLE = 1 << 13;

    private static final int CUSTOM_END = 1;
    /** Behind each key stand a sequence number and a kind. */
    private static final int TRAILER_BYTES = 8;

    /**
     * A table file.
     *
     * @param family the name of its column family
     * @param level 0 for files whose keys may overlap, the newer the file the newer the copy; then each deeper level is older
     * @param newest the highest sequence number in it
     * @param first the least key in it
     * @param last the greatest
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Table(String family, int level, long newest, byte[] first, byte[] last) {
        boolean covers(byte[] key) {
            return Arrays.compareUnsigned(first, key) <= 0 && Arrays.compareUnsigned(key, last) <= 0;
        }
    }

    private final Map<Long, Table> tables;
    private final Map<Integer, String> families;

    private TableRanges(Map<Long, Table> tables, Map<Integer, String> families) {
        this.tables = Map.copyOf(tables);
        this.families = Map.copyOf(families);
    }

    /**
     * Reads a manifest whose bytes are believed.
     *
     * @throws IOException when it holds something that this version does not know
     */
    static TableRanges in(Path manifest) throws IOException {
        Map<Long, Table> tables = new HashMap<>();
        Map<Integer, String> families = new HashMap<>();
        families.put(0, "default");
        LogRecords.read(manifest, record -> new Edit(record, tables, families).read());
        return new TableRanges(tables, families);
    }

    /** The table in the file {@code NUMBER.sst}; null when the manifest does not name it. */
    @Nullable
    Table of(String file) {
        return tables.get(Long.parseLong(file.substring(0, file.indexOf('.'))));
    }

    /** Names of the column families that ever were, by the numbers they have in logs. */
    Map<Integer, String> families() {
        return families;
    }

    /** One record of the manifest. */
    private static final class Edit {
        private final byte[] bytes;
        private final Map<Long, Table> tables;
        private final Map<Integer, String> families;
        private final List<Map.Entry<Long, Table>> added = new ArrayList<>();
        private int at;

        Edit(byte[] bytes, Map<Long, Table> tables, Map<Integer, String> families) {
            this.bytes = bytes;
            this.tables = tables;
            this.families = families;
        }

        void read() throws IOException {
            int family = 0;
            while (at < bytes.length) {
                int tag = (int) number();
                switch (tag) {
                    case LOG_NUMBER, NEXT_FILE, LAST_SEQUENCE, PREVIOUS_LOG, LEAST_LOG, MOST_FAMILY, ATOMIC_GROUP ->
                        number();
                    case COMPARATOR -> text();
                    case COMPACT_CURSOR -> {
                        number();
                        text();
                    }
                    case DELETED_FILE -> {
                        number(); // Its level. One that moves to another is deleted and added in one record.
                        tables.remove(number());
                    }
                    case NEW_FILE -> file();
                    case FAMILY -> family = (int) number();
                    case FAMILY_ADDED -> families.put(family, new String(text(), StandardCharsets.UTF_8));
                    case FAMILY_DROPPED -> {
                        // Its name stays known: logs may still speak of it.
                    }
                    default -> {
                        if (tag < IGNORABLE) {
                            throw new IOException("the manifest of the database holds something unknown: " + tag);
                        }
                        text();
                    }
                }
            }
            String name = families.getOrDefault(family, "");
            for (Map.Entry<Long, Table> one : added) {
                Table table = one.getValue();
                tables.put(one.getKey(), new Table(name, table.level(), table.newest(), table.first(), table.last()));
            }
        }

        private void file() throws IOException {
            int level = (int) number();
            long file = number();
            number(); // Its length.
            byte[] first = key();
            byte[] last = key();
            number(); // The lowest sequence number.
            long newest = number();
            for (long custom = number(); custom != CUSTOM_END; custom = number()) {
                text();
            }
            added.add(Map.entry(file, new Table("", level, newest, first, last)));
        }

        private byte[] key() throws IOException {
            byte[] whole = text();
            if (whole.length < TRAILER_BYTES) {
                throw new IOException("the manifest of the database names a key that cannot be");
            }
            return Arrays.copyOf(whole, whole.length - TRAILER_BYTES);
        }

        private byte[] text() throws IOException {
            long length = number();
            if (length < 0 || length > bytes.length - at) {
                throw new IOException("the manifest of the database declares more than it holds");
            }
            at += (int) length;
            return Arrays.copyOfRange(bytes, at - (int) length, at);
        }

        /** A varint. */
        private long number() throws IOException {
            long value = 0;
            for (int shift = 0; shift < Long.SIZE; shift += 7) {
                if (at >= bytes.length) {
                    break;
                }
                byte next = bytes[at++];
                value |= (next & 0x7FL) << shift;
                if (next >= 0) {
                    return value;
                }
            }
            throw new IOException("the manifest of the database ends in the middle");
        }
    }
}
