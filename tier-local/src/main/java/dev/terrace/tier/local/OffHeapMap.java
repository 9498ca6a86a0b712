package dev.terrace.tier.local;

import dev.terrace.api.SetupException;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import net.openhft.chronicle.map.ChronicleMap;
import org.jspecify.annotations.Nullable;

/**
 * The only class that touches Chronicle Map. Callers serialise writers of one key among themselves, and never call after
 * {@link #close()}: the memory is gone then.
 */
final class OffHeapMap implements AutoCloseable {
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

    private OffHeapMap(ChronicleMap<HashKey, StoredValue> map) {
        this.map = map;
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
                    .maxBloatFactor(shape.bloatFactor())
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

    /** Reads into {@code using}; false when there is nothing. */
    boolean get(HashKey key, StoredValue using) {
        return map.getUsing(key, using) != null;
    }

    /**
     * Stores.
     *
     * @return null, or why there was no room: some segment is full though the map as a whole is not
     */
    @Nullable
    String put(HashKey key, StoredValue value) {
        try {
            map.put(key, value);
            return null;
        } catch (RuntimeException full) {
            // Chronicle has several words for "this segment and its spare tiers are full"; whatever it says, the entry
            // is
            // not in, and the caller gives back what it reserved.
            return String.valueOf(full.getMessage());
        }
    }

    void remove(HashKey key) {
        map.remove(key);
    }

    /** Address space that Chronicle has reserved, more than what it has touched. */
    long reservedBytes() {
        return map.offHeapMemoryUsed();
    }

    @Override
    public void close() {
        map.close();
    }
}
