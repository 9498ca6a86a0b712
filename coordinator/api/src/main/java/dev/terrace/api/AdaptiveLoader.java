package dev.terrace.api;

/**
 * Reads one value from the system of record, knowing what the cache holds, and says how what it brings is to be kept.
 *
 * @param <K> the keys
 * @param <V> the values
 */
@FunctionalInterface
public interface AdaptiveLoader<K, V> {
    /**
     * What the origin says. Runs on one of the coordinator's threads and may block; interrupted when it takes longer than
     * {@link LoadContext#timeout}.
     *
     * @throws Exception when the origin cannot say; callers see it as the cause of a {@link LoaderException}
     */
    Loaded<V> load(LoadContext<K, V> context) throws Exception;
}
