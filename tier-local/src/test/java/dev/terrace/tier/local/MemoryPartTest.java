package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Entries of mixed sizes in little memory, so that they have to be moved all the time. */
class MemoryPartTest {
    private static final int CHUNK = 32;
    private static final int HEADER = 32;
    private static final int LENGTH_AT = 24;

    /** The stamp of no lock. */
    private static final long NOT_VALID = 0;

    private static final int KEYS = 200;
    private static final int BUCKETS = 32;
    private static final long WRITER_NANOS = TimeUnit.MILLISECONDS.toNanos(700);

    private final SplittableRandom random = LocalFixture.random(getClass());
    private final Map<Integer, byte[]> held = new HashMap<>();
    private final Map<Integer, Integer> slots = new HashMap<>();
    private final StoredValue read = new StoredValue();

    private static MemoryPart part(int chunks) {
        return part(ByteBuffer.allocateDirect(chunks * CHUNK).order(ByteOrder.nativeOrder()));
    }

    private static MemoryPart part(ByteBuffer memory) {
        return new MemoryPart(memory, CHUNK, new Buckets(new Cells(BUCKETS * Buckets.CELLS, false), 0, BUCKETS));
    }

    private static HashKey key(int number) {
        SplittableRandom hash = new SplittableRandom(number);
        return new HashKey().set(hash.nextLong(), hash.nextLong());
    }

    private static int chunks(int length) {
        return (HEADER + length + CHUNK - 1) / CHUNK;
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private int length() {
        return random.nextInt(random.nextInt(20) == 0 ? 4_000 : 300);
    }

    private void put(MemoryPart part, int number) {
        byte[] bytes = bytes(length());
        StoredValue value = StoredValue.of(StoredValue.NO_SLOT, number, bytes);
        byte @Nullable [] before = held.get(number);
        int room = part.space().free() + (before == null ? 0 : chunks(before.length));
        String full = part.put(key(number), value);
        boolean fits = chunks(bytes.length) <= room && (before != null || slots.size() < BUCKETS * Buckets.CELLS);
        assertThat(full == null)
                .as("%s, %s chunks of %s", full, chunks(bytes.length), room)
                .isEqualTo(fits);
        if (full == null) {
            held.put(number, bytes);
            Integer slot = slots.put(number, value.slot);
            assertThat(slot == null || slot == value.slot).as("keeps its slot").isTrue();
        } else if (before != null) {
            held.remove(number);
            if (random.nextBoolean()) {
                // Nothing else takes the slot of who is gone, until it is removed.
                put(part, KEYS + number);
                remove(part, KEYS + number);
            }
            remove(part, number);
        }
    }

    private void remove(MemoryPart part, int number) {
        Integer slot = slots.remove(number);
        boolean isFound = held.remove(number) != null;
        // Who knows no slot removes what is found; the cell of who is gone is known by its number only.
        part.remove(key(number), slot == null || isFound && random.nextInt(8) == 0 ? StoredValue.NO_SLOT : slot);
    }

    private void check(MemoryPart part, int number) {
        byte @Nullable [] expected = held.get(number);
        assertThat(part.get(key(number), read)).isEqualTo(expected != null);
        if (expected != null) {
            assertThat(read.slot).isEqualTo(slots.get(number));
            assertThat(read.deadlineMillis).isEqualTo(number);
            assertThat(read.copy()).isEqualTo(expected);
        }
    }

    private void checkAll(MemoryPart part) {
        int used = 0;
        for (int number = 0; number < 2 * KEYS; number++) {
            check(part, number);
            byte @Nullable [] bytes = held.get(number);
            used += bytes == null ? 0 : chunks(bytes.length);
        }
        assertThat(part.space().free()).isEqualTo(part.space().count() - used);
        assertThat(part.held()).isEqualTo(held.size());
        assertThat(part.residents().stream().map(EntryMap.Resident::slot))
                .containsExactlyInAnyOrderElementsOf(
                        held.keySet().stream().map(slots::get).toList());
    }

    @Test
    void whatWasPutIsThereWhereverItWasMoved() {
        for (int chunks : new int[] {1, 64, 700, 1_500}) {
            MemoryPart part = part(chunks);
            held.clear();
            slots.clear();
            for (int i = 0; i < 6_000; i++) {
                int number = random.nextInt(KEYS);
                if (random.nextInt(3) == 0) {
                    remove(part, number);
                } else {
                    put(part, number);
                }
                check(part, random.nextInt(KEYS));
                if (i % 500 == 0) {
                    checkAll(part);
                }
                if (i % 1_000 == 0) {
                    tighten(part);
                }
            }
            List.copyOf(slots.keySet()).forEach(number -> remove(part, number));
            checkAll(part);
        }
    }

    private void tighten(MemoryPart part) {
        int next = 0;
        while (next >= 0) {
            next = part.tighten(next, 1 + random.nextInt(2_000));
        }
        Space space = part.space();
        assertThat(space.nextFree(0)).as("all are together").isEqualTo(space.count() - space.free());
        checkAll(part);
    }

    /** Says whose it is, and of what length, in all of its bytes. */
    private static byte[] marked(int number, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) (number * 31 + length));
        return bytes;
    }

    private static int lookUp(MemoryPart part, int stays, AtomicBoolean ended) {
        StoredValue value = new StoredValue();
        int reads = 0;
        while (!ended.get()) {
            int number = reads++ % stays;
            assertThat(part.get(key(number), value)).as("%s is there", number).isTrue();
            assertThat(value.deadlineMillis).isEqualTo(number);
            byte[] copy = value.copy();
            assertThat(copy).isEqualTo(marked(number, copy.length));
        }
        return reads;
    }

    @Test
    void aReaderBesideMovesFindsWhatIsThereAndAllOfIt() throws Exception {
        int stays = 24;
        MemoryPart part = part(1_200);
        AtomicBoolean ended = new AtomicBoolean();
        ExecutorService readers = Executors.newFixedThreadPool(2);
        try {
            for (int number = 0; number < stays; number++) {
                part.put(key(number), StoredValue.of(0, number, marked(number, 100)));
            }
            List<Future<Integer>> all = new ArrayList<>();
            for (int i = 0; i < 2; i++) {
                all.add(readers.submit(() -> lookUp(part, stays, ended)));
            }
            long began = System.nanoTime();
            int next = 0;
            while (System.nanoTime() - began < WRITER_NANOS) {
                int number = random.nextInt(stays + 40);
                byte[] bytes = marked(number, random.nextInt(600));
                if (number >= stays && random.nextBoolean()) {
                    part.remove(key(number), StoredValue.NO_SLOT);
                } else if (chunks(bytes.length) <= part.space().free()) {
                    assertThat(part.put(key(number), StoredValue.of(0, number, bytes)))
                            .isNull();
                }
                next = part.tighten(Math.max(0, next), 500);
            }
            ended.set(true);
            for (Future<Integer> one : all) {
                assertThat(one.get()).isPositive();
            }
        } finally {
            ended.set(true);
            readers.shutdownNow();
        }
    }

    @Test
    void noMemoryIsTakenForALengthThatMayBeNone() {
        int chunks = 1_000;
        ByteBuffer memory = ByteBuffer.allocateDirect(chunks * CHUNK).order(ByteOrder.nativeOrder());
        MemoryPart part = part(memory);
        part.put(key(0), StoredValue.of(0, 0, new byte[10]));
        memory.putInt(LENGTH_AT, chunks * CHUNK / 2);
        assertThat(part.copy(key(0), read, NOT_VALID)).isFalse();
        assertThat(read.envelope).isEmpty();
    }
}
