package dev.terrace.api;

import org.jspecify.annotations.Nullable;

/**
 * One change for a {@link BulkWriter}.
 *
 * @param key the key
 * @param value the new value; null to remove it
 * @param context version and attempt
 */
public record WriteChange<K, V>(K key, @Nullable V value, WriteContext context) {}
