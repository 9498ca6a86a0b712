package dev.terrace.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The near cache of one cache: decoded values on the heap, in front of L1.
 *
 * @param entries most values it holds
 * @param ttl longest stay of a value; null for as long as it is fresh
 */
public record NearCacheSettings(int entries, @Nullable Duration ttl) {}
