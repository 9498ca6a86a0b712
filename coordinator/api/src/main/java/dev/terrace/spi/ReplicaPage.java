package dev.terrace.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of what a zone holds.
 *
 * @param items keys and versions, without values
 * @param promises keys of which a version is promised, whether or not anything is held
 * @param next where the next page begins; null after the last
 * @param failure why there is no page; null when there is one
 */
public record ReplicaPage(
        List<Item> items,
        List<Item> promises,
        @Nullable String next,
        @Nullable String failure) {
    /** Copies the lists. */
    public ReplicaPage {
        items = List.copyOf(items);
        promises = List.copyOf(promises);
    }

    /** A page without promises. */
    public ReplicaPage(List<Item> items, @Nullable String next, @Nullable String failure) {
        this(items, List.of(), next, failure);
    }

    /** One key and the version held or promised of it. */
    public record Item(CacheKey key, Version version) {}
}
