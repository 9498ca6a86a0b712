package dev.terrace.spi;

/**
 * Merges two values of one key that were written without knowing of each other. Without one, the newer version wins and the other
 * is gone. Thread-safe; neither blocks nor throws, and has no side effects: it may be asked more than once for the same two.
 *
 * <p><b>Where it applies.</b> To writes of mode {@link ReplicationMode#ASYNC} over several zones, of caches for which a resolver was
 * given. Such a write is carried out as one step by a majority of the key's zones, and fails where none can be had. Writes of
 * modes {@code QUORUM} and {@code SYNC} are ordered one after the other, so none is concurrent to another; conditional writes
 * say themselves what they replace. Tombstones and negative answers are not merged: the newer version wins.
 *
 * <p><b>What counts as concurrent.</b> A value that is there, when the node that writes has neither read nor written it, nor anything
 * newer of the key, since it started. It is the node that counts, not the caller. What a node has seen is remembered for a bounded number of keys; of what it has forgotten it
 * takes itself to have seen nothing. So a value may be merged with one that had replaced it on purpose: a merge should take
 * that, as a union of sets does, and give the same whichever value comes first and however often it is merged.
 *
 * <pre>{@code
 * // Sets of words, one a line: nothing that anybody added is lost.
 * ConflictResolver union = (key, held, offered) -> Stream.of(held, offered)
 *         .flatMap(value -> new String(value, UTF_8).lines())
 *         .distinct()
 *         .sorted()
 *         .collect(joining("\n"))
 *         .getBytes(UTF_8);
 * }</pre>
 */
@FunctionalInterface
public interface ConflictResolver {
    /**
     * One value of both.
     *
     * @param key whose they are
     * @param held the encoded value that is there; not to be changed
     * @param offered the encoded value that is written; not to be changed
     * @return the encoded value that takes the place of both
     */
    byte[] merge(CacheKey key, byte[] held, byte[] offered);
}
