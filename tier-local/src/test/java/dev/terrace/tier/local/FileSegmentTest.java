package dev.terrace.tier.local;

import static dev.terrace.testkit.Entries.version;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Envelope;
import dev.terrace.testkit.Entries;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A segment of the file by itself: what the next process finds in it after the worst moments. */
class FileSegmentTest {
    private static final int CHUNK = 64;
    private static final int CHUNKS = 64;
    private static final long SALT = 0x5A17;
    private static final long NOW = 1_000_000;

    @TempDir
    Path folder;

    private final ByteBuffer highWaters = ByteBuffer.allocate(Long.BYTES);
    private MappedByteBuffer memory;

    @BeforeEach
    void map() throws IOException {
        try (FileChannel file = FileChannel.open(
                folder.resolve("segment"),
                StandardOpenOption.CREATE,
                StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            memory = file.map(MapMode.READ_WRITE, 0, CHUNK * CHUNKS);
        }
    }

    private FileSegment segment() {
        return new FileSegment(memory, highWater(), SALT, CHUNK, 16);
    }

    private HighWater highWater() {
        return new HighWater(highWaters, 0, SALT, CHUNKS);
    }

    /** Takes in everything, or what there is room for. */
    private static final class Adopting implements FileSegment.Adopter {
        private final int room;

        Adopting(int room) {
            this.room = room;
        }

        @Override
        public Groups groups() {
            return new Groups();
        }

        @Override
        public long latestDeadline() {
            return Long.MAX_VALUE;
        }

        @Override
        public boolean mayStay(long versionClock, boolean tagged, long deadlineMillis) {
            return true;
        }

        @Override
        public void adopt(Harvest found) {
            int given = 0;
            for (int i = 0; i < found.count(); i++) {
                if (found.isWanted(i) && given < room) {
                    found.give(i, given++);
                }
            }
        }

        @Override
        public void giveBack(Harvest found) {
            throw new AssertionError("nothing fails");
        }
    }

    private List<String> leftBehind(boolean torn) {
        FileSegment segment = segment();
        Adopting adopting = new Adopting(CHUNKS);
        assertThat(segment.attach(adopting, new Harvest(adopting.groups()), torn))
                .isTrue();
        return namesIn(segment);
    }

    private static List<String> namesIn(FileSegment segment) {
        StoredValue value = new StoredValue();
        return Stream.of("large", "filler", "before", "within", "k")
                .filter(name -> segment.get(hash(name), value) && value.slot != StoredValue.NO_SLOT)
                .toList();
    }

    @Test
    void whoIsGivenNoSlotGoesAndItsRoomIsFree() {
        FileSegment segment = segment();
        for (String name : List.of("large", "before", "within")) {
            assertThat(segment.put(hash(name), value(name, 20))).isNull();
        }
        FileSegment next = segment();
        Adopting adopting = new Adopting(2);
        assertThat(next.attach(adopting, new Harvest(adopting.groups()), false)).isTrue();
        assertThat(namesIn(next)).containsExactly("large", "before");
        assertThat(next.size()).isEqualTo(2);
        assertThat(next.put(hash("k"), value("k", 24))).isNull();
        assertThat(leftBehind(false)).containsExactlyInAnyOrder("large", "before", "k");
    }

    private static HashKey hash(String key) {
        return new HashKey().set(key.hashCode(), key.length());
    }

    /** A record of so many chunks. */
    private static StoredValue value(String key, int chunks) {
        int around = Envelope.encode(
                        Entries.value(CacheKey.of("c", key), version(NOW, 1), NOW, Duration.ofHours(1), new byte[0]))
                .length;
        byte[] payload = new byte[chunks * CHUNK - FileRecord.HEADER_BYTES - around];
        return StoredValue.of(
                0,
                NOW + 1,
                Envelope.encode(
                        Entries.value(CacheKey.of("c", key), version(NOW, 1), NOW, Duration.ofHours(1), payload)));
    }

    @Test
    void aHeaderThatTheDiskKeptTooLongHidesNoRecordThatWasWrittenOverItsEnvelope() {
        FileSegment segment = segment();
        assertThat(segment.put(hash("large"), value("large", 40))).isNull();
        byte[] first = new byte[CHUNK];
        memory.get(0, first);
        segment.remove(hash("large"));
        assertThat(segment.put(hash("filler"), value("filler", 24))).isNull();
        assertThat(segment.put(hash("before"), value("before", 3))).isNull();
        assertThat(segment.put(hash("within"), value("within", 3))).isNull();
        // The page of the first chunk is older than the rest.
        memory.put(0, first);
        assertThat(leftBehind(true)).containsExactlyInAnyOrder("within", "filler");
        assertThat(leftBehind(false))
                .as("what was taken for a record counts no more")
                .hasSize(2);
    }

    @Test
    void whatLiesBeyondWhereRecordsEverEndedIsNotLookedAt() {
        FileSegment segment = segment();
        Adopting adopting = new Adopting(CHUNKS);
        assertThat(segment.attach(adopting, new Harvest(adopting.groups()), false))
                .isTrue();
        assertThat(segment.put(hash("before"), value("before", 10))).isNull();
        assertThat(leftBehind(false)).containsExactly("before");
        assertThat(highWater().left()).isEqualTo(10);
        segment = segment();
        assertThat(segment.attach(adopting, new Harvest(adopting.groups()), false))
                .isTrue();
        assertThat(segment.put(hash("within"), value("within", 10))).isNull();
        byte[] record = new byte[10 * CHUNK];
        memory.get(10 * CHUNK, record);
        assertThat(leftBehind(false)).containsExactly("before", "within");
        segment.remove(hash("within"));
        assertThat(leftBehind(false)).containsExactly("before");
        memory.put(10 * CHUNK, record);
        assertThat(leftBehind(false)).as("as it could never be").containsExactly("before");
        assertThat(leftBehind(true)).as("the disk may lack anything").containsExactly("before", "within");
        highWaters.put(0, (byte) (highWaters.get(0) ^ 1));
        assertThat(leftBehind(false)).as("damaged").containsExactly("before", "within");
    }

    @Test
    void aPutThatFailsLeavesNothingForTheNextProcess() {
        FileSegment segment = new FileSegment(memory, highWater(), SALT, CHUNK, new Places(16) {
            @Override
            boolean isFull() {
                return true;
            }

            @Override
            Places grown() {
                throw new OutOfMemoryError("Cannot reserve direct buffer memory");
            }
        });
        assertThatThrownBy(() -> segment.put(hash("k"), value("k", CHUNKS))).isInstanceOf(OutOfMemoryError.class);
        assertThat(leftBehind(false)).isEmpty();
        assertThatThrownBy(() -> segment.put(hash("k"), value("k", CHUNKS)))
                .as("its room is free")
                .isInstanceOf(OutOfMemoryError.class);
    }

    @Test
    void aLengthThatIsNotTheRecordsIsNotBelieved() {
        ByteBuffer bytes = ByteBuffer.allocateDirect(1 << 20);
        FileRecord.write(bytes, 0, SALT, hash("k"), value("k", 4));
        StoredValue read = new StoredValue();
        FileRecord.read(bytes, 0, SALT, 7, read);
        assertThat(read.slot).isEqualTo(7);
        bytes.putInt(Integer.BYTES, 1 << 19);
        FileRecord.read(bytes, 0, SALT, 7, read);
        assertThat(read.slot).isEqualTo(StoredValue.NO_SLOT);
        assertThat(read.envelope).hasSizeLessThan(1 << 19);
    }
}
