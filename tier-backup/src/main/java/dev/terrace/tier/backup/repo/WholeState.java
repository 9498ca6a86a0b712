package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * The newest state of a chain that nothing is missing of: what is left when something is lost or damaged. Every byte that the state needs was
 * read and compared. Immutable.
 *
 * @param segment from the snapshot to the last generation that is whole
 * @param snapshot what it begins with
 * @param deltas after it, in order
 */
public record WholeState(Segment segment, Snapshot snapshot, List<DeltaRef> deltas) {
    /** Copies. */
    public WholeState {
        deltas = List.copyOf(deltas);
    }

    /**
     * What was found.
     *
     * @param state null when nothing is whole, or nothing is as old
     * @param lost what is in the way of anything newer, for people; empty when nothing is
     */
    public record Found(@Nullable WholeState state, List<String> lost) {
        /** Copies. */
        public Found {
            lost = List.copyOf(lost);
        }
    }

    /**
     * Looks for it.
     *
     * @param asOf nothing newer is wanted; null for the newest
     * @param progress told the bytes read so far
     * @throws BlobException when the store cannot be asked
     */
    public static Found newest(Repository repository, int writer, @Nullable Instant asOf, LongConsumer progress)
            throws BlobException {
        Search search = new Search(repository, writer, asOf, progress);
        return new Found(search.run(), search.lost);
    }

    private static final class Search {
        private final Chain chain;
        private final BlobCheck check;
        private final long wanted;
        private final List<String> lost = new ArrayList<>();

        Search(Repository repository, int writer, @Nullable Instant asOf, LongConsumer progress) {
            this.chain = repository.chain(writer);
            this.check = new BlobCheck(repository.store(), progress);
            this.wanted = asOf == null ? Long.MAX_VALUE : asOf.toEpochMilli();
        }

        @Nullable
        WholeState run() throws BlobException {
            List<Segment> segments = segments();
            for (int i = segments.size() - 1; i >= 0; i--) {
                Segment segment = segments.get(i);
                WholeState whole = segment.asOfMillis() <= wanted ? wholePart(segment) : null;
                if (whole != null) {
                    return whole;
                }
            }
            return null;
        }

        /** As the newest generation says that can be believed. */
        private List<Segment> segments() throws BlobException {
            long head;
            try {
                head = chain.headNumber();
            } catch (DamagedException e) {
                lost.add(String.valueOf(e.getMessage()));
                return List.of();
            }
            for (long number = head; number > 0; number--) {
                try {
                    Optional<Chain.Found> found = chain.read(number);
                    if (found.isPresent()) {
                        return chain.stateAt(found.get()).segments();
                    }
                } catch (DamagedException e) {
                    lost.add(String.valueOf(e.getMessage()));
                }
            }
            return List.of();
        }

        /** Upwards, as far as all is well; null when the snapshot is not. */
        private @Nullable WholeState wholePart(Segment segment) throws BlobException {
            ChainState at = null;
            List<DeltaRef> deltas = new ArrayList<>();
            try {
                for (long number = segment.first().number();
                        number <= segment.last().number() && (at == null || at.throughMillis() < wanted);
                        number++) {
                    Chain.Found here = require(number);
                    ChainState next = at == null ? ChainState.first(segment, here) : at.after(here);
                    if (here.generation().content() instanceof Delta delta) {
                        requireWhole(delta.delta().blob());
                        deltas.add(delta.delta());
                    } else if (here.generation().content() instanceof Snapshot snapshot) {
                        requireWhole(snapshot);
                    }
                    at = next;
                }
            } catch (DamagedException e) {
                lost.add(String.valueOf(e.getMessage()));
            }
            if (at == null) {
                return null;
            }
            List<DeltaRef> all = new ArrayList<>(at.snapshot().deltas());
            all.addAll(deltas);
            return new WholeState(at.open(), at.snapshot(), all);
        }

        private Chain.Found require(long number) throws BlobException, DamagedException {
            return chain.read(number)
                    .orElseThrow(() -> new DamagedException(
                            Problem.Kind.MISSING,
                            Names.generation(chain.writer(), number),
                            "it is between generations that are there"));
        }

        private void requireWhole(Snapshot snapshot) throws BlobException, DamagedException {
            for (FileRef file : snapshot.files()) {
                requireWhole(file.blob());
            }
            for (DeltaRef delta : snapshot.deltas()) {
                requireWhole(delta.blob());
            }
        }

        private void requireWhole(BlobRef blob) throws BlobException, DamagedException {
            BlobCheck.Wrong wrong = check.wrong(blob, true);
            if (wrong != null) {
                throw new DamagedException(wrong.kind(), blob.name(), wrong.detail());
            }
        }
    }
}
