package dev.terrace.examples;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.WriteContext;
import dev.terrace.api.Writer;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.codec.JsonCodec;
import org.jspecify.annotations.Nullable;

/**
 * Orders in a cache that writes behind: whoever places one goes on as soon as the journal has it, and the database gets it when it can.
 */
public final class OrderBook {
    /** An order. */
    public record Order(String item, int count) {}

    /** The system of record; it keeps the version of each order, so that what comes twice or late does no harm. */
    public interface Database {
        /** Stores an order unless it has one of a newer version; null removes it. */
        void upsert(String id, @Nullable Order order, String version);
    }

    private final Cache<String, Order> orders;

    /** The cache {@code orders} is set to {@code write: {policy: behind}}. */
    public OrderBook(CacheCoordinator terrace, Database database) {
        Writer<String, Order> writer = new Writer<>() {
            @Override
            public void write(String id, Order order, WriteContext context) {
                database.upsert(id, order, context.token());
            }

            @Override
            public void delete(String id, WriteContext context) {
                database.upsert(id, null, context.token());
            }
        };
        this.orders = terrace.cache("orders", Codecs.stringKey(), JsonCodec.of(Order.class), writer);
    }

    /** Places an order; it survives a crash from here on. */
    public void place(String id, Order order) {
        orders.put(id, order);
    }

    /** Cancels one. */
    public void cancel(String id) {
        orders.remove(id);
    }

    /** What was placed last, whether the database has it or not. */
    public @Nullable Order find(String id) {
        return orders.get(id);
    }
}
