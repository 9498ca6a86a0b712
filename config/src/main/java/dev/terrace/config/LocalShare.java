package dev.terrace.config;

/**
 * How much of L1 the entries of a cache or of a class may count on, and how much they may take; of its bytes and of its number of entries
 * alike. Immutable.
 *
 * @param reservedPercent what entries of others never push out, in percent of L1; 0 for nothing
 * @param mostPercent more than this they do not take, whoever else is there; 100 for no limit
 */
public record LocalShare(int reservedPercent, int mostPercent) {
    /** All that may be reserved together, in percent of L1: the rest is for whom nothing is reserved. */
    public static final int MOST_RESERVED_PERCENT = 90;

    /** How many caches and classes can have a share. */
    public static final int MOST_SHARES = 63;

    /** Nothing reserved, no limit. */
    public static final LocalShare WHOLE = new LocalShare(0, 100);

    /** Says which number is wrong. */
    public LocalShare {
        if (reservedPercent < 0 || mostPercent < 1 || mostPercent > 100 || reservedPercent > mostPercent) {
            throw new IllegalArgumentException("reserved " + reservedPercent + " and most " + mostPercent
                    + " are no shares: 0 to most, and 1 to 100");
        }
    }
}
