package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobSource;
import dev.terrace.tier.backup.repo.Generation.Content;
import dev.terrace.tier.backup.repo.Generation.Delta;
import dev.terrace.tier.backup.repo.Generation.Prune;
import dev.terrace.tier.backup.repo.Generation.Snapshot;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Adds to the chain of one folder. A generation is published by creating its number; who loses the race for it reads the winner:
 * a prune is taken in and the next number tried, anything else means that the folder is not the only one that thinks it owns the chain.
 *
 * <p>For one thread at a time; the caller sees to it.
 */
public final class ChainWriter {
    private static final Logger LOG = LoggerFactory.getLogger(ChainWriter.class);
    private static final int MOST_TRIES = 100;

    private final Repository repository;
    private final Place.Memory memory;
    private final InstantSource clock;
    private final Chain chain;
    private Place place;
    private @Nullable ChainState state;
    /** Published since the oldest snapshot that may still be under way. */
    private final List<DeltaRef> recent = new ArrayList<>();

    private ChainWriter(Repository repository, Place.Memory memory, InstantSource clock, Place place) {
        this.repository = repository;
        this.memory = memory;
        this.clock = clock;
        this.place = place;
        this.chain = repository.chain(place.writer());
    }

    /**
     * Goes on where the folder was, or registers it when it remembers nothing.
     *
     * @throws FencedException when the chain is not this folder's any more; see {@link #register}
     */
    public static ChainWriter open(Repository repository, Place.Memory memory, InstantSource clock)
            throws BlobException, DamagedException, IOException, FencedException {
        Place remembered = memory.load();
        if (remembered == null) {
            return register(repository, memory, clock);
        }
        ChainWriter writer = new ChainWriter(repository, memory, clock, remembered);
        writer.refresh();
        return writer;
    }

    /** Begins a chain of its own. */
    public static ChainWriter register(Repository repository, Place.Memory memory, InstantSource clock)
            throws BlobException, IOException {
        Place fresh = new Place(repository.registry().register(), null, List.of());
        memory.save(fresh);
        return new ChainWriter(repository, memory, clock, fresh);
    }

    /** Its number in the registry. */
    public int writer() {
        return place.writer();
    }

    /** Where the chain stands, as far as was seen; null before the first snapshot. */
    public @Nullable ChainState state() {
        return state;
    }

    /**
     * Reads what came since: prunes of others, and own generations whose answer was lost.
     *
     * @throws FencedException when there is something that this folder did not write
     */
    public @Nullable ChainState refresh() throws BlobException, DamagedException, IOException, FencedException {
        refuseWhenPruned();
        try {
            return readOn();
        } catch (DamagedException | FencedException e) {
            refuseWhenPruned(); // Then that is the reason.
            throw e;
        }
    }

    private void refuseWhenPruned() throws BlobException, DamagedException, FencedException {
        Ref last = place.last();
        long boundary = chain.boundary().read();
        if (last != null && boundary > last.number()) {
            throw new FencedException("writer " + place.writer() + " was continued by somebody else: generations below "
                    + boundary + " are pruned, this folder knows " + last.number());
        }
    }

    private @Nullable ChainState readOn() throws BlobException, DamagedException, IOException, FencedException {
        ChainState at = state;
        Ref last = place.last();
        if (at == null && last != null) {
            at = chain.stateAt(known(last));
        }
        while (true) {
            long number = at == null ? 1 : at.head().number() + 1;
            Optional<Chain.Found> next = chain.read(number);
            if (next.isEmpty()) {
                state = at;
                return at;
            }
            at = take(at, next.get());
        }
    }

    private Chain.Found known(Ref last) throws BlobException, DamagedException, FencedException {
        Optional<Chain.Found> found = chain.read(last.number());
        if (found.isEmpty() || !found.get().ref().equals(last)) {
            throw new FencedException("generation " + last.number() + " of writer " + place.writer()
                    + (found.isEmpty()
                            ? ", which this folder published, is gone"
                            : " is another than this folder published")
                    + ": the repository was put back to an older state, or another one stands in its place");
        }
        return found.get();
    }

    private ChainState take(@Nullable ChainState before, Chain.Found next)
            throws DamagedException, FencedException, IOException {
        Content content = next.generation().content();
        boolean mine = place.intents().contains(next.ref());
        if (!mine && !(content instanceof Prune)) {
            throw new FencedException("generation " + next.ref().number() + " of writer " + place.writer()
                    + " was published by somebody else: this folder, or another one, is a copy");
        }
        ChainState after;
        if (before != null) {
            after = before.after(next);
        } else if (content instanceof Snapshot first) {
            after = ChainState.of(next, first);
        } else {
            throw new DamagedException(
                    Problem.Kind.BROKEN_CHAIN, Names.generation(place.writer(), 1), "it is not a snapshot");
        }
        if (mine) {
            remember(next.ref(), content);
        }
        return after;
    }

    private void remember(Ref ref, Content content) throws IOException {
        place = place.at(ref);
        memory.save(place);
        if (content instanceof Delta delta) {
            recent.add(delta.delta());
        } else if (content instanceof Snapshot snapshot) {
            recent.removeIf(delta -> delta.toSequence() <= snapshot.sequence());
        }
    }

