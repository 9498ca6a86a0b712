package dev.terrace.tier.redis;

import dev.terrace.tier.redis.Scripts.Script;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.RedisException;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.client.protocol.RedisCommand;
import org.redisson.client.protocol.RedisCommands;
import org.redisson.command.CommandAsyncExecutor;
import org.redisson.connection.ConnectionManager;
import org.redisson.connection.MasterSlaveEntry;

/**
 * Asks the primaries of a zone one by one, where {@link RedissonCommands} asks whichever has a key. Uses Redisson's inner
 * interfaces, because its public ones load scripts and walk keys only through all servers at once. Thread-safe.
 */
final class ZoneServers {
    private static final int SLOTS = 16_384;
    private static final int KEYS_A_STEP = 5_000;
    private static final int MOST_STEPS = 20;
    private static final RedisCommand<String> EVALSHA = new RedisCommand<>(RedisCommands.EVAL_STRING, "EVALSHA");

    private final RedissonClient client;
    private final CommandAsyncExecutor executor;

    ZoneServers(RedissonClient client) {
        this.client = client;
        this.executor = ((Redisson) client).getCommandExecutor();
    }

    /** The primaries at one moment, in the order of their slots, and something that changes when they do. */
    record Primaries(List<MasterSlaveEntry> servers, String layout) {}

    /**
     * The primaries that have a slot.
     *
     * @throws RedisException when some slot has none
     */
    Primaries primaries() {
        ConnectionManager connections = executor.getConnectionManager();
        Map<MasterSlaveEntry, String> servers = new LinkedHashMap<>();
        int layout = 0;
        for (int slot = 0; slot < SLOTS; slot++) {
            MasterSlaveEntry server = connections.getEntry(slot);
            if (server == null) {
                throw new RedisException("CLUSTERDOWN slot " + slot + " has no primary");
            }
            String address = servers.computeIfAbsent(server, ZoneServers::addressOf);
            layout = 31 * layout + address.hashCode();
        }
        return new Primaries(List.copyOf(servers.keySet()), Integer.toHexString(layout));
    }

    static String addressOf(MasterSlaveEntry server) {
        return server.getClient().getAddr().toString();
    }

    /** Where the primary of {@code key} is; empty while it has none. */
    String addressOf(String key) {
        MasterSlaveEntry server = executor.getConnectionManager().getEntry(key);
        return server == null ? "" : addressOf(server);
    }

    /** The text under {@code key}, or null. */
    CompletionStage<@Nullable String> text(String key) {
        return client.<String>getBucket(key, StringCodec.INSTANCE).getAsync();
    }

    CompletionStage<Boolean> delete(String key) {
        return client.getBucket(key, StringCodec.INSTANCE).deleteAsync();
    }

    /** Writes a text that vanishes in time. */
    CompletionStage<Void> write(MasterSlaveEntry server, String key, String text, Duration keep) {
        return executor.writeAsync(
                server, StringCodec.INSTANCE, RedisCommands.SET, key, text, "PX", Long.toString(keep.toMillis()));
    }

    /**
     * A key for each of {@code primaries} that lies on it.
     *
     * @param first is tried first
     * @param others tried then; any number of them
     * @throws RedisException when some primary has none
     */
    List<String> keyOnEach(Primaries primaries, String first, IntFunction<String> others) {
        ConnectionManager connections = executor.getConnectionManager();
        Map<MasterSlaveEntry, String> keys = new HashMap<>();
        String key = first;
        for (int tried = 0; keys.size() < primaries.servers().size(); tried++) {
            if (tried > SLOTS) {
                throw new RedisException("CLUSTERDOWN a primary of the zone has hardly a slot");
            }
            MasterSlaveEntry server = connections.getEntry(key);
            if (server != null && primaries.servers().contains(server)) {
                keys.putIfAbsent(server, key);
            }
            key = others.apply(tried);
        }
        return primaries.servers().stream()
                .map(server -> Objects.requireNonNull(keys.get(server)))
                .toList();
    }

    /** Runs a script on one primary, which must know it. */
    CompletionStage<String> run(MasterSlaveEntry server, Script script, List<String> keys, String... arguments) {
        List<Object> parameters = new ArrayList<>();
        parameters.add(script.digest());
        parameters.add(Integer.toString(keys.size()));
        parameters.addAll(keys);
        parameters.addAll(Arrays.asList(arguments));
        return executor.writeAsync(server, StringCodec.INSTANCE, EVALSHA, parameters.toArray());
    }

