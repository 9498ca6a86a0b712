package dev.terrace.config;

import java.time.Duration;

/**
 * L1, the local tier.
 *
 * @param enabled whether there is one
 * @param capacity most entries it holds
 * @param maxMemoryMib most mebibytes it uses, index and slack included
 * @param ttl longest time an entry stays in L1, whatever its own time to live
 * @param evictionPolicy who goes when it is full
 * @param sweepInterval pause between two looks for expired entries
 */
public record LocalCacheSettings(
        boolean enabled,
        long capacity,
        long maxMemoryMib,
        Duration ttl,
        EvictionPolicy evictionPolicy,
        Duration sweepInterval) {
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

    /** 10,000 entries, 100 MiB, 5 minutes, adaptive. */
    public static LocalCacheSettings defaults() {
        return new LocalCacheSettings(
                true, 10_000, 100, Duration.ofMinutes(5), EvictionPolicy.ADAPTIVE, Duration.ofSeconds(1));
    }
}
