package dev.terrace.tier.local.policy;

/** Least frequently used; ties go to the older. Uses halve with time, if {@link Uses} is told so. */
final class Frequency implements Ranking {
    /** After how many capacities of accesses uses count half. */
    static final int HALF_LIFE_CAPACITIES = 10;

    private final Uses uses;

    Frequency(Uses uses) {
        this.uses = uses;
    }

    @Override
    public double value(long use, int now) {
        return uses.frequency(use, now) - Uses.age(use, now) / (double) Integer.MAX_VALUE;
    }
}
