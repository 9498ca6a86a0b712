package dev.terrace.spi;

import com.codahale.metrics.MetricRegistry;
import java.time.InstantSource;
import java.util.Optional;

/** What a tier needs from its surroundings. */
public interface TierContext {
    /**
     * The settings record of the given type, such as the local cache's.
     *
     * @throws IllegalArgumentException when there is none of that type
     */
    <T> T settings(Class<T> type);

    /** As {@link #settings} for what a tier can do without; empty when there is none of that type. */
    default <T> Optional<T> offered(Class<T> type) {
        try {
            return Optional.of(settings(type));
        } catch (IllegalArgumentException none) {
            return Optional.empty(); // Which is all that it says.
        }
    }

    /** Where the tier's metrics go. */
    MetricRegistry metrics();

    /** The wall clock. */
    InstantSource clock();
}
