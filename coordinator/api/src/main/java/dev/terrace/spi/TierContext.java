package dev.terrace.spi;

import com.codahale.metrics.MetricRegistry;
import java.time.InstantSource;

/** What a tier needs from its surroundings. */
public interface TierContext {
    /**
     * The settings record of the given type, such as the local cache's.
     *
     * @throws IllegalArgumentException when there is none of that type
     */
    <T> T settings(Class<T> type);

    /** Where the tier's metrics go. */
    MetricRegistry metrics();

    /** The wall clock. */
    InstantSource clock();
}
