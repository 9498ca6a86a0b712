package dev.terrace.api;

import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a loader is told. The old value is what the tiers hold that is fresh no more, or not for long: a value that knows its own tag
 * (ETag, row version) lets the loader ask the origin whether anything changed, and answer {@link Loaded#notChanged()}.
 *
 * @param key what is asked for
 * @param oldValue what the tiers hold; null when there is nothing, or it was invalidated
 * @param oldVersion its version; null without an old value
 * @param oldTags its tags
 * @param oldAge time since it was written or loaded; null without an old value
 * @param timeout how long this load may take before it is interrupted or cancelled, counted from when it was asked for
 * @param background true when nobody waits for it
 * @param <K> the keys
 * @param <V> the values
 */
public record LoadContext<K, V>(
        K key,
        @Nullable V oldValue,
        @Nullable Version oldVersion,
        Set<String> oldTags,
        @Nullable Duration oldAge,
        Duration timeout,
        boolean background) {}
