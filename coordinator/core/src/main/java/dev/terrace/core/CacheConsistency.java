package dev.terrace.core;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What one cache promises about its copies on this node: the hardest of what it promises for any of its keys.
 *
 * @param consistency {@code eventual}, {@code bounded} or {@code strict}
 * @param bound how old this node's knowledge may be for copies to be answered as fresh; null when that does not matter
 * @param trusted whether they are, now
 */
public record CacheConsistency(String consistency, @Nullable Duration bound, boolean trusted) {}
