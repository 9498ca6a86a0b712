package dev.terrace.tier.redis;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.redisson.api.RScript.ReturnType;
import org.redisson.api.RedissonClient;
import org.redisson.api.options.KeysScanOptions;

/**
 * The few commands the tier needs, on one connection. The seam to Redisson: nothing above it knows its types. Commands for
 * one key share round trips with whatever else is asked at the time, see {@link Lane}.
 */
final class RedissonCommands {
    /** Others are served between two commands. */
    private static final int MOST_KEYS_TOGETHER = 500;

    private final RedissonClient client;
    private final Lanes lanes;
    private final boolean cluster;

    RedissonCommands(Connector.Connection connection) {
        this.client = connection.client();
        this.lanes = connection.lanes();
        this.cluster = connection.cluster();
    }

    /** One conditional store, as the script takes it. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Store(String key, byte[] condition, byte[] envelope, byte[] ttl, byte[] expected) {
        /** To be sent at this time. */
        Command<byte[]> at(long nowMillis) {
            return at(digits(nowMillis));
        }

        private Command<byte[]> at(byte[] now) {
            return Lanes.evalSha(
                    ReturnType.VALUE, Scripts.STORE.digest(), List.of(key), condition, envelope, ttl, now, expected);
        }
    }

    Traffic traffic() {
        return lanes.traffic();
    }

    CompletionStage<byte @Nullable []> get(String key) {
        return lanes.submit(Lanes.get(key));
    }

    CompletionStage<String> sing(Canary canary) {
        return canary.sing(lanes);
    }

    /** Values that were asked for together. */
    interface Values {
        /** Completes normally when all is there that will come. */
        CompletableFuture<Void> all();

        /** What came for the key at {@code index}; not complete where nothing did. */
        CompletableFuture<byte[]> at(int index);
    }

    private record Singly(CompletableFuture<Void> all, List<Command<byte[]>> commands) implements Values {
        @Override
        public CompletableFuture<byte[]> at(int index) {
            return commands.get(index).answer();
        }
    }

    private record Together(CompletableFuture<Void> all, List<Command<List<Object>>> commands) implements Values {
        @Override
        public CompletableFuture<byte[]> at(int index) {
            return commands.get(index / MOST_KEYS_TOGETHER).answer().thenApply(values ->
                    (byte[]) values.get(index % MOST_KEYS_TOGETHER));
        }
    }

    /**
     * One round trip per primary. In a cluster each key has its own outcome, because only a slot's keys could be asked for in
     * one command; elsewhere they share one command, which costs half, and what is no string counts as not there.
     */
    Values getAll(List<String> keys) {
        return cluster ? singly(keys) : together(keys);
    }

    private Values singly(List<String> keys) {
        return each(keys, Lanes::get);
    }

    private Values each(List<String> keys, Function<String, Command<byte[]>> make) {
        List<Command<byte[]>> commands = new ArrayList<>(keys.size());
        keys.forEach(key -> commands.add(make.apply(key)));
        return new Singly(lanes.submitAll(commands), commands);
    }

    /** The first {@code bytes} of each; one round trip per primary. */
    Values heads(List<String> keys, int bytes) {
        return each(keys, key -> Lanes.head(key, bytes));
    }

    private Values together(List<String> keys) {
        List<Command<List<Object>>> commands = new ArrayList<>();
        for (int from = 0; from < keys.size(); from += MOST_KEYS_TOGETHER) {
            commands.add(Lanes.getMany(keys.subList(from, Math.min(keys.size(), from + MOST_KEYS_TOGETHER))));
        }
        return new Together(lanes.submitAll(commands), commands);
    }

    /** Runs the store script; fails with NOSCRIPT where it is not loaded. */
    CompletionStage<byte[]> store(Store store, long nowMillis) {
        return lanes.submit(store.at(digits(nowMillis)));
    }

    private static byte[] digits(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }

    /** Many stores, one round trip per primary; each has its own future, which may fail. */
    List<CompletableFuture<byte[]>> storeAll(List<Store> stores, long nowMillis) {
        byte[] now = digits(nowMillis);
        List<Command<byte[]>> commands = new ArrayList<>(stores.size());
        stores.forEach(store -> commands.add(store.at(now)));
        lanes.submitAll(commands);
        return commands.stream().map(Command::answer).toList();
    }

    /** Keys that match, a page at a time; blocks between pages. */
    Iterable<String> scan(String pattern) {
        return client.getKeys()
                .getKeys(KeysScanOptions.defaults().pattern(pattern).chunkSize(500));
    }

    CompletionStage<Object> reclaim(String key, byte[] upTo) {
        return lanes.submit(Lanes.evalSha(ReturnType.LONG, Scripts.RECLAIM.digest(), List.of(key), (Object) upTo));
    }

    /** Runs a script; fails with NOSCRIPT where it is not loaded. */
    <R> CompletionStage<R> eval(ReturnType answers, Scripts.Script script, List<String> keyNames, Object... arguments) {
        return lanes.submit(Lanes.evalSha(answers, script.digest(), keyNames, arguments));
    }

    /** Runs a command, and once more after loading the scripts, should the server not know them. */
    <R> CompletionStage<R> withScripts(Supplier<CompletionStage<R>> command) {
        CompletableFuture<R> result = new CompletableFuture<>();
        command.get().whenComplete((value, failure) -> {
            if (failure == null) {
                result.complete(value);
            } else if (Failures.isScriptMissing(failure)) {
                Scripts.load(client)
                        .thenCompose(loaded -> command.get())
                        .whenComplete((again, still) -> pass(result, again, still));
            } else {
                result.completeExceptionally(Failures.root(failure));
            }
        });
        return result;
    }

    private static <R> void pass(CompletableFuture<R> result, R value, @Nullable Throwable failure) {
        if (failure == null) {
            result.complete(value);
        } else {
            result.completeExceptionally(Failures.root(failure));
        }
    }
}
