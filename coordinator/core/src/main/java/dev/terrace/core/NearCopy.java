package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.List;

/**
 * A decoded value in the near cache. The value is the very object that every reader gets. Two copies are never equal: which one is
 * meant matters when one is removed.
 */
final class NearCopy {
    /** The caller's key. */
    final Object key;

    final CacheKey cacheKey;
    final Object keyCodec;
    final Object valueCodec;
    final Object value;
    final Version version;

    /** Of the version, which lies elsewhere in memory: for the look that every hit takes. */
    final long versionClock;

    final List<String> tags;
    final long createdMillis;

    final long freshUntilMillis;

    /** Fresh in L1, and not longer here than allowed. */
    final long untilMillis;

    /** How often everything had been dropped when L1 was asked. */
    final long sweep;

    NearCopy(
            Object key,
            CacheKey cacheKey,
            Object keyCodec,
            Object valueCodec,
            Object value,
            Version version,
            List<String> tags,
            long createdMillis,
            long freshUntilMillis,
            long untilMillis,
            long sweep) {
        this.key = key;
        this.cacheKey = cacheKey;
        this.keyCodec = keyCodec;
        this.valueCodec = valueCodec;
        this.value = value;
        this.version = version;
        this.versionClock = version.clock();
        this.tags = tags;
        this.createdMillis = createdMillis;
        this.freshUntilMillis = freshUntilMillis;
        this.untilMillis = untilMillis;
        this.sweep = sweep;
    }
}
