package dev.terrace.api;

import java.util.concurrent.CompletionStage;

/**
 * As {@link AdaptiveLoader} without waiting: no thread is parked while the origin thinks.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface AsyncLoader<K, V> {
    /**
     * What the origin will say. Called on whichever thread finds the key missing, so it must not block. When it takes longer than
     * {@link LoadContext#timeout} the stage is cancelled, and what it brings afterwards is not kept.
     *
     * @throws Exception when the origin cannot even be asked; as if the stage had failed
     */
    CompletionStage<Loaded<V>> load(LoadContext<K, V> context) throws Exception;
}
