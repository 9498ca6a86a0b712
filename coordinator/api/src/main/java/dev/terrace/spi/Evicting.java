package dev.terrace.spi;

import java.util.random.RandomGenerator;

/** A tier that evicts on command, so that tests and drills can see what becomes of it. */
public interface Evicting {
    /**
     * Evicts some of what is held, chosen at random, as a want of space would, on the calling thread. No tombstones are left: the keys are
     * misses here, and other tiers answer them.
     *
     * @param share each entry's chance to go, 0 to 1
     * @return how many went
     */
    long evict(double share, RandomGenerator random);
}
