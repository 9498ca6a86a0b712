package dev.terrace.testkit.history;

import dev.terrace.spi.Version;
import org.jspecify.annotations.Nullable;

/**
 * What a key was found to hold, by a read or by looking into a zone. Immutable.
 *
 * @param value the value, or null for a tombstone or nothing
 * @param version its version, or null when nothing is held or no version was told
 */
public record Held(@Nullable String value, @Nullable Version version) {
    /** Nothing, not even a tombstone. */
    public static final Held NOTHING = new Held(null, null);

    @Override
    public String toString() {
        return (value == null ? "absent" : value) + (version == null ? "" : " version " + version);
    }
}
