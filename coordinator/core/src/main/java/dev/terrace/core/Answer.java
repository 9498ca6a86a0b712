package dev.terrace.core;

import org.jspecify.annotations.Nullable;

/**
 * What one caller is told.
 *
 * @param value the value, or null when there is none
 * @param found where it comes from; may hold an entry although there is no value: a tombstone, a negative answer
 * @param stale whether the value is past its time to live
 */
record Answer<V>(@Nullable V value, Found found, boolean stale) {
    /** The value unless it is stale. */
    @Nullable
    V fresh() {
        return stale ? null : value;
    }
}
