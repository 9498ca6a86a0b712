package dev.terrace.api;

import java.util.concurrent.CompletionStage;

/**
 * As {@link Writer}, without holding a thread: what that throws, these stages fail with. A stage that outlives its timeout is
 * cancelled, and the write may then be tried again while its earlier call still goes on: only {@link WriteContext#version} tells an
 * origin which of the two is the newer.
 *
 * @param <K> the keys
 * @param <V> the values
 */
public interface AsyncWriter<K, V> {
    /** Makes {@code value} the value of {@code key}. */
    CompletionStage<?> write(K key, V value, WriteContext context);

    /** Removes the value of {@code key}; that there is none is no failure. */
    CompletionStage<?> delete(K key, WriteContext context);
}
