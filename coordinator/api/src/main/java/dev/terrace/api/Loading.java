package dev.terrace.api;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A loader and what belongs to it. Immutable; make it once and use it for every call:
 *
 * <pre>{@code
 * Loading<String, Quote> market = Loading.by(context -> Loaded.value(fetch(context.key()))).orElse(Quote.UNKNOWN);
 * Quote quote = quotes.get("ACME", market);
 * }</pre>
 *
 * @param <K> the keys
 * @param <V> the values
 */
public final class Loading<K, V> {
    private final @Nullable AdaptiveLoader<K, V> blocking;
    private final @Nullable AsyncLoader<K, V> async;
    private final WriteOptions options;
    private final @Nullable V fallback;

    private Loading(
            @Nullable AdaptiveLoader<K, V> blocking,
            @Nullable AsyncLoader<K, V> async,
            WriteOptions options,
            @Nullable V fallback) {
        this.blocking = blocking;
        this.async = async;
        this.options = options;
        this.fallback = fallback;
    }

    /** By a loader that may block, on the coordinator's threads. */
    public static <K, V> Loading<K, V> by(AdaptiveLoader<K, V> loader) {
        return new Loading<>(Objects.requireNonNull(loader, "loader"), null, WriteOptions.DEFAULTS, null);
    }

    /** By a loader that does not block, without a thread. */
    public static <K, V> Loading<K, V> byAsync(AsyncLoader<K, V> loader) {
        return new Loading<>(null, Objects.requireNonNull(loader, "loader"), WriteOptions.DEFAULTS, null);
    }

    /** By a plain loader. */
    public static <K, V> Loading<K, V> of(Loader<? super K, ? extends V> loader) {
        Objects.requireNonNull(loader, "loader");
        return by(context -> Loaded.ofNullable(loader.load(context.key())));
    }

    /** The same; what is loaded is kept with these options, unless the loader says otherwise. */
    public Loading<K, V> withOptions(WriteOptions newOptions) {
        return new Loading<>(blocking, async, Objects.requireNonNull(newOptions, "options"), fallback);
    }

    /**
     * The same, answering {@code value}, flagged stale, when nothing could be loaded in time and there is nothing stale. It is not kept:
     * the next caller tries again.
     */
    public Loading<K, V> orElse(V value) {
        return new Loading<>(blocking, async, options, Objects.requireNonNull(value, "value"));
    }

    /** The loader that may block; null when it is asynchronous. */
    public @Nullable AdaptiveLoader<K, V> blocking() {
        return blocking;
    }

    /** The asynchronous loader; null when it may block. */
    public @Nullable AsyncLoader<K, V> async() {
        return async;
    }

    /** How what is loaded is kept. */
    public WriteOptions options() {
        return options;
    }

    /** What is answered when nothing could be loaded; null for an exception. */
    public @Nullable V fallback() {
        return fallback;
    }
}
