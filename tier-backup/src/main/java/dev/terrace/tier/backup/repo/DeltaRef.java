package dev.terrace.tier.backup.repo;

/**
 * A blob with the batches that were committed after a snapshot.
 *
 * @param blob where its bytes are
 * @param fromSequence the first sequence number that it covers
 * @param toSequence the last one; {@code fromSequence - 1} when nothing was committed
 * @param throughMillis everything committed up to this moment, by the writer's clock, is in it or before it; milliseconds since the epoch
 */
public record DeltaRef(BlobRef blob, long fromSequence, long toSequence, long throughMillis) {
    /** Checks. */
    public DeltaRef {
        if (fromSequence < 0 || toSequence < fromSequence - 1 || throughMillis < 0) {
            throw new IllegalArgumentException(
                    "a delta cannot go from " + fromSequence + " to " + toSequence + " at " + throughMillis);
        }
    }
}
