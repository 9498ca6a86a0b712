package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The searches under way. Per key the youngest one takes newcomers; older ones stay listed behind it while they have users,
 * so that a write finds and fences them all. Thread-safe.
 */
final class Flights {
    private final ConcurrentHashMap<CacheKey, Flight> youngest = new ConcurrentHashMap<>();
    private final HybridClock clock;
    private final LongSupplier nanos;

    /** What {@link #join} is told by those who may share whatever is under way. */
    static final long ANY_AGE = Long.MAX_VALUE;

    /** @param nanos a clock that moves only on */
    Flights(HybridClock clock, LongSupplier nanos) {
        this.clock = clock;
        this.nanos = nanos;
    }

    /** The time on a clock that moves only on. */
    long nowNanos() {
        return nanos.getAsLong();
    }

    /**
     * Joins the key's flight or starts one. Every join needs one {@link #leave} with the same {@code withLoader}.
     *
     * @param withLoader whether the caller will load what the tiers do not have
     * @param shareNanos how old may be what others have found out; {@link #ANY_AGE} for whatever is under way
     * @param launch called, outside any lock, if the flight is new
     */
    Flight join(CacheState cache, CacheKey key, boolean withLoader, long shareNanos, Consumer<Flight> launch) {
        Flight[] created = new Flight[1];
        Flight flight = youngest.compute(key, (same, current) -> {
            Flight joined = current;
            long now = nanos.getAsLong();
            if (joined == null
                    || shareNanos != ANY_AGE && !joined.isYoungerThan(shareNanos, now, clock.millis())
                    || !joined.mayJoin(withLoader)
                    || cache.hides(joined.began)) {
                joined = new Flight(key, clock.next(), now, clock.millis(), shareNanos == ANY_AGE);
                joined.older = current;
                created[0] = joined;
            }
            joined.enter(withLoader);
            return joined;
        });
        if (created[0] != null) {
            launch.accept(flight);
        }
        return flight;
    }

    /** One more user of a flight that the caller is in already, who loads for it. */
    void retain(Flight flight) {
        youngest.computeIfPresent(flight.key, (same, first) -> {
            flight.enter(true);
            return first;
        });
    }

    /** The last one out removes the flight. */
    void leave(Flight flight, boolean withLoader) {
        youngest.computeIfPresent(flight.key, (same, first) -> {
            flight.leave(withLoader);
            return withoutEmpty(first);
        });
    }

    private static @Nullable Flight withoutEmpty(@Nullable Flight first) {
        if (first == null) {
            return null;
        }
        first.older = withoutEmpty(first.older);
        return first.isEmpty() ? first.older : first;
    }

    /** Who is in it stays, and what it brings may still be kept; who comes later starts anew. */
    void abandon(Flight flight) {
        youngest.computeIfPresent(flight.key, (same, first) -> {
            flight.abandon();
            return first;
        });
    }

    /** Something newer than any running flight of {@code key} was written. */
    void fence(CacheKey key) {
        for (Flight flight = youngest.remove(key); flight != null; flight = flight.older) {
            flight.fence();
        }
    }

    /** As {@link #fence}, for every key. */
    void fenceAll() {
        youngest.keySet().forEach(this::fence);
    }

    /** As {@link #fence}, for every key of a cache. */
    void fenceAll(String cache) {
        for (CacheKey key : youngest.keySet()) {
            if (key.cache().equals(cache)) {
                fence(key);
            }
        }
    }

    int size() {
        return youngest.size();
    }
}
