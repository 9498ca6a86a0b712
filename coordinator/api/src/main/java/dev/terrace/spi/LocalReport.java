package dev.terrace.spi;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a local tier holds and where its memory goes. Counts that belong together are read one after the other while others write, so sums
 * may differ by what happened meanwhile. Immutable.
 *
 * @param entries entries held
 * @param capacity most entries it holds
 * @param memory where its memory goes
 * @param container what it knows of the container it runs in; null when it looks at none, or there is no limit
 * @param evictions how many entries left since the start, by cause
 * @param parts what is held by cache and class, largest first
 * @param shares of whom something is reserved or who is limited
 * @param sizes how many entries take how much room, small ones first
 */
public record LocalReport(
        long entries,
        long capacity,
        Memory memory,
        @Nullable Container container,
        Map<String, Long> evictions,
        List<Part> parts,
        List<Share> shares,
        List<Size> sizes) {
    /** Copies the collections. */
    public LocalReport {
        evictions = Map.copyOf(evictions);
        parts = List.copyOf(parts);
        shares = List.copyOf(shares);
        sizes = List.copyOf(sizes);
    }

    /**
     * Where the memory goes, in bytes.
     *
     * @param live what entries take, rounded up to whole units, keys and bookkeeping included
     * @param limit most that entries may take now
     * @param fullLimit most that entries may take when the container has room
     * @param index what is kept about each entry outside the heap
     * @param heap what is kept about each entry on the heap
     * @param reserved address space of the entries' storage, more than it has touched
     * @param resident of that what really lies in memory now; -1 where the operating system does not say
     * @param allowed what settings allow for all of it together
     */
    public record Memory(
            long live, long limit, long fullLimit, long index, long heap, long reserved, long resident, long allowed) {}

    /**
     * The container's memory, in bytes.
     *
     * @param used what it uses, without what the kernel can drop at once
     * @param max what it may use
     * @param shrinks how often the tier has shrunk
     */
    public record Container(long used, long max, long shrinks) {}

    /**
     * What is held of one class in one cache.
     *
     * @param cache its name
     * @param className the class; empty for keys of no class
     * @param entries entries held
     * @param bytes what they take
     * @param evictions how many left since the start, by cause
     */
    public record Part(String cache, String className, long entries, long bytes, Map<String, Long> evictions) {
        /** Copies the map. */
        public Part {
            evictions = Map.copyOf(evictions);
        }
    }

    /**
     * Who has a share.
     *
     * @param name the cache or the pattern of the class
     * @param reservedPercent what others never push out
     * @param mostPercent the most it takes
     * @param entries entries held
     * @param bytes what they take
     */
    public record Share(String name, int reservedPercent, int mostPercent, long entries, long bytes) {}

    /**
     * How many entries there are of one size.
     *
     * @param upToBytes the most that one of them takes; the least is half of it
     * @param entries how many
     */
    public record Size(long upToBytes, long entries) {}
}
