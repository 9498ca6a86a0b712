package dev.terrace.api;

import java.util.Map;
import java.util.Set;

/**
 * Reads many values from the system of record in one go.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface BulkLoader<K, V> {
    /**
     * The values of {@code keys}; a key that is missing in the answer has no value at the origin. Keys that were not
     * asked for are ignored.
     *
     * @throws BulkLoadException when the origin cannot say for some keys: {@link BulkLoadException#partial}; what is loaded is kept
     * @throws Exception when the origin cannot say
     */
    Map<K, V> loadAll(Set<K> keys) throws Exception;
}
