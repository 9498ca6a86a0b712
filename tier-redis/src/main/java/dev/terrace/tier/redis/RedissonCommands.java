package dev.terrace.tier.redis;

import dev.terrace.spi.Unavailability;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.redisson.api.BatchOptions;
import org.redisson.api.RBatch;
import org.redisson.api.RScript.Mode;
import org.redisson.api.RScript.ReturnType;
import org.redisson.api.RScriptAsync;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.KeysScanOptions;
import org.redisson.client.codec.ByteArrayCodec;

/** The few commands the tier needs, on one connection. The seam to Redisson: nothing above it knows its types. */
final class RedissonCommands {
    private final RedissonClient client;
    private final boolean cluster;
    private final long timeoutMillis;

    RedissonCommands(Connector.Connection connection, long timeoutMillis) {
        this.client = connection.client();
        this.cluster = connection.cluster();
        this.timeoutMillis = timeoutMillis;
    }

    /** One conditional store, as the script takes it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Store(String key, byte[] condition, byte[] envelope, byte[] ttl, byte[] expected) {}

    CompletionStage<byte @Nullable []> get(String key) {
        return client.<byte[]>getBucket(key, ByteArrayCodec.INSTANCE).getAsync();
    }

    /** One round trip per node; keys that hold nothing, or no string, are missing in the answer. */
    CompletionStage<Map<String, byte[]>> getAll(Collection<String> keys) {
        if (!cluster) {
            return client.getBuckets(ByteArrayCodec.INSTANCE).getAsync(keys.toArray(String[]::new));
        }
        RBatch batch = batch();
        Map<String, CompletableFuture<byte[]>> asked = new HashMap<>();
        for (String key : keys) {
            asked.put(
                    key,
                    batch.<byte[]>getBucket(key, ByteArrayCodec.INSTANCE)
                            .getAsync()
                            .toCompletableFuture());
        }
        return batch.executeAsync()
                .handle((done, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(collected(asked));
                    }
                    return Failures.cause(failure) == Unavailability.ERROR
                            ? oneByOne(keys)
                            : CompletableFuture.<Map<String, byte[]>>failedStage(Failures.root(failure));
                })
                .thenCompose(result -> result);
    }

    /** One key of another type fails a cluster's batch as a whole; alone, each key tells what it holds. */
    private CompletionStage<Map<String, byte[]>> oneByOne(Collection<String> keys) {
        Map<String, CompletableFuture<byte[]>> asked = new HashMap<>();
        keys.forEach(key -> asked.put(
                key, get(key).<byte[]>handle((value, failure) -> value).toCompletableFuture()));
        return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .thenApply(done -> collected(asked));
    }

    private static Map<String, byte[]> collected(Map<String, CompletableFuture<byte[]>> asked) {
        Map<String, byte[]> found = new HashMap<>();
        asked.forEach((key, value) -> {
            byte[] bytes = value.join();
            if (bytes != null) {
                found.put(key, bytes);
            }
        });
        return found;
    }

    /** Runs the store script; fails with NOSCRIPT where it is not loaded. */
    CompletionStage<byte[]> store(Store store, long nowMillis) {
        return eval(client.getScript(ByteArrayCodec.INSTANCE), store, nowMillis);
    }

    private static CompletionStage<byte[]> eval(RScriptAsync script, Store store, long nowMillis) {
        return script.evalShaAsync(
                store.key(),
                Mode.READ_WRITE,
                Scripts.STORE.digest(),
                ReturnType.VALUE,
                List.of(store.key()),
                store.condition(),
                store.envelope(),
                store.ttl(),
                Long.toString(nowMillis).getBytes(StandardCharsets.US_ASCII),
                store.expected());
    }

    /** Many stores, one round trip per node; each has its own future, which may fail. */
    List<CompletableFuture<byte[]>> storeAll(List<Store> stores, long nowMillis) {
        RBatch batch = batch();
        List<CompletableFuture<byte[]>> results = new ArrayList<>();
        for (Store store : stores) {
            CompletionStage<byte[]> result = eval(batch.getScript(ByteArrayCodec.INSTANCE), store, nowMillis);
            results.add(result.toCompletableFuture());
        }
        batch.executeAsync().whenComplete((done, failure) -> {
            // An error of one command fails the batch while other nodes' answers are still on their way. Only when no
            // answer
            // can come any more does the batch speak for all of its commands.
            if (failure != null && Failures.cause(failure) != Unavailability.ERROR) {
                results.forEach(result -> result.completeExceptionally(failure));
            }
        });
        return results;
    }

    private RBatch batch() {
        return client.createBatch(
                BatchOptions.defaults().retryAttempts(0).responseTimeout(timeoutMillis, TimeUnit.MILLISECONDS));
    }

    /** Keys that match, a page at a time; blocks between pages. */
    Iterable<String> scan(String pattern) {
        return client.getKeys()
                .getKeys(KeysScanOptions.defaults().pattern(pattern).chunkSize(500));
    }

    CompletionStage<Object> reclaim(String key, byte[] upTo) {
        return client.getScript(ByteArrayCodec.INSTANCE)
                .evalShaAsync(
                        key, Mode.READ_WRITE, Scripts.RECLAIM.digest(), ReturnType.LONG, List.of(key), (Object) upTo);
    }

    /** Runs a command, and once more after loading the scripts, should the server not know them. */
    <R> CompletionStage<R> withScripts(Supplier<CompletionStage<R>> command) {
        return command.get()
                .handle((value, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(value);
                    }
                    return Failures.isScriptMissing(failure)
                            ? Scripts.load(client).thenCompose(loaded -> command.get())
                            : CompletableFuture.<R>failedStage(Failures.root(failure));
                })
                .thenCompose(result -> result);
    }
}
