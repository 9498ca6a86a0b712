package dev.terrace.tier.backup.repo;

import java.util.List;

/**
 * One link of a writer's chain: what is published by creating one small blob, or not at all.
 *
 * @param writer whose chain
 * @param number its place in it, from 1 on without gaps
 * @param parent SHA-256 of the generation before, zeros for the first
 * @param atMillis when it was made, by the clock of whoever made it, milliseconds since the epoch
 * @param content what it says
 */
public record Generation(int writer, long number, String parent, long atMillis, Content content) {
    /** Checks. */
    public Generation {
        if (writer < 1 || writer > Names.MOST_WRITERS || number < 1 || atMillis < 0) {
            throw new IllegalArgumentException("not a generation: writer " + writer + ", number " + number);
        }
        Ref.requireHash(parent);
        if ((number == 1) != parent.equals(Ref.NO_HASH)) {
            throw new IllegalArgumentException("all but the first name the generation before them");
        }
        if (number == 1 && !(content instanceof Snapshot)) {
            throw new IllegalArgumentException("a chain begins with a snapshot");
        }
    }

    /** What a generation says. */
    public sealed interface Content {}

    /**
     * Everything that the database held at one moment.
     *
     * @param roots what is kept of before, the segment that ends here included
     * @param writers how many writers the repository had, so that one who is taken out of the registry is missed
     * @param sequence the last sequence number that the files hold
     * @param asOfMillis everything in the files was committed at or before this moment
     * @param files all files of the database
     * @param deltas what was published as deltas while the files were on their way: batches after {@code sequence}, in order; the
     *     first may begin before it
     */
    public record Snapshot(
            Roots roots, int writers, long sequence, long asOfMillis, List<FileRef> files, List<DeltaRef> deltas)
            implements Content {
        /** Copies. */
        public Snapshot {
            files = List.copyOf(files);
            deltas = List.copyOf(deltas);
        }

        /** The last sequence number that can be restored from it alone. */
        public long toSequence() {
            return deltas.isEmpty()
                    ? sequence
                    : Math.max(sequence, deltas.get(deltas.size() - 1).toSequence());
        }

        /** Until when it can be restored by itself. */
        public long throughMillis() {
            return deltas.isEmpty()
                    ? asOfMillis
                    : Math.max(asOfMillis, deltas.get(deltas.size() - 1).throughMillis());
        }
    }

    /**
     * What was committed since the delta or snapshot before.
     *
     * @param root the newest snapshot or prune before it: who reads the newest delta finds the roots in one step
     * @param base the snapshot that it belongs to
     * @param delta the batches
     */
    public record Delta(Ref root, Ref base, DeltaRef delta) implements Content {}

    /**
     * What goes is no longer among the roots.
     *
     * @param roots what stays
     * @param base the snapshot whose segment is open; all numbers below it that are not kept will be deleted
     */
    public record Prune(Roots roots, Ref base) implements Content {}
}