    /** What to publish after {@code before}, which is null for the first generation. */
    private interface Draft {
        Content after(@Nullable ChainState before) throws OutdatedUpload, Advanced;
    }

    /** Blobs were uploaded in an epoch whose unpublished ones may have been collected since. */
    private static final class OutdatedUpload extends Exception {
        private static final long serialVersionUID = 1L;
    }

    /** The chain is further than it was when a delta was prepared. */
    private static final class Advanced extends Exception {
        private static final long serialVersionUID = 1L;
    }

    private ChainState seenSince(ChainState before) {
        ChainState now = state;
        return now == null ? before : now;
    }

    private ChainState publish(Draft draft)
            throws BlobException, DamagedException, IOException, FencedException, OutdatedUpload, Advanced {
        for (int i = 0; i < MOST_TRIES; i++) {
            ChainState before = refresh();
            Content content = draft.after(before);
            Generation generation = new Generation(
                    place.writer(),
                    before == null ? 1 : before.head().number() + 1,
                    before == null ? Ref.NO_HASH : before.head().hash(),
                    clock.millis(),
                    content);
            byte[] bytes = GenerationFormat.encode(generation, repository.keys().current());
            Ref ref = new Ref(generation.number(), Sha256.of(bytes));
            place = place.intending(ref);
            memory.save(place);
            if (!Creation.create(repository.store(), Names.generation(place.writer(), ref.number()), bytes)) {
                continue;
            }
            if (chain.boundary().read() > ref.number()) {
                throw new FencedException("generation " + ref.number() + " of writer " + place.writer()
                        + " came too late: somebody else has continued and pruned the chain");
            }
            ChainState after = take(before, new Chain.Found(ref, generation));
            state = after;
            return after;
        }
        throw new BlobException(
                BlobException.Kind.UNAVAILABLE,
                "lost " + MOST_TRIES + " races for the next generation of writer " + place.writer(),
                null);
    }

    /**
     * Publishes what was committed since {@link ChainState#toSequence()}. When an earlier publication whose answer was lost turns out to have
     * taken effect, nothing is published, and the state that is returned says how far that went.
     *
     * @param bytes the batches
     * @param toSequence the last sequence number in it
     * @param throughMillis everything committed up to this moment is published with it
     */
    public ChainState publishDelta(BlobSource bytes, long toSequence, long throughMillis)
            throws BlobException, DamagedException, IOException, FencedException {
        BlobSource sent = repository.envelope().wrap(bytes);
        String sha256 = Sha256.of(sent);
        while (true) {
            ChainState seen = refresh();
            if (seen == null) {
                throw new IllegalStateException("a chain begins with a snapshot");
            }
            long from = seen.toSequence() + 1;
            String name = Names.delta(
                    place.writer(), seen.roots().epoch(), seen.head().number() + 1, sha256, repository.envelope());
            repository.store().write(name, sent, false);
            DeltaRef delta = new DeltaRef(new BlobRef(name, sent.length(), sha256), from, toSequence, throughMillis);
            try {
                return publish(before -> {
                    if (before == null || before.toSequence() + 1 != from) {
                        throw new Advanced();
                    }
                    requireCurrent(before, delta.blob());
                    return new Delta(before.root(), before.base(), delta);
                });
            } catch (Advanced e) {
                LOG.debug("a publication whose answer was lost has taken effect writer={}", place.writer());
                return seenSince(seen);
            } catch (OutdatedUpload e) {
                LOG.debug("a delta goes up again, uploads of its epoch were given up writer={}", place.writer());
            }
        }
    }

    /**
     * Uploads and publishes a snapshot.
     *
     * @param checkpoint the files; they stay as they are until this returns
     * @param upload brings those files up that the repository does not have
     */
    public ChainState publishSnapshot(Checkpoint checkpoint, SnapshotUpload upload)
            throws BlobException, DamagedException, IOException, FencedException {
        while (true) {
            ChainState seen = refresh();
            List<FileRef> files = upload.upload(checkpoint.files(), place.writer(), seen);
            int writers = Math.max(place.writer(), repository.writers());
            try {
                return publish(before -> {
                    for (FileRef file : files) {
                        if (before != null && !isInBase(before, file)) {
                            requireCurrent(before, file.blob());
                        }
                    }
                    return new Snapshot(
                            before == null ? Roots.NONE : before.roots().closing(before.open()),
                            writers,
                            checkpoint.sequence(),
                            checkpoint.asOfMillis(),
                            files,
                            before == null || before.toSequence() <= checkpoint.sequence()
                                    ? List.of()
                                    : since(checkpoint.sequence()));
                });
            } catch (Advanced e) {
                throw new IllegalStateException("a snapshot does not care how far the chain is", e);
            } catch (OutdatedUpload e) {
                LOG.info("a snapshot goes up again, uploads of its epoch were given up writer={}", place.writer());
            }
        }
    }

    private static boolean isInBase(ChainState before, FileRef file) {
        return before.snapshot().files().stream().anyMatch(other -> other.blob().equals(file.blob()));
    }

    private static void requireCurrent(ChainState before, BlobRef blob) throws OutdatedUpload {
        if (Names.epochOf(blob.name()) < before.roots().floor()) {
            throw new OutdatedUpload();
        }
    }

    private List<DeltaRef> since(long sequence) {
        return recent.stream().filter(delta -> delta.toSequence() > sequence).toList();
    }
}
