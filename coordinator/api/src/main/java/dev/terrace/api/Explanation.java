package dev.terrace.api;

import dev.terrace.spi.EntryKind;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What every tier holds under a key, and what a read would answer and why. For people who debug.
 *
 * @param cache the cache's name
 * @param key the key, readable
 * @param copies one per tier, fastest first
 * @param decision one sentence: which copy a read uses, and why not another
 */
public record Explanation(String cache, String key, List<Copy> copies, String decision) {
    /** Copies the list. */
    public Explanation {
        copies = List.copyOf(copies);
    }

    /**
     * One tier's copy.
     *
     * @param tier which tier
     * @param state {@code hit}, {@code miss} or {@code unavailable}
     * @param kind what the entry says; null unless hit
     * @param version its version; null unless hit
     * @param age since it was created; null unless hit
     * @param freshFor until it turns stale, negative when it has; null unless hit
     * @param payloadBytes size of the value
     * @param detail anything else worth knowing, possibly empty
     */
    public record Copy(
            TierLevel tier,
            String state,
            @Nullable EntryKind kind,
            @Nullable Version version,
            @Nullable Duration age,
            @Nullable Duration freshFor,
            int payloadBytes,
            String detail) {}
}
