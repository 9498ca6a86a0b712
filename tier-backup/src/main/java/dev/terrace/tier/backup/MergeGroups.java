package dev.terrace.tier.backup;

import dev.terrace.tier.backup.PartitionedStore.Slice;
import dev.terrace.tier.backup.PartitionedStore.Stored;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;
import org.rocksdb.RocksDBException;

/**
 * Walks through several folders at once in the order of the hashes: a merge of as many sorted streams as they have partitions. Holds at most
 * {@value #RECORDS} records, or about 1 MiB, of each partition. For one thread.
 */
final class MergeGroups {
    private static final int RECORDS = 256;

    /** One folder's copy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Copy(MergeInput input, byte[] record) {}

    /** All copies of one key, at most one of each folder. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Group(byte[] hash, List<Copy> copies) {}

    private final PriorityQueue<Place> places =
            new PriorityQueue<>(Comparator.<Place, byte[]>comparing(Place::hash, Arrays::compareUnsigned)
                    .thenComparingInt(place -> place.order));

    MergeGroups(List<MergeInput> inputs) throws RocksDBException, PartitionedStore.ClosedStore {
        int order = 0;
        for (MergeInput input : inputs) {
            for (long sequence : input.store().sequences()) { // Newest first.
                Place place = new Place(input, sequence, order++);
                if (place.fill(new byte[KeyHash.BYTES])) {
                    places.add(place);
                }
            }
        }
    }

    /** The next key's copies; null at the end. */
    @Nullable
    Group next() throws RocksDBException, PartitionedStore.ClosedStore {
        Place first = places.peek();
        if (first == null) {
            return null;
        }
        byte[] hash = first.hash();
        List<Copy> copies = new ArrayList<>(1);
        for (Place place = first; place != null && Arrays.equals(place.hash(), hash); place = places.peek()) {
            places.remove();
            // Those of one folder follow each other, the newest partition first.
            if (copies.isEmpty() || copies.get(copies.size() - 1).input() != place.input) {
                copies.add(new Copy(place.input, place.record()));
            }
            if (place.advance()) {
                places.add(place);
            }
        }
        return new Group(hash, copies);
    }

    /** Where it stands in one partition. */
    private static final class Place {
        private final MergeInput input;
        private final long sequence;
        private final int order;
        private List<Stored> records = List.of();
        private byte @Nullable [] next;
        private int at;

        Place(MergeInput input, long sequence, int order) {
            this.input = input;
            this.sequence = sequence;
            this.order = order;
        }

        byte[] hash() {
            return records.get(at).hash();
        }

        byte[] record() {
            return records.get(at).record();
        }

        boolean advance() throws RocksDBException, PartitionedStore.ClosedStore {
            at++;
            return at < records.size() || next != null && fill(next);
        }

        /** False at the end. */
        boolean fill(byte[] from) throws RocksDBException, PartitionedStore.ClosedStore {
            byte[] begin = from;
            do {
                Slice slice = input.store().slice(sequence, begin, RECORDS);
                if (slice.damaged()) {
                    input.countUnreadable();
                }
                records = slice.records();
                next = slice.next();
                at = 0;
                if (!records.isEmpty()) {
                    return true;
                }
                begin = next == null ? begin : next;
            } while (next != null);
            return false;
        }
    }
}