    /** What each primary says about itself. */
    CompletionStage<List<Map<String, String>>> info(Primaries primaries) {
        return each(
                primaries,
                server -> executor.<Map<String, String>, Map<String, String>>writeAsync(
                        server, StringCodec.INSTANCE, RedisCommands.INFO_DEFAULT));
    }

    /** Loads {@code scripts} into every primary. */
    CompletionStage<Void> load(Primaries primaries, List<Script> scripts) {
        List<CompletableFuture<?>> loading = new ArrayList<>();
        for (MasterSlaveEntry server : primaries.servers()) {
            for (Script script : scripts) {
                loading.add(load(server, script).toCompletableFuture());
            }
        }
        return CompletableFuture.allOf(loading.toArray(CompletableFuture[]::new));
    }

    CompletionStage<String> load(MasterSlaveEntry server, Script script) {
        return executor.writeAsync(server, StringCodec.INSTANCE, RedisCommands.SCRIPT_LOAD, script.text());
    }

    /** True when every primary has all of {@code scripts} and passes the fence of {@code scripts}' probe. */
    CompletionStage<Boolean> know(Primaries primaries, FencedScripts scripts) {
        Object[] digests = scripts.all().stream().map(Script::digest).toArray();
        return each(
                        primaries,
                        server -> executor.<List<Boolean>, List<Boolean>>writeAsync(
                                        server, StringCodec.INSTANCE, RedisCommands.SCRIPT_EXISTS, digests)
                                .thenCombine(
                                        probe(server, scripts), (loaded, passes) -> passes && !loaded.contains(false)))
                .thenApply(all -> !all.contains(false));
    }

    private CompletionStage<Boolean> probe(MasterSlaveEntry server, FencedScripts scripts) {
        return run(server, scripts.probe(), List.of())
                .<CompletionStage<Boolean>>handle((answer, failure) -> {
                    if (failure == null) {
                        return CompletableFuture.completedStage(true);
                    }
                    return ZoneFailures.isFence(failure)
                            ? CompletableFuture.completedStage(false)
                            : CompletableFuture.failedStage(Failures.root(failure));
                })
                .thenCompose(result -> result);
    }

    /**
     * True when no primary holds a key that matches. Where a few steps through the other keys do not find out, it is taken for
     * not empty.
     */
    CompletionStage<Boolean> holdsNothing(Primaries primaries, String pattern) {
        return each(primaries, server -> holdsNothing(server, "0", pattern, MOST_STEPS))
                .thenApply(all -> !all.contains(false));
    }

    private CompletionStage<Boolean> holdsNothing(MasterSlaveEntry server, String scan, String pattern, int steps) {
        return page(server, scan, pattern, KEYS_A_STEP).thenCompose(page -> {
            String next = new String(page.get(0), StandardCharsets.US_ASCII);
            if (page.size() > 2 || next.equals("0") || steps == 1) {
                return CompletableFuture.completedStage(page.size() == 2 && next.equals("0"));
            }
            return holdsNothing(server, next, pattern, steps - 1);
        });
    }

    /** A part of what one primary holds, as the page script answers. */
    CompletionStage<List<byte[]>> page(MasterSlaveEntry server, String scan, String pattern, int limit) {
        return executor.<List<Object>, List<Object>>writeAsync(
                        server,
                        ByteArrayCodec.INSTANCE,
                        RedisCommands.EVAL_LIST,
                        FencedScripts.PAGE,
                        "0",
                        scan,
                        pattern,
                        Integer.toString(limit))
                .thenApply(list -> Arrays.asList(list.toArray(byte[][]::new)));
    }

    private static <T> CompletionStage<List<T>> each(
            Primaries primaries, Function<MasterSlaveEntry, CompletionStage<T>> question) {
        List<CompletableFuture<T>> asked = new ArrayList<>();
        for (MasterSlaveEntry server : primaries.servers()) {
            asked.add(question.apply(server).toCompletableFuture());
        }
        return CompletableFuture.allOf(asked.toArray(CompletableFuture[]::new))
                .thenApply(done -> asked.stream().map(CompletableFuture::join).toList());
    }
}
