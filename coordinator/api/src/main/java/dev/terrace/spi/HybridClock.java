package dev.terrace.spi;

import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Hands out {@link Version}s that never repeat and never go back on this node, even when the wall clock does, and that
 * exceed every version this node has {@linkplain #observe observed}.
 *
 * <p>Thread-safe and lock-free. Source: Kulkarni et al., "Logical Physical Clocks", OPODIS 2014.
 */
public final class HybridClock {
    private final InstantSource wall;
    private final long node;
    private final long maxDriftMillis;
    private final AtomicLong last = new AtomicLong();

    /**
     * @param wall the wall clock
     * @param node this node's id; two live nodes must not share its lower 63 bits
     * @param maxDrift how far ahead of the local clock an observed version may be before it is refused
     */
    public HybridClock(InstantSource wall, long node, Duration maxDrift) {
        this.wall = wall;
        this.node = node;
        this.maxDriftMillis = maxDrift.toMillis();
    }

    /** Returns a version newer than any returned or observed before. */
    public Version next() {
        return new Version(tick(), node << 1);
    }

    /** As {@link #next}, for what a conditional write makes; see {@link Version#isConditional}. */
    public Version nextConditional() {
        return new Version(tick(), node << 1 | 1);
    }

    private long tick() {
        long now = wall.millis() << 16;
        // The counter overflows into the milliseconds, so more than 65,536 versions in one of them stay ordered.
        return last.updateAndGet(before -> Math.max(before + 1, now));
    }

    /**
     * Makes sure that later versions exceed {@code seen}.
     *
     * @return false, and nothing changes, when {@code seen} is more than the allowed drift ahead of the local clock
     */
    public boolean observe(Version seen) {
        if (isTooFarAhead(seen)) {
            return false;
        }
        if (seen.clock() > last.get()) {
            last.accumulateAndGet(seen.clock(), Math::max);
        }
        return true;
    }

    /** True when {@code seen} claims to be from further in the future than clocks may differ. */
    public boolean isTooFarAhead(Version seen) {
        return seen.epochMillis() > wall.millis() + maxDriftMillis;
    }

    /** Wall-clock milliseconds since the epoch. */
    public long millis() {
        return wall.millis();
    }

    /** This node's id. */
    public long node() {
        return node;
    }
}
