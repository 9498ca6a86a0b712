package dev.terrace.core;

import dev.terrace.api.AdaptiveLoader;
import dev.terrace.api.AsyncLoader;
import dev.terrace.api.BadInputException;
import dev.terrace.api.BulkLoadException;
import dev.terrace.api.BulkLoader;
import dev.terrace.api.LoadContext;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loader;
import dev.terrace.api.Loading;
import dev.terrace.spi.Entry;
import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/** Users' loaders as the engine calls them: keys and values become bytes. One per view of a cache; thread-safe. */
final class LoaderCalls<K, V> {
    private final CacheState cache;
    private final Coding<K, V> coding;
    private final Engine engine;

    LoaderCalls(Engine engine, CacheState cache, Coding<K, V> coding) {
        this.engine = engine;
        this.cache = cache;
        this.coding = coding;
    }

    /** A call that returns when the loader has ended. */
    private interface Blocking extends LoaderCall {
        Map<Flight, Brought> ask(Load load) throws Exception;

        @Override
        default CompletionStage<Map<Flight, Brought>> call(Load load) throws Exception {
            return CompletableFuture.completedStage(ask(load));
        }

        @Override
        default boolean blocks() {
            return true;
        }
    }

    private static Flight only(Load load) {
        return load.claims().get(0).flight();
    }

    LoaderCall of(K key, @Nullable Loader<? super K, ? extends V> loader) {
        if (loader == null) {
            throw new BadInputException("null loader for cache '" + cache.name + "'", "call get(key) instead");
        }
        return (Blocking) load -> {
            V value = loader.load(key);
            return Collections.singletonMap(only(load), Brought.of(value == null ? null : coding.encode(value)));
        };
    }

    LoaderCall of(K key, @Nullable Loading<K, V> loading) {
        if (loading == null) {
            throw new BadInputException("null loading for cache '" + cache.name + "'", "call get(key) instead");
        }
        AdaptiveLoader<K, V> blocking = loading.blocking();
        AsyncLoader<K, V> async = loading.async();
        if (blocking != null) {
            return (Blocking) load ->
                    Collections.singletonMap(only(load), brought(blocking.load(context(key, load)), only(load)));
        }
        return new LoaderCall() {
            @Override
            public CompletionStage<Map<Flight, Brought>> call(Load load) throws Exception {
                CompletionStage<Loaded<V>> stage = async == null ? null : async.load(context(key, load));
                if (stage == null) {
                    throw new NullPointerException("the loader gave no stage");
                }
                return new Derived<>(
                        stage, loaded -> Collections.singletonMap(only(load), brought(loaded, only(load))));
            }

            @Override
            public boolean blocks() {
                return false;
            }
        };
    }

    /** A stage made of another one, which is cancelled with it: {@code thenApply} does not hand that on. */
    private static final class Derived<T, U> extends CompletableFuture<U> {
        private final CompletionStage<T> from;

        Derived(CompletionStage<T> from, java.util.function.Function<T, U> map) {
            this.from = from;
            from.whenComplete((value, failure) -> {
                if (failure != null) {
                    completeExceptionally(failure);
                    return;
                }
                try {
                    complete(map.apply(value));
                } catch (RuntimeException | Error e) {
                    completeExceptionally(e);
                }
            });
        }

        @Override
        public boolean cancel(boolean mayInterrupt) {
            boolean cancelled = super.cancel(mayInterrupt);
            if (cancelled) {
                from.toCompletableFuture().cancel(mayInterrupt);
            }
            return cancelled;
        }
    }

    private LoadContext<K, V> context(K key, Load load) {
        Flight flight = only(load);
        Duration timeout = engine.loads().timeout();
        Entry old = old(flight);
        V value = old == null ? null : coding.decode(old);
        if (old == null || value == null) {
            return new LoadContext<>(key, null, null, Set.of(), null, timeout, load.isBackground());
        }
        long age = Math.max(0, engine.clock().millis() - old.createdMillis());
        return new LoadContext<>(
                key,
                value,
                old.version(),
                Set.copyOf(old.tags()),
                Duration.ofMillis(age),
                timeout,
                load.isBackground());
    }

    /** What the tiers hold of it; null when that is no value. */
    private static @Nullable Entry old(Flight flight) {
        Entry entry = flight.lookup.join().entry();
        return entry != null && entry.isValue() ? entry : null;
    }

    private Brought brought(@Nullable Loaded<V> loaded, Flight flight) {
        if (loaded == null) {
            throw new NullPointerException("the loader gave null; Loaded.notFound() says that there is no value");
        }
        byte[] payload = null;
        Set<String> tags = loaded.tags();
        if (loaded.kind() == Loaded.Kind.VALUE) {
            payload = coding.encode(loaded.value());
        } else if (loaded.kind() == Loaded.Kind.NOT_CHANGED) {
            Entry old = old(flight);
            if (old == null) {
                throw new BadInputException(
                        "the loader says that nothing changed, but there is no old value",
                        "answer notChanged() only when the context has an old value");
            }
            payload = old.payload();
            tags = tags == null ? Set.copyOf(old.tags()) : tags;
        }
        Brought.Kind kind = Brought.Kind.valueOf(loaded.kind().name());
        return new Brought(kind, payload, loaded.ttl(), tags, loaded.className(), null);
    }

    LoaderCall of(Map<Flight, K> keys, BulkLoader<K, V> loader) {
        return (Blocking) load -> {
            // Some of the keys may have joined loads of others.
            Map<Flight, K> asked = new HashMap<>();
            Set<K> wanted = new LinkedHashSet<>();
            for (Claim claim : load.asked()) {
                K key = keys.get(claim.flight());
                if (key != null) {
                    asked.put(claim.flight(), key);
                    wanted.add(key);
                }
            }
            Map<?, ?> loaded;
            Map<Object, Throwable> failed = Map.of();
            try {
                loaded = loader.loadAll(wanted);
            } catch (BulkLoadException e) {
                loaded = e.loaded();
                failed = e.failed();
            }
            return byFlight(asked, loaded, failed);
        };
    }

    @SuppressWarnings("unchecked") // what a loader of V says that it has loaded
    private Map<Flight, Brought> byFlight(
            Map<Flight, K> asked, @Nullable Map<?, ?> loaded, Map<Object, Throwable> failed) {
        Map<Flight, Brought> brought = new HashMap<>();
        asked.forEach((flight, key) -> {
            Throwable failure = failed.get(key);
            V value = loaded == null ? null : (V) loaded.get(key);
            Brought one;
            try {
                one = failure != null
                        ? Brought.failed(failure)
                        : Brought.of(value == null ? null : coding.encode(value));
            } catch (RuntimeException e) {
                // One bad value says nothing about the others.
                one = Brought.failed(e);
            }
            brought.put(flight, one);
        });
        return brought;
    }
}
