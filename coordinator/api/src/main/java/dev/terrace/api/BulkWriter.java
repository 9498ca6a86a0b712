package dev.terrace.api;

import java.util.List;
import java.util.Map;

/**
 * Writes many values to the system of record in one call, under the rules of {@link Writer}. Never two changes of one key in a call.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface BulkWriter<K, V> {
    /**
     * Writes what it can.
     *
     * @return why the origin has not taken a change, by its key, in the terms of {@link Writer}; keys that are missing here were taken.
     *     Empty when all were
     * @throws Exception when nothing was taken, or nobody knows what
     */
    Map<K, Exception> writeAll(List<WriteChange<K, V>> changes) throws Exception;
}
