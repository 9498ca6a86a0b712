package dev.terrace.api;

/**
 * Writes one value to the system of record. Called by the cache as its write policy says: before the tiers take a write (through),
 * or after the caller has gone on (behind), then at least once, in the order of the writes of a key, of which later ones may have
 * replaced earlier ones. Runs on the coordinator's threads, for different keys at the same time: be thread-safe.
 *
 * <p>Returning means that the origin has it, or has something newer by {@link WriteContext#version}. Throwing means that it has not:
 *
 * <ul>
 *   <li>{@link RejectedWriteException}: the origin never will; behind, the write becomes a dead letter at once.
 *   <li>{@link UnknownWriteException}, {@link java.io.InterruptedIOException} (a socket's timeout), {@link
 *       java.net.http.HttpTimeoutException}, {@link java.util.concurrent.TimeoutException} and {@link InterruptedException}: whether it
 *       has is unknown.
 *   <li>Anything else: not now.
 * </ul>
 *
 * <p>A call that outlives its timeout is interrupted.
 *
 * @param <K> the keys
 * @param <V> the values
 */
public interface Writer<K, V> {
    /**
     * Makes {@code value} the value of {@code key}.
     *
     * @throws Exception when the origin has not taken it; see above
     */
    void write(K key, V value, WriteContext context) throws Exception;

    /**
     * Removes the value of {@code key}; that there is none is no failure.
     *
     * @throws Exception when the origin has not taken it; see above
     */
    void delete(K key, WriteContext context) throws Exception;
}
