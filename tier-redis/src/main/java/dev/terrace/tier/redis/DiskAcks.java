package dev.terrace.tier.redis;

import dev.terrace.tier.redis.ReplicaAcks.Answer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.redisson.Redisson;
import org.redisson.client.protocol.RedisCommands;
import org.redisson.command.CommandAsyncExecutor;
import org.redisson.connection.MasterSlaveEntry;

/**
 * Stores that wait until the primary and so many replicas have them in their append-only files, on disk: {@code WAITAOF} (Redis
 * 7.2), sent on the connection of the write, behind it. Thread-safe.
 *
 * <p>Redisson has a way to do this too, but it tells the replicas' count only, not whether the primary's own disk has it.
 */
final class DiskAcks {
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");

    private final CommandAsyncExecutor executor;
    private final long timeoutMillis;
    private final long waitMillis;

    DiskAcks(Connector.Connection connection, long timeoutMillis, long waitMillis) {
        this.executor = ((Redisson) connection.client()).getCommandExecutor();
        this.timeoutMillis = timeoutMillis;
        this.waitMillis = waitMillis;
    }

    /** Why a server that says this of itself cannot be asked; empty when it can. */
    static String missing(Map<String, String> info) {
        Matcher version = VERSION.matcher(info.getOrDefault("redis_version", ""));
        boolean known = version.matches()
                && (Integer.parseInt(version.group(1)) > 7
                        || version.group(1).equals("7") && Integer.parseInt(version.group(2)) >= 2);
        if (!known) {
            return "Redis " + info.getOrDefault("redis_version", "of unknown version") + " has no WAITAOF, 7.2 has";
        }
        return "1".equals(info.get("aof_enabled")) ? "" : "Redis keeps no append-only file: set appendonly yes";
    }

    /** Stores, and counts who has it on disk. Fails as the store does; where only the count is missing, nobody is counted. */
    CompletionStage<Answer> send(RedissonCommands.Store store, long nowMillis, int required) {
        MasterSlaveEntry server = executor.getConnectionManager().getEntry(store.key());
        if (server == null) {
            return CompletableFuture.failedStage(
                    new org.redisson.client.RedisException("CLUSTERDOWN the slot of a key has no primary"));
        }
        Command<byte[]> script = store.at(nowMillis);
        Command<List<?>> wait = new Command<>(
                store.key(), RedisCommands.WAITAOF, "1", Integer.toString(required - 1), Long.toString(waitMillis));
        CompletableFuture<Void> settled = new CompletableFuture<>();
        new Batch(server, List.of(script, wait), executor, timeoutMillis, () -> {}, () -> settled.complete(null))
                .start();
        // What was redirected was stored elsewhere, and counted here: two servers, so no count.
        CompletableFuture<Integer> acked =
                settled.thenCompose(done -> script.getPromise().isCompletedExceptionally()
                        ? CompletableFuture.completedFuture(0)
                        : wait.answer().handle((counts, failure) -> count(counts)));
        return script.answer().thenCombine(acked, (answer, count) -> new Answer(answer, count, required));
    }

    private static int count(@Nullable List<?> counts) {
        int sum = 0;
        if (counts != null) {
            for (Object count : counts) {
                sum += count instanceof Number number ? number.intValue() : 0;
            }
        }
        return sum;
    }
}
