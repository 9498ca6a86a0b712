package dev.terrace.config;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * L1, the local tier.
 *
 * @param enabled whether there is one
 * @param capacity most entries it holds
 * @param maxMemoryMib most mebibytes it uses, index and slack included
 * @param ttl longest time an entry stays in L1, whatever its own time to live
 * @param evictionPolicy who goes when it is full
 * @param sweepInterval pause between two looks for expired entries
 * @param shrinkAtPercent of the container's memory: above it L1 shrinks; {@link #NEVER_SHRINK} for never
 * @param cgroup where the unified cgroup hierarchy says what the container may use and does
 * @param hugePages whether a map that is a quarter full is asked to lie in huge pages, where the system has them
 * @param persist the folder in which it outlives the process, created when missing, one process per folder; null when it does not
 */
public record LocalCacheSettings(
        boolean enabled,
        long capacity,
        long maxMemoryMib,
        Duration ttl,
        EvictionPolicy evictionPolicy,
        Duration sweepInterval,
        int shrinkAtPercent,
        Path cgroup,
        boolean hugePages,
        @Nullable Path persist) {
    /** A value of {@link #shrinkAtPercent}: no container is looked at. */
    public static final int NEVER_SHRINK = 100;

    private static final int SHRINK_AT_PERCENT = 90;
    private static final Path CGROUP = Path.of("/sys/fs/cgroup");

    /** Settings that shrink above 90 percent of the memory of the container this process is in. */
    public LocalCacheSettings(
            boolean enabled,
            long capacity,
            long maxMemoryMib,
            Duration ttl,
            EvictionPolicy evictionPolicy,
            Duration sweepInterval) {
        this(
                enabled,
                capacity,
                maxMemoryMib,
                ttl,
                evictionPolicy,
                sweepInterval,
                SHRINK_AT_PERCENT,
                CGROUP,
                true,
                null);
    }

    /** The same with another container, or another limit within it. */
    public LocalCacheSettings shrinkingAt(int percent, Path hierarchy) {
        return new LocalCacheSettings(
                enabled,
                capacity,
                maxMemoryMib,
                ttl,
                evictionPolicy,
                sweepInterval,
                percent,
                hierarchy,
                hugePages,
                persist);
    }

    /** Who goes when L1 is full. */
    public enum EvictionPolicy {
        /** Least recently used. */
        LRU,
        /** Least frequently used, where old uses count less. */
        LFU,
        /** A small window, and admission by frequency. */
        W_TINYLFU,
        /** Three first-in-first-out queues. */
        S3_FIFO,
        /** Learns from the past of the keys which of them bring the most hits. */
        ADAPTIVE
    }

    /** The same in a folder. */
    public LocalCacheSettings persistedIn(Path folder) {
        return new LocalCacheSettings(
                enabled,
                capacity,
                maxMemoryMib,
                ttl,
                evictionPolicy,
                sweepInterval,
                shrinkAtPercent,
                cgroup,
                hugePages,
                folder);
    }

    /** 10,000 entries, 100 MiB, 5 minutes, adaptive. */
    public static LocalCacheSettings defaults() {
        return new LocalCacheSettings(
                true, 10_000, 100, Duration.ofMinutes(5), EvictionPolicy.ADAPTIVE, Duration.ofSeconds(1));
    }
}
