package dev.terrace.api;

import dev.terrace.spi.Version;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A read with everything that is known about it.
 *
 * @param value the value, or null when there is none
 * @param source who answered
 * @param freshness how good the answer is
 * @param age time since the value was written or loaded; zero when there is none
 * @param version the value's version, also of a tombstone or negative answer; null when nothing is known for sure of the key
 * @param <V> the values
 */
public record ReadResult<V>(
        @Nullable V value,
        Source source,
        Freshness freshness,
        Duration age,
        @Nullable Version version) {
    /** True when there is a value. */
    public boolean isPresent() {
        return value != null;
    }
}
