package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Whether what a repository shows is the newest that it was ever seen to hold. Who remembers nothing cannot know.
 *
 * @param state the answer
 * @param detail for people
 */
public record Freshness(State state, String detail) {
    /** The answer. */
    public enum State {
        /** At least as new as the anchor, or what was expected, says. */
        VERIFIED,
        /** There is nothing to compare with: the repository may have been put back to an older state as a whole. */
        UNVERIFIED,
        /** It is older than it once was. */
        ROLLED_BACK
    }

    /**
     * Compares.
     *
     * @param head the newest generation that is there, or null
     * @param anchored what the anchor remembers, or null
     * @param expected a number that somebody knows was published, or null
     */
    public static Freshness of(Chain chain, @Nullable Ref head, @Nullable Ref anchored, @Nullable Long expected)
            throws BlobException, DamagedException {
        long number = head == null ? 0 : head.number();
        if (expected != null && number < expected) {
            return new Freshness(
                    State.ROLLED_BACK,
                    "writer " + chain.writer() + " ends at generation " + number + ", expected was " + expected);
        }
        if (anchored != null) {
            if (number < anchored.number()) {
                return new Freshness(
                        State.ROLLED_BACK,
                        "writer " + chain.writer() + " ends at generation " + number + ", the anchor remembers "
                                + anchored.number());
            }
            Optional<Chain.Found> there = chain.read(anchored.number());
            if (there.isPresent() && !there.get().ref().equals(anchored)) {
                return new Freshness(
                        State.ROLLED_BACK,
                        "generation " + anchored.number() + " of writer " + chain.writer()
                                + " is another than the anchor remembers: the chain was put back and continued");
            }
            return new Freshness(State.VERIFIED, "not older than the anchor, generation " + anchored.number());
        }
        return expected != null
                ? new Freshness(State.VERIFIED, "not older than expected, generation " + expected)
                : new Freshness(
                        State.UNVERIFIED, "freshness unverified: no anchor and no expected generation to compare with");
    }
}
