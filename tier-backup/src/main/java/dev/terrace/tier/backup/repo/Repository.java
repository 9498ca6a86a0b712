package dev.terrace.tier.backup.repo;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;

/** Backups of several writers under one prefix of a blob store. Thread-safe; does not own the store. */
public final class Repository {
    private final BlobStore store;
    private final RepositoryKeys keys;
    private final Envelope envelope;
    private final Registry registry;

    /** Opens nothing and reads nothing yet; what it writes is in no envelope. */
    public Repository(BlobStore store, RepositoryKeys keys) {
        this(store, keys, Envelope.NONE);
    }

    /** Opens nothing and reads nothing yet. */
    public Repository(BlobStore store, RepositoryKeys keys, Envelope envelope) {
        this.store = store;
        this.envelope = envelope;
        this.keys = keys;
        this.registry = new Registry(store, keys);
    }

    /** The name of the blob with the keys of a writer's folder. */
    public static String keysOf(int writer) {
        return Names.keys(writer);
    }

    /** How many writers were ever registered; they are numbered from 1. One whose entry was lost counts as long as anything of it, or of a later one, is there. */
    public int writers() throws BlobException {
        return registry.count();
    }

    /** The chain of a writer. */
    public Chain chain(int writer) {
        return new Chain(store, keys, writer);
    }

    Registry registry() {
        return registry;
    }

    /** Where it lies. */
    public BlobStore store() {
        return store;
    }

    Envelope envelope() {
        return envelope;
    }

    RepositoryKeys keys() {
        return keys;
    }
}
