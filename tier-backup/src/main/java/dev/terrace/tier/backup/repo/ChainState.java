package dev.terrace.tier.backup.repo;

import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Prune;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.util.ArrayList;
import java.util.List;

/**
 * A chain up to one of its generations, as far as going on needs it. A fold over the chain: pure.
 *
 * @param writer whose
 * @param head the generation
 * @param root the newest snapshot or prune up to it
 * @param roots what that says
 * @param base the snapshot whose segment is open
 * @param snapshot what that says
 * @param toSequence the last sequence number that is published
 * @param throughMillis until when
 */
public record ChainState(
        int writer, Ref head, Ref root, Roots roots, Ref base, Snapshot snapshot, long toSequence, long throughMillis) {
    /** The open segment. */
    public Segment open() {
        return new Segment(base, head, snapshot.asOfMillis(), throughMillis);
    }

    /** All that can be restored: the closed segments and the open one, oldest first. */
    public List<Segment> segments() {
        List<Segment> all = new ArrayList<>(roots.kept());
        all.add(open());
        return all;
    }

    static ChainState of(Chain.Found found, Snapshot snapshot) {
        return new ChainState(
                found.generation().writer(),
                found.ref(),
                found.ref(),
                snapshot.roots(),
                found.ref(),
                snapshot,
                snapshot.toSequence(),
                snapshot.throughMillis());
    }

    /** The state at the beginning of a segment. */
    static ChainState first(Segment segment, Chain.Found found) throws DamagedException {
        if (found.ref().equals(segment.first()) && found.generation().content() instanceof Snapshot snapshot) {
            return of(found, snapshot);
        }
        throw new DamagedException(
                Problem.Kind.BROKEN_CHAIN,
                Names.generation(found.generation().writer(), found.ref().number()),
                "it is not the snapshot that a later generation names");
    }

    /** With the next generation. */
    ChainState after(Chain.Found next) throws DamagedException {
        Generation generation = next.generation();
        requireThat(next, generation.number() == head.number() + 1, "it is not the next one");
        requireThat(next, generation.parent().equals(head.hash()), "it follows another generation " + head.number());
        if (generation.content() instanceof Snapshot taken) {
            return of(next, taken);
        }
        if (generation.content() instanceof Prune prune) {
            requireThat(next, prune.base().equals(base), "it prunes after another snapshot");
            return new ChainState(
                    writer, next.ref(), next.ref(), prune.roots(), base, snapshot, toSequence, throughMillis);
        }
        Delta delta = (Delta) generation.content();
        requireThat(
                next,
                delta.base().equals(base) && delta.root().equals(root),
                "it belongs to another snapshot or prune");
        requireThat(
                next,
                delta.delta().fromSequence() == toSequence + 1,
                "it begins at sequence number " + delta.delta().fromSequence() + ", what is before it ends at "
                        + toSequence);
        return new ChainState(
                writer,
                next.ref(),
                root,
                roots,
                base,
                snapshot,
                delta.delta().toSequence(),
                Math.max(throughMillis, delta.delta().throughMillis()));
    }

    private void requireThat(Chain.Found next, boolean holds, String otherwise) throws DamagedException {
        if (!holds) {
            throw new DamagedException(
                    Problem.Kind.BROKEN_CHAIN,
                    Names.generation(writer, next.ref().number()),
                    otherwise);
        }
    }
}
