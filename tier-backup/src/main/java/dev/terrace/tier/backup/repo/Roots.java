package dev.terrace.tier.backup.repo;

import java.util.ArrayList;
import java.util.List;

/**
 * What a snapshot or a prune says about everything before it: which closed segments are kept, and since when uploads count.
 *
 * <p>An <em>epoch</em> is the number of the newest prune before an upload began (0: none), and part of the blob's name. A generation
 * names a blob only if the snapshot before it does, or if the blob's epoch is not below the <em>floor</em>. So whatever is below the floor and
 * not named by what is kept will never be named again, and can be deleted without asking any clock.
 *
 * @param epochs prunes whose epochs are open, oldest first; never empty. The first is the floor, the last the epoch of new uploads
 * @param kept closed segments, oldest first
 */
public record Roots(List<Epoch> epochs, List<Segment> kept) {
    /** Of a chain that was never pruned. */
    static final Roots NONE = new Roots(List.of(new Epoch(0, 0)), List.of());

    /**
     * The time after a prune.
     *
     * @param number of the prune; 0 before the first
     * @param atMillis when that was, by the pruner's clock
     */
    public record Epoch(long number, long atMillis) {
        /** Checks. */
        public Epoch {
            if (number < 0 || atMillis < 0) {
                throw new IllegalArgumentException("not an epoch: " + number + " at " + atMillis);
            }
        }
    }

    /** Copies and checks: ascending, and nothing overlaps. */
    public Roots {
        epochs = List.copyOf(epochs);
        kept = List.copyOf(kept);
        if (epochs.isEmpty()) {
            throw new IllegalArgumentException("there is always an epoch");
        }
        for (int i = 1; i < epochs.size(); i++) {
            if (epochs.get(i).number() <= epochs.get(i - 1).number()) {
                throw new IllegalArgumentException("epochs do not ascend");
            }
        }
        for (int i = 1; i < kept.size(); i++) {
            if (kept.get(i).first().number() <= kept.get(i - 1).last().number()) {
                throw new IllegalArgumentException("kept segments overlap or do not ascend");
            }
        }
    }

    /** Blobs of lower epochs that no kept generation names are dead. */
    public long floor() {
        return epochs.get(0).number();
    }

    /** Under which uploads that begin now are named. */
    public long epoch() {
        return epochs.get(epochs.size() - 1).number();
    }

    /** With one more closed segment. */
    Roots closing(Segment segment) {
        List<Segment> more = new ArrayList<>(kept);
        more.add(segment);
        return new Roots(epochs, more);
    }

    /**
     * After a prune.
     *
     * @param number of the prune
     * @param graceMillis how long unpublished uploads stay valid, at least; a mere courtesy to uploads under way
     */
    Roots pruned(List<Segment> staying, long number, long atMillis, long graceMillis) {
        List<Epoch> open = new ArrayList<>(epochs);
        open.add(new Epoch(number, atMillis));
        while (open.size() > 1 && open.get(1).atMillis() <= atMillis - graceMillis) {
            open.remove(0);
        }
        return new Roots(open, staying);
    }
}
