package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/**
 * Reads one value from the system of record.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface Loader<K, V> {
    /**
     * The value of {@code key}, or null when the origin has none. Runs on one of the coordinator's threads, at most
     * once at a time per key and node.
     *
     * @throws Exception when the origin cannot say; callers see it as the cause of a {@link LoaderException}
     */
    @Nullable
    V load(K key) throws Exception;
}
