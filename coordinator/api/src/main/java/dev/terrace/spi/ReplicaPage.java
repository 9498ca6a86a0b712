package dev.terrace.spi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A part of what a zone holds.
 *
 * @param items keys and versions, without values
 * @param next where the next page begins; null after the last
 * @param failure why there is no page; null when there is one
 */
public record ReplicaPage(
        List<Item> items, @Nullable String next, @Nullable String failure) {
    /** Copies the list. */
    public ReplicaPage {
        items = List.copyOf(items);
    }

    /** One key and the version held of it. */
    public record Item(CacheKey key, Version version) {}
}
