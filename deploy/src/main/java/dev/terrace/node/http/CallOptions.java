package dev.terrace.node.http;

import dev.terrace.api.WriteOptions;
import dev.terrace.config.DurationText;
import dev.terrace.spi.ReplicationMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a request asks of its one read or write, in its query, over what the settings say. What is not understood is refused: an
 * option that is mistyped must not be a weaker promise.
 */
final class CallOptions {
    private static final String MODE = "mode";
    private static final String TTL = "ttl";
    private static final String DURABLE = "durable";
    private static final String TAG = "tag";
    private static final String TAGS = "tags";

    private CallOptions() {}

    /** How many copies a read or an invalidation must ask; null when the request does not say. Nothing else may be asked. */
    static @Nullable ReplicationMode mode(Exchange exchange) {
        exchange.onlyQueries(Set.of(MODE));
        return modeOf(exchange);
    }

    /** Everything that a write may ask. */
    static WriteOptions ofWrite(Exchange exchange) {
        exchange.onlyQueries(Set.of(MODE, TTL, DURABLE, TAG, TAGS));
        WriteOptions options = WriteOptions.DEFAULTS.withTags(tags(exchange));
        ReplicationMode mode = modeOf(exchange);
        if (mode != null) {
            options = options.withReplication(mode);
        }
        String ttl = exchange.query(TTL);
        if (ttl != null) {
            Duration parsed = DurationText.parse(ttl);
            if (parsed == null) {
                throw bad("ttl must be " + DurationText.ALLOWED + ", not '" + ttl + "'");
            }
            options = options.withTtl(parsed);
        }
        String durable = exchange.query(DURABLE);
        return durable == null ? options : options.withDurable(isTrue(durable));
    }

    /** Those of {@code tag}, each as it is, and those of {@code tags}, with commas between. */
    static List<String> tags(Exchange exchange) {
        List<String> tags = new ArrayList<>(exchange.queries(TAG));
        for (String several : exchange.queries(TAGS)) {
            tags.addAll(List.of(several.split(",", -1)));
        }
        return tags;
    }

    private static @Nullable ReplicationMode modeOf(Exchange exchange) {
        String mode = exchange.query(MODE);
        if (mode == null) {
            return null;
        }
        return switch (mode.toLowerCase(Locale.ROOT)) {
            case "async" -> ReplicationMode.ASYNC;
            case "quorum" -> ReplicationMode.QUORUM;
            case "sync" -> ReplicationMode.SYNC;
            default -> throw bad("mode must be async, quorum or sync, not '" + mode + "'");
        };
    }

    private static boolean isTrue(String durable) {
        return switch (durable) {
            case "true" -> true;
            case "false" -> false;
            default -> throw bad("durable must be true or false, not '" + durable + "'");
        };
    }

    private static HttpProblem bad(String detail) {
        return new HttpProblem(400, "Bad request", detail);
    }
}
