package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.List;

/**
 * A decoded value in the near cache. The value is the very object that every reader gets. Two copies are never equal: which one is
 * meant matters when one is removed. Small, and with all that a hit looks at in itself: each further object would be a wait for memory.
 */
final class NearCopy {
    /** Fresh in L1, and not longer here than allowed. */
    final long untilMillis;

    final long versionClock;
    final long versionNode;
    final long createdMillis;
    final long freshUntilMillis;

    /** Which codecs made it: the {@link Coding} that had them. */
    final Object maker;

    final Object value;
    final List<String> tags;

    /** The caller's key. */
    final Object key;

    final CacheKey cacheKey;

    NearCopy(
            Object key,
            CacheKey cacheKey,
            Object maker,
            Object value,
            Version version,
            List<String> tags,
            long createdMillis,
            long freshUntilMillis,
            long untilMillis) {
        this.key = key;
        this.cacheKey = cacheKey;
        this.maker = maker;
        this.value = value;
        this.versionClock = version.clock();
        this.versionNode = version.node();
        this.tags = tags;
        this.createdMillis = createdMillis;
        this.freshUntilMillis = freshUntilMillis;
        this.untilMillis = untilMillis;
    }

    /** Allocates. */
    Version version() {
        return new Version(versionClock, versionNode);
    }
}
