package dev.terrace.spi;

/**
 * A tier in the caller's own process, which can answer on the caller's thread. The stages of its {@link Tier} methods
 * are complete when returned.
 */
public interface LocalTier extends Tier {
    /**
     * Reads on the calling thread without allocating. On a hit {@link EnvelopeView#readAtMillis} is the time at which the
     * tier found it alive.
     *
     * @param key the key wanted
     * @param into on success holds the checked envelope, valid until this thread's next read; its bytes may be the
     *     tier's own per-thread buffer
     * @return true on a hit (which may be a tombstone or a negative answer, never an expired entry)
     */
    boolean read(KeyBuffer key, EnvelopeView into);

    /** Stores on the calling thread. */
    StoreOutcome store(Entry entry, WriteCondition condition);

    /** Drops whatever is held under {@code key}, without leaving a tombstone. */
    void drop(CacheKey key);

    /**
     * Drops what is held under {@code key} when it is older than {@code version}, also what would not be answered at this moment. Returns
     * whether something was.
     */
    default boolean dropOlder(CacheKey key, Version version) {
        boolean older = get(key).toCompletableFuture().join() instanceof Lookup.Hit hit
                && version.isNewerThan(hit.entry().version());
        if (older) {
            drop(key);
        }
        return older;
    }

    /**
     * Drops everything that was held when this was called, on the calling thread. What is stored meanwhile may stay or go.
     */
    void dropAll();
}
