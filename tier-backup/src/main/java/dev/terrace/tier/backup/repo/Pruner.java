package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.tier.backup.repo.Generation.Prune;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes what no restore point needs. In this order: a generation says what stays; the boundary is raised; then blobs are deleted. Killed
 * anywhere, the next one ends it. Safe beside backups, restores and other pruners, in any process. For one thread.
 */
public final class Pruner {
    private static final Logger LOG = LoggerFactory.getLogger(Pruner.class);
    private static final int MOST_TRIES = 100;
    private static final int PAGE = 1000;

    private final Repository repository;
    private final Chain chain;
    private final InstantSource clock;

    /** Of one writer's chain. */
    public Pruner(Repository repository, Chain chain, InstantSource clock) {
        this.repository = repository;
        this.chain = chain;
        this.clock = clock;
    }

    /**
     * What was, or would be, removed.
     *
     * @param blobs how many
     * @param bytes how long they are together
     * @param unfinished how many uploads that died left something behind; not known, 0, of what only would be removed
     */
    public record Removed(long blobs, long bytes, int unfinished) {}

    /** What executing a plan now would remove, by a listing; uploads of the last {@code graceMillis} are spared. */
    public Removed survey(PrunePlan plan, long graceMillis) throws BlobException, DamagedException {
        Roots roots = after(plan.state(), plan.going(), graceMillis);
        return sweep(Living.of(chain, plan.state(), roots), false);
    }

    /**
     * Does it. Drops what the plan says and nothing else, whatever came meanwhile.
     *
     * @param graceMillis how long uploads that were not published yet stay
     */
    public Removed execute(PrunePlan plan, long graceMillis) throws BlobException, DamagedException {
        ChainState pruned = publish(plan, graceMillis);
        chain.boundary().raise(pruned.base().number());
        Removed removed = sweep(living(), true);
        return new Removed(removed.blobs(), removed.bytes(), discardUnfinished(graceMillis));
    }

    /** No listing shows these, and they are paid for. A store that refuses it has been pruned all the same. */
    private int discardUnfinished(long graceMillis) throws BlobException {
        try {
            return repository.store().discardUnfinished(clock.millis() - graceMillis);
        } catch (BlobException e) {
            if (e.kind() == BlobException.Kind.INTERRUPTED || e.kind() == BlobException.Kind.CLOSED) {
                throw e;
            }
            LOG.warn(
                    "what uploads that died left behind stays repository={} reason={}",
                    repository.store().location(),
                    e.getMessage());
            return 0;
        }
    }

    /**
     * As of now: another pruner may have gone on, and what it dropped can no longer be read. It may have said so and not have raised the
     * boundary yet, and whoever looks for the newest generation begins there.
     */
    private Living living() throws BlobException, DamagedException {
        for (int i = 0; true; i++) {
            ChainState newest = load();
            chain.boundary().raise(newest.base().number());
            try {
                return Living.of(chain, newest, newest.roots());
            } catch (DamagedException e) {
                giveUpUnlessPruned(e, newest, i);
            }
        }
    }

    private ChainState load() throws BlobException, DamagedException {
        return chain.load()
                .orElseThrow(() -> new DamagedException(
                        Problem.Kind.MISSING, Names.folder(chain.writer()), "the chain was there and is gone"));
    }

    private void giveUpUnlessPruned(DamagedException e, ChainState seen, int tries)
            throws BlobException, DamagedException {
        if (e.kind() != Problem.Kind.MISSING
                || tries >= MOST_TRIES
                || load().head().equals(seen.head())) {
            throw e;
        }
    }

    /** The first step: from now on what goes is no restore point any more. */
    ChainState publish(PrunePlan plan, long graceMillis) throws BlobException, DamagedException {
        for (int i = 0; i < MOST_TRIES; i++) {
            ChainState before = load();
            Roots roots = after(before, plan.going(), graceMillis);
            Generation prune = new Generation(
                    chain.writer(),
                    before.head().number() + 1,
                    before.head().hash(),
                    clock.millis(),
                    new Prune(roots, before.base()));
            try {
                // Nothing is announced to go before what stays was read.
                Living.of(chain, before, roots);
            } catch (DamagedException e) {
                giveUpUnlessPruned(e, before, i);
                continue;
            }
            byte[] bytes = GenerationFormat.encode(prune, repository.keys().current());
            String name = Names.generation(chain.writer(), prune.number());
            if (Creation.create(repository.store(), name, bytes)
                    && chain.boundary().read() <= prune.number()) {
                return before.after(new Chain.Found(new Ref(prune.number(), Sha256.of(bytes)), prune));
            }
        }
        throw new BlobException(
                BlobException.Kind.UNAVAILABLE,
                "lost " + MOST_TRIES + " races for the next generation of writer " + chain.writer(),
                null);
    }

    private Roots after(ChainState before, List<Segment> going, long graceMillis) {
        List<Segment> staying = new ArrayList<>();
        for (Segment segment : before.roots().kept()) {
            if (going.stream().noneMatch(other -> other.first().equals(segment.first()))) {
                staying.add(segment);
            }
        }
        return before.roots().pruned(staying, before.head().number() + 1, clock.millis(), graceMillis);
    }

    /** Deletes what is dead, generations first, so that none is left without its blobs. */
    Removed sweep(Living living, boolean delete) throws BlobException {
        String folder = Names.folder(chain.writer());
        long blobs = 0;
        long bytes = 0;
        for (String part : List.of("gen/", "delta/", "data/")) {
            String after = null;
            do {
                BlobStore.Page page = repository.store().list(folder + part, after, PAGE);
                List<String> dead = new ArrayList<>();
                for (BlobStore.Stat blob : page.blobs()) {
                    if (living.isDead(blob.name())) {
                        dead.add(blob.name());
                        blobs++;
                        bytes += blob.bytes();
                    }
                }
                if (delete && !dead.isEmpty()) {
                    repository.store().delete(dead);
                }
                after = page.next();
            } while (after != null);
        }
        return new Removed(blobs, bytes, 0);
    }
}
