package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Prune;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One writer's chain of generations, for reading. Thread-safe. */
public class Chain {
    private static final int PATIENCE = 20;
    private static final int PAGE = 1000;

    private final BlobStore store;
    private final RepositoryKeys keys;
    private final int writer;
    private final Boundary boundary;

    Chain(BlobStore store, RepositoryKeys keys, int writer) {
        this.store = store;
        this.keys = keys;
        this.writer = writer;
        this.boundary = new Boundary(store, keys, writer);
    }

    /**
     * A generation as it was found.
     *
     * @param ref its number and hash
     * @param generation what it says
     */
    public record Found(Ref ref, Generation generation) {
        /** The generation before it. */
        public Ref parent() {
            return new Ref(generation.number() - 1, generation.parent());
        }
    }

    /** Whose. */
    public int writer() {
        return writer;
    }

    Boundary boundary() {
        return boundary;
    }

    /** The generation of that number, if there is one; signed by a trusted key and meant for this place. */
    public Optional<Found> read(long number) throws BlobException, DamagedException {
        byte[] all = store.read(Names.generation(writer, number), GenerationFormat.MOST_BYTES)
                .orElse(null);
        if (all == null) {
            return Optional.empty();
        }
        return Optional.of(
                new Found(new Ref(number, Sha256.of(all)), GenerationFormat.decode(writer, number, all, keys)));
    }

    /** The generation that {@code ref} names; it must be there. */
    public Found require(Ref ref) throws BlobException, DamagedException {
        String name = Names.generation(writer, ref.number());
        Found found = read(ref.number())
                .orElseThrow(() ->
                        new DamagedException(Problem.Kind.MISSING, name, "a later generation names it and it is gone"));
        if (!found.ref().equals(ref)) {
            throw new DamagedException(
                    Problem.Kind.BROKEN_CHAIN, name, "it is not the one that a later generation names");
        }
        return found;
    }

    /** The number of the newest generation; 0 when nothing was published yet. */
    long headNumber() throws BlobException, DamagedException {
        for (int i = 0; i < PATIENCE; i++) {
            long from = boundary.read();
            if (from > 0 && !exists(from)) {
                if (boundary.read() == from) {
                    throw new DamagedException(
                            Problem.Kind.MISSING,
                            Names.generation(writer, from),
                            "it is the snapshot that everything newer needs");
                }
                continue;
            }
            long last = beyondHoles(Numbering.last(from, this::exists));
            // A prune may have removed what lay between while this was looking.
            if (boundary.read() == from) {
                return last;
            }
        }
        throw new BlobException(
                BlobException.Kind.UNAVAILABLE,
                "writer " + writer + " was pruned " + PATIENCE + " times while its newest generation was looked for",
                null);
    }

    private boolean exists(long number) throws BlobException {
        return store.stat(Names.generation(writer, number)).isPresent();
    }

    /**
     * A generation that was lost must not hide all that came after it. A listing shows those; it only ever leads further up, and what
     * it shows is looked at by name.
     */
    private long beyondHoles(long last) throws BlobException {
        long highest = last;
        String after = last == 0 ? null : Names.generation(writer, last);
        do {
            BlobStore.Page page = store.list(Names.folder(writer) + "gen/", after, PAGE);
            for (BlobStore.Stat blob : page.blobs()) {
                Names.Parts parts = Names.parts(blob.name());
                if (parts != null && parts.generation() > highest && exists(parts.generation())) {
                    highest = parts.generation();
                }
            }
            after = page.next();
        } while (after != null);
        return highest;
    }

    /** Where the chain stands; empty when nothing was published yet. */
    public Optional<ChainState> load() throws BlobException, DamagedException {
        DamagedException last = null;
        for (int i = 0; i < PATIENCE; i++) {
            long head = headNumber();
            if (head == 0) {
                return Optional.empty();
            }
            try {
                Optional<Found> found = read(head);
                if (found.isPresent()) {
                    return Optional.of(stateAt(found.get()));
                }
            } catch (DamagedException e) {
                if (e.kind() != Problem.Kind.MISSING || boundary.read() <= head) {
                    throw e;
                }
                last = e; // Pruned while it was read.
            }
        }
        throw last != null
                ? last
                : new DamagedException(Problem.Kind.MISSING, Names.folder(writer), "generations come and go");
    }

    /** The state right after a generation that counts. */
    ChainState stateAt(Found found) throws BlobException, DamagedException {
        if (found.generation().content() instanceof Snapshot snapshot) {
            return ChainState.of(found, snapshot);
        }
        Found data = found;
        while (data.generation().content() instanceof Prune) {
            data = require(data.parent());
        }
        Ref base = found.generation().content() instanceof Prune prune
                ? prune.base()
                : ((Delta) found.generation().content()).base();
        Ref root = found.generation().content() instanceof Delta delta ? delta.root() : found.ref();
        Snapshot snapshot = snapshot(base);
        Roots roots =
                root.equals(base) ? snapshot.roots() : root.equals(found.ref()) ? roots(found) : roots(require(root));
        boolean isBase = data.ref().equals(base);
        DeltaRef newest = data.generation().content() instanceof Delta delta ? delta.delta() : null;
        if (newest == null && !isBase) {
            throw broken(found, "it does not follow the snapshot that it names");
        }
        return new ChainState(
                writer,
                found.ref(),
                root,
                roots,
                base,
                snapshot,
                newest == null ? snapshot.toSequence() : newest.toSequence(),
                newest == null ? snapshot.throughMillis() : Math.max(snapshot.throughMillis(), newest.throughMillis()));
    }

    /** The snapshot that {@code ref} names. */
    public Snapshot snapshot(Ref ref) throws BlobException, DamagedException {
        Found found = require(ref);
        if (found.generation().content() instanceof Snapshot snapshot) {
            return snapshot;
        }
        throw broken(found, "it is not the snapshot that others take it for");
    }

    private Roots roots(Found found) throws DamagedException {
        Roots roots = found.generation().content() instanceof Prune prune
                ? prune.roots()
                : found.generation().content() instanceof Snapshot snapshot ? snapshot.roots() : null;
        if (roots == null) {
            throw broken(found, "it does not say what is kept, and others rely on it");
        }
        return roots;
    }

    private DamagedException broken(Found found, String why) {
        return new DamagedException(
                Problem.Kind.BROKEN_CHAIN, Names.generation(writer, found.ref().number()), why);
    }

    /** The state with the next generation, or null when there is none yet. */
    @Nullable
    ChainState next(ChainState state) throws BlobException, DamagedException {
        Optional<Found> next = read(state.head().number() + 1);
        return next.isEmpty() ? null : state.after(next.get());
    }
}
