package dev.terrace.tier.local.policy;

/** Least recently used. */
final class Recency implements Ranking {
    @Override
    public double value(long use, int now) {
        return -Uses.age(use, now);
    }
}
