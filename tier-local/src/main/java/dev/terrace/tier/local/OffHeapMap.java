package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.openhft.chronicle.hash.Data;
import net.openhft.chronicle.hash.impl.VanillaChronicleHash;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.chronicle.map.MapEntry;
import org.jspecify.annotations.Nullable;

/**
 * The map that is gone with its process, and the only class that touches Chronicle Map, beside {@link MapPages}, which knows the memory under
 * it. After {@link #close} the memory is gone.
 */
final class OffHeapMap implements EntryMap {
    /**
     * Asks for a fifth flag that only speeds up a cleaner we do not use. Held here, because the JDK forgets the level of a
     * logger that nobody holds.
     */
    private static final Logger BUFFER_CLEANER_LOG =
            Logger.getLogger("net.openhft.chronicle.core.internal.cleaner.ReflectionBasedByteBufferCleanerService");

    static {
        // Before the first Chronicle class loads: no usage report, no banner.
        System.setProperty("chronicle.analytics.disable", "true");
        System.setProperty("chronicle.announcer.disable", "true");
        BUFFER_CLEANER_LOG.setLevel(Level.OFF);
    }

    private final ChronicleMap<HashKey, StoredValue> map;
    private final MapPages pages;

    private OffHeapMap(ChronicleMap<HashKey, StoredValue> map) {
        this.map = map;
        this.pages = new MapPages((VanillaChronicleHash<?, ?, ?, ?>) map);
    }

    static OffHeapMap open(MapShape shape) {
        Locale before = Locale.getDefault();
        // Chronicle writes Java source when it opens a map and upper-cases names by the default locale: under Turkish
        // rules
        // that source does not compile. There is no other way to tell it, so the default changes while a map is made.
        boolean awkward = !"i".toUpperCase(before).equals("I");
        if (awkward) {
            Locale.setDefault(Locale.ROOT);
        }
        try {
            return create(shape);
        } finally {
            if (awkward) {
                Locale.setDefault(before);
            }
        }
    }

    private static OffHeapMap create(MapShape shape) {
        try {
            return new OffHeapMap(ChronicleMap.of(HashKey.class, StoredValue.class)
                    .name("terrace-l1")
                    .keyMarshallers(Marshallers.Key.INSTANCE, Marshallers.Key.INSTANCE)
                    .valueMarshallers(Marshallers.Value.INSTANCE, Marshallers.Value.INSTANCE)
                    .constantKeySizeBySample(new HashKey())
                    .averageValueSize(shape.averageValueBytes() + StoredValue.PREFIX_BYTES)
                    .actualChunkSize(shape.chunkBytes())
                    .maxChunksPerEntry(shape.charge(shape.largestValueBytes()) / shape.chunkBytes() + 1)
                    .entries(shape.entries())
                    .actualSegments(shape.segments())
                    .allowSegmentTiering(false)
                    .putReturnsNull(true)
                    .removeReturnsNull(true)
                    .skipCloseOnExitHook(true)
                    .create());
        } catch (RuntimeException | LinkageError e) {
            throw new SetupException(
                    "the local tier's off-heap map for " + shape.entries() + " entries cannot be created: " + e,
                    "check local_cache.capacity and max_memory_mb against the memory of this machine",
                    e);
        }
    }

    @Override
    public boolean get(HashKey key, StoredValue using) {
        return map.getUsing(key, using) != null;
    }

    @Override
    public @Nullable String put(HashKey key, StoredValue value) {
        try {
            relocate(key, value);
            return null;
        } catch (RuntimeException full) {
            // Chronicle has several words for "this segment and its spare tiers are full"; whatever it says, the entry
            // is
            // not in, and the caller gives back what it reserved.
            return String.valueOf(full.getMessage());
        }
    }

    /**
     * Puts a longer value by removing the shorter one and inserting, under the segment's lock. When Chronicle itself moves a value that has
     * outgrown its place, it frees the old place first and leaves the key pointing there when it finds no new one. Not as methods of the map:
     * with any of those it no longer takes its short way for reads.
     */
    private void relocate(HashKey key, StoredValue value) {
        try (var query = map.queryContext(key)) {
            query.updateLock().lock();
            MapEntry<HashKey, StoredValue> entry = query.entry();
            Data<StoredValue> data = query.wrapValueAsData(value);
            if (entry != null && data.size() <= entry.value().size()) {
                query.replaceValue(entry, data);
                return;
            }
            if (entry != null) {
                query.remove(entry);
            }
            query.insert(Objects.requireNonNull(query.absentEntry()), data);
        }
    }

    @Override
    public void remove(HashKey key) {
        map.remove(key);
    }

    @Override
    public List<Resident> beside(HashKey key) {
        List<Resident> residents = new ArrayList<>();
        int segment;
        try (var query = map.queryContext(key)) {
            segment = query.segmentIndex();
        }
        try (var part = map.segmentContext(segment)) {
            part.forEachSegmentEntry(entry -> {
                HashKey found = entry.key().get();
                int slot = Marshallers.Value.slot(entry.value());
                residents.add(new Resident(new HashKey().set(found.high, found.low), slot));
            });
        }
        return residents;
    }

    @Override
    public int size() {
        return map.size();
    }

    @Override
    public MapPages pages() {
        return pages;
    }

    @Override
    public long reservedBytes() {
        return map.offHeapMemoryUsed();
    }

    @Override
    public String description() {
        return "Chronicle Map, off-heap, in process";
    }

    @Override
    public void close(boolean alone) {
        // To lose the memory is better than to take it from under a reader.
        if (alone) {
            map.close();
        }
    }
}
