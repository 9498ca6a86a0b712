package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import dev.terrace.tier.local.policy.UseCells;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The map that is gone with its process: parts by the hash, each a stretch of memory for its entries and its share of the {@link Cells}. After
 * {@link #close} the memory of the entries is gone. See {@code docs/adr/0024}.
 */
final class MemoryMap implements EntryMap {
    /** One more cell for each four entries, so that there are few buckets that are full. */
    static final double CELLS_PER_ENTRY = 1.25;

    /** By so many spreads may the hash give more entries to one part than to others. */
    private static final double SPREADS = 4;

    /** How far an address within a part may be from its beginning. */
    private static final long LARGEST_PART = 1L << 30;

    private final NativeMemory memory;
    private final Cells cells;
    private final MemoryPart[] parts;
    private final int shift;
    private final MemoryPages pages;

    private MemoryMap(MapShape shape, int count, int partBytes, NativeMemory memory, Cells cells) {
        this.memory = memory;
        this.cells = cells;
        this.parts = new MemoryPart[count];
        this.shift = Long.SIZE - Integer.numberOfTrailingZeros(count);
        int buckets = cells.slots() / count / Buckets.CELLS;
        for (int i = 0; i < count; i++) {
            parts[i] = new MemoryPart(
                    memory.part((long) i * partBytes, partBytes),
                    shape.chunkBytes(),
                    new Buckets(cells, i * buckets * Buckets.CELLS, buckets));
        }
        this.pages = new MemoryPages(memory.address(), partBytes, shape.chunkBytes(), parts);
    }

    /** @param huge whether huge pages are wanted where they pay at once */
    static MemoryMap open(MapShape shape, boolean huge) {
        int count = partsFor(shape);
        long bytes = shape.partBytes(count);
        try {
            Cells cells = new Cells(slotsPerPart(shape.entries(), count) * count, huge);
            NativeMemory memory = new NativeMemory(bytes * count);
            try {
                return new MemoryMap(shape, count, (int) bytes, memory, cells);
            } catch (OutOfMemoryError e) {
                memory.free();
                throw e;
            }
        } catch (OutOfMemoryError e) {
            throw new SetupException(
                    "the local tier cannot have " + (bytes * count >> 20) + " MiB of memory: " + e.getMessage(),
                    "check local_cache.capacity and max_memory_mb against the memory of this machine",
                    e);
        }
    }

    static int partsFor(MapShape shape) {
        int count = shape.segments();
        while (shape.partBytes(count) > LARGEST_PART) {
            count *= 2;
        }
        return count;
    }

    /** In whole buckets. */
    private static int slotsPerPart(long entries, int parts) {
        double each = (double) entries / parts;
        double cells = (each + SPREADS * Math.sqrt(each)) * CELLS_PER_ENTRY;
        return ((int) Math.ceil(cells) / Buckets.CELLS + 1) * Buckets.CELLS;
    }

    private MemoryPart part(HashKey key) {
        // By the highest bits, like the stripes of the writers: they meet in few parts.
        return parts[parts.length == 1 ? 0 : (int) (key.low >>> shift)];
    }

    @Override
    public UseCells ownSlots() {
        return cells;
    }

    @Override
    public boolean get(HashKey key, StoredValue using) {
        return part(key).get(key, using);
    }

    @Override
    public @Nullable String put(HashKey key, StoredValue value) {
        return part(key).put(key, value);
    }

    @Override
    public void remove(HashKey key, int slot) {
        part(key).remove(key, slot);
    }

    /** Nothing to do: a part has room unless too little is free in it. */
    @Override
    public void compact(HashKey key) {}

    @Override
    public List<Resident> beside(HashKey key) {
        return part(key).residents();
    }

    @Override
    public int size() {
        int size = 0;
        for (MemoryPart part : parts) {
            size += part.held();
        }
        return size;
    }

    @Override
    public MemoryPages pages() {
        return pages;
    }

    /** Of entries; the cells count as index, with what else is kept about each. */
    @Override
    public long reservedBytes() {
        return memory.bytes();
    }

    @Override
    public String description() {
        return "off-heap, in process";
    }

    @Override
    public void close(boolean alone) {
        // To lose the memory is better than to take it from under a reader.
        if (alone) {
            memory.free();
        }
    }
}
