package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;

/** Finds the last of blobs that are numbered without gaps, by name and never by a listing: growing steps, then halving. */
final class Numbering {
    private Numbering() {}

    /** Whether a number exists. */
    interface Exists {
        boolean at(long number) throws BlobException;
    }

    /**
     * The last number.
     *
     * @param known a number that exists, or one less than the first possible one
     */
    static long last(long known, Exists exists) throws BlobException {
        long low = known;
        long step = 1;
        while (exists.at(low + step)) {
            low += step;
            step *= 2;
        }
        long high = low + step;
        while (high - low > 1) {
            long middle = low + (high - low) / 2;
            if (exists.at(middle)) {
                low = middle;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
