package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** The searches under way, one per key. Thread-safe. */
final class Flights {
    private final ConcurrentHashMap<CacheKey, Flight> running = new ConcurrentHashMap<>();
    private final HybridClock clock;

    Flights(HybridClock clock) {
        this.clock = clock;
    }

    /**
     * Joins the key's flight or starts one. Every join needs one {@link #leave}.
     *
     * @param launch called, outside any lock, if the flight is new
     */
    Flight join(CacheKey key, Consumer<Flight> launch) {
        Flight[] created = new Flight[1];
        Flight flight = running.compute(key, (same, current) -> {
            Flight joined = current;
            if (joined == null) {
                joined = new Flight(key, clock.next());
                created[0] = joined;
            }
            joined.users++;
            return joined;
        });
        if (created[0] != null) {
            launch.accept(flight);
        }
        return flight;
    }

    /** One more user of a flight that the caller is in already. */
    void retain(Flight flight) {
        running.computeIfPresent(flight.key, (same, current) -> {
            if (current == flight) {
                flight.users++;
            }
            return current;
        });
    }

    /** The last one out removes the flight. */
    void leave(Flight flight) {
        running.computeIfPresent(
                flight.key, (same, current) -> current == flight && --flight.users == 0 ? null : current);
    }

    /** Ends the flight for newcomers: who is in it stays, who comes later starts anew. */
    void abandon(Flight flight) {
        running.remove(flight.key, flight);
    }

    /** Something newer than any running flight of {@code key} was written. */
    void fence(CacheKey key) {
        Flight flight = running.remove(key);
        if (flight != null) {
            flight.fence();
        }
    }

    /** As {@link #fence}, for every key of a cache. */
    void fenceAll(String cache) {
        for (CacheKey key : running.keySet()) {
            if (key.cache().equals(cache)) {
                fence(key);
            }
        }
    }

    int size() {
        return running.size();
    }
}
