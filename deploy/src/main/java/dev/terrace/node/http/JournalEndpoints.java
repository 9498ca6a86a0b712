package dev.terrace.node.http;

import dev.terrace.core.CacheCoordinator;
import dev.terrace.core.Journal;
import dev.terrace.core.JournalItem;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** What waits to be written to the origin, and dead letters. */
final class JournalEndpoints {
    private static final int ID = 1;
    private static final int MOST_SHOWN = 1_000;
    private static final long PATIENCE_SECONDS = 20;

    private final CacheCoordinator coordinator;

    JournalEndpoints(CacheCoordinator coordinator) {
        this.coordinator = coordinator;
    }

    void addTo(Router router) {
        router.on("GET", "/journal", this::list)
                .on("GET", "/journal/*", this::show)
                .on("POST", "/journal/retry", this::retryAll)
                .on("POST", "/journal/*/retry", this::retry)
                .on("DELETE", "/journal/*", this::drop);
    }

    private void list(Exchange exchange) throws IOException {
        Journal journal = coordinator.journal();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("enabled", journal != null);
        if (journal != null) {
            List<JournalItem> pending = journal.pending();
            List<JournalItem> dead = journal.dead();
            tree.put("pending", pending.size());
            tree.put("pending_bytes", journal.pendingBytes());
            tree.put("oldest_millis", pending.isEmpty() ? 0 : pending.get(0).ageMillis());
            tree.put("dead", dead.size());
            tree.put("trouble", journal.trouble());
            int most = limit(exchange);
            tree.put(
                    "pending_writes",
                    pending.stream().limit(most).map(JournalEndpoints::tree).toList());
            tree.put(
                    "dead_letters",
                    dead.stream().limit(most).map(JournalEndpoints::tree).toList());
        }
        exchange.json(200, tree);
    }

    private static int limit(Exchange exchange) {
        String text = exchange.query("limit");
        try {
            int limit = text == null ? 100 : Integer.parseInt(text);
            if (limit >= 0 && limit <= MOST_SHOWN) {
                return limit;
            }
        } catch (NumberFormatException e) {
            // Said below, with what is allowed.
        }
        throw new HttpProblem(400, "Bad request", "limit must be a number from 0 to " + MOST_SHOWN);
    }

    private static Map<String, Object> tree(JournalItem item) {
        Entry entry = item.entry();
        CacheKey key = entry.key();
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("id", item.id());
        tree.put("cache", key.cache());
        tree.put("key", key.toString().substring(key.cache().length() + 1));
        tree.put("what", entry.isValue() ? "write" : "remove");
        tree.put("state", item.state().name().toLowerCase(Locale.ROOT));
        tree.put("bytes", entry.payload().length);
        tree.put("age_millis", item.ageMillis());
        tree.put("attempts", item.attempts());
        tree.put("reason", item.reason());
        return tree;
    }

    private Journal journal() {
        Journal journal = coordinator.journal();
        if (journal == null) {
            throw new HttpProblem(404, "Not found", "this node writes nothing behind, so it has no journal");
        }
        return journal;
    }

    private void show(Exchange exchange) throws IOException {
        String id = exchange.segment(ID);
        JournalItem item = journal().find(id);
        if (item == null) {
            throw new HttpProblem(404, "Not found", "nothing waits and nothing is dead under " + id);
        }
        Map<String, Object> tree = tree(item);
        tree.put("value_base64", Base64.getEncoder().encodeToString(item.entry().payload()));
        exchange.json(200, tree);
    }

    private void retry(Exchange exchange) throws Exception {
        done(exchange, journal().retry(exchange.segment(ID)));
    }

    private void drop(Exchange exchange) throws Exception {
        done(exchange, journal().drop(exchange.segment(ID)));
    }

    private static void done(Exchange exchange, CompletionStage<@Nullable String> asked) throws Exception {
        String why = asked.toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (why != null) {
            throw new HttpProblem(409, "Conflict", why);
        }
        exchange.json(200, Map.of("done", true));
    }

    private void retryAll(Exchange exchange) throws Exception {
        Journal journal = journal();
        int retried = 0;
        List<Object> left = new ArrayList<>();
        for (JournalItem item : journal.dead()) {
            String why = journal.retry(item.id()).toCompletableFuture().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
            if (why == null) {
                retried++;
            } else {
                left.add(Map.of("id", item.id(), "reason", why));
            }
        }
        Map<String, Object> tree = new LinkedHashMap<>();
        tree.put("retried", retried);
        tree.put("left", left);
        exchange.json(200, tree);
    }
}
