package dev.terrace.examples;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.core.CacheCoordinator;
import dev.terrace.examples.OrderBook.Order;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OrderBookIT {
    @TempDir
    Path folder;

    private final Map<String, Order> stored = new ConcurrentHashMap<>();
    private final AtomicBoolean down = new AtomicBoolean(true);

    private void upsert(String id, @Nullable Order order, String version) {
        if (down.get()) {
            throw new IllegalStateException("the database is down");
        }
        if (order == null) {
            stored.remove(id);
        } else {
            stored.put(id, order);
        }
    }

    @Test
    void ordersArePlacedWhileTheDatabaseIsDownAndReachItAfterARestart() throws Exception {
        Path settings = folder.resolve("terrace.yaml");
        Files.writeString(settings, """
                distributed_cache:
                  journal: {path: "%s"}
                  limits:  {close_timeout: 5s}
                  caches:
                    orders: {write: {policy: behind, backoff: 10ms, max_attempts: 1000}}
                """.formatted(folder.resolve("journal")));
        try (CacheCoordinator terrace = CacheCoordinator.open(settings)) {
            OrderBook book = new OrderBook(terrace, this::upsert);
            book.place("1", new Order("tea", 2));
            book.place("1", new Order("tea", 3));
            book.place("2", new Order("milk", 1));
            book.cancel("2");
            assertThat(book.find("1")).isEqualTo(new Order("tea", 3));
            assertThat(book.find("2")).isNull();
            assertThat(stored).isEmpty();
        }
        down.set(false);
        try (CacheCoordinator terrace = CacheCoordinator.open(settings)) {
            new OrderBook(terrace, this::upsert);
        }
        assertThat(stored).isEqualTo(Map.of("1", new Order("tea", 3)));
    }
}
