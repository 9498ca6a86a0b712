package dev.terrace.tier.backup.repo;

/**
 * A snapshot and everything after it up to the next one: the unit that is kept or dropped as a whole.
 *
 * @param first the snapshot
 * @param last the last generation that belongs to it; equal to {@code first} when there is nothing after it
 * @param asOfMillis the earliest moment it can be restored to
 * @param throughMillis the last one
 */
public record Segment(Ref first, Ref last, long asOfMillis, long throughMillis) {
    /** Checks. */
    public Segment {
        if (last.number() < first.number()
                || last.number() == first.number() && !last.equals(first)
                || asOfMillis < 0
                || throughMillis < 0) {
            throw new IllegalArgumentException("not a segment: " + first.number() + " to " + last.number());
        }
    }

    /** Whether a generation of this number is part of it. */
    public boolean holds(long number) {
        return number >= first.number() && number <= last.number();
    }
}
