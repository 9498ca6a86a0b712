package dev.terrace.tier.redis;

import dev.terrace.spi.ReplicationMode;
import dev.terrace.tier.redis.ZoneServers.Primaries;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.redisson.api.BatchOptions;
import org.redisson.api.RBatch;
import org.redisson.api.RScript.Mode;
import org.redisson.api.RScript.ReturnType;
import org.redisson.client.codec.ByteArrayCodec;

/**
 * Stores that wait for the replicas of the one deployment there is: all of them (SYNC), or so many that with the primary they are
 * a majority (QUORUM). Thread-safe.
 *
 * <p>{@code WAIT} tells how many replicas have what was written <em>on its own connection</em> before it, so it travels in one
 * batch with the write; on another connection of the pool its count would mean nothing. A write that was not needed, because
 * the same or a newer version was there, is waited for all the same: what it relies on must be safe too.
 *
 * <p>How many replicas a primary has is asked every second, and before the first write to it. One that was seen once is asked for as long as this connection
 * stands: a replica that is down must not make "all" mean fewer.
 *
 * <p>Where it is asked for, and the servers can tell, those are counted that have the write on disk, see {@link DiskAcks}.
 *
 * <p>What this cannot promise: which replica is promoted is not for the writer to choose. A majority of three is two; when both are
 * lost, the third is promoted and the write is gone. Independent zones do not have that hole.
 */
final class ReplicaAcks {
    private static final long REFRESH_NANOS = TimeUnit.SECONDS.toNanos(1);

    private final Connector.Connection connection;
    private final ZoneServers servers;
    private final long timeoutMillis;
    private final @Nullable DiskAcks disk;
    private final Map<String, Integer> replicas = new ConcurrentHashMap<>();

    /** Why a shard's servers cannot tell what is on disk; of shards that were asked. */
    private final Map<String, String> noDisk = new ConcurrentHashMap<>();

    private final AtomicReference<@Nullable CompletableFuture<Void>> counting = new AtomicReference<>();
    private volatile boolean counted;
    private volatile long countedNanos;

    /** @param onDisk whether to count who has it on disk, where servers can tell */
    ReplicaAcks(Connector.Connection connection, long timeoutMillis, boolean onDisk) {
        this.connection = connection;
        this.servers = new ZoneServers(connection.client());
        this.timeoutMillis = timeoutMillis;
        this.disk = onDisk ? new DiskAcks(connection, timeoutMillis, waitMillis()) : null;
    }

    /** Why memory is counted though disks should be; empty while they are, or need not. */
    String trouble() {
        return noDisk.values().stream()
                .filter(why -> !why.isEmpty())
                .findAny()
                .map(why -> "wait_for_disk: what is in memory is counted, because " + why)
                .orElse("");
    }

    private boolean onDisk(String shard) {
        return disk != null && noDisk.getOrDefault(shard, "not asked").isEmpty();
    }

    /**
     * A script's answer, and who has what it left.
     *
     * @param acked servers, the primary included
     * @param required how many the level asks for
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Answer(byte[] script, int acked, int required) {
        boolean enough() {
            return acked >= required;
        }
    }

    /**
     * Runs the store script and waits for as many replicas as the level asks for; fails with NOSCRIPT where not loaded.
     *
     * @param plain stores where the primary alone is enough
     */
    CompletionStage<Answer> store(
            RedissonCommands plain, RedissonCommands.Store store, long nowMillis, ReplicationMode mode) {
        return counts().thenCompose(known ->
                        replicas.containsKey(shardOf(store.key())) ? CompletableFuture.completedStage(null) : recount())
                .thenCompose(known -> {
                    int required = required(mode, replicas.getOrDefault(shardOf(store.key()), 0));
                    return required == 1 && (mode == ReplicationMode.ASYNC || !onDisk(shardOf(store.key())))
                            ? plain.store(store, nowMillis).thenApply(script -> new Answer(script, 1, 1))
                            : store(store, nowMillis, required);
                });
    }

    /** False when no primary has a replica, so that every store is a plain one. */
    boolean mayWait() {
        counts();
        return !counted
                || replicas.values().stream().anyMatch(count -> count > 0)
                || replicas.keySet().stream().anyMatch(this::onDisk);
    }

    private CompletionStage<Answer> store(RedissonCommands.Store store, long nowMillis, int required) {
        Outstanding outstanding = connection.lanes().outstandingFor(store.key());
        long bytes = store.envelope().length;
        if (!outstanding.enter(1, bytes)) {
            return CompletableFuture.failedStage(outstanding.refusal());
        }
        CompletionStage<Answer> sent = disk != null && onDisk(shardOf(store.key()))
                ? disk.send(store, nowMillis, required)
                : send(store, nowMillis, required);
        return sent.whenComplete((answer, failure) -> outstanding.leave(1, bytes));
    }

    private CompletionStage<Answer> send(RedissonCommands.Store store, long nowMillis, int required) {
        BatchOptions options = BatchOptions.defaults()
                .retryAttempts(0)
                .responseTimeout(timeoutMillis, TimeUnit.MILLISECONDS)
                .sync(required - 1, Duration.ofMillis(waitMillis()));
        RBatch batch = connection.client().createBatch(options);
        CompletableFuture<byte[]> script = batch.getScript(ByteArrayCodec.INSTANCE)
                .<byte[]>evalShaAsync(
                        store.key(),
                        Mode.READ_WRITE,
                        Scripts.STORE.digest(),
                        ReturnType.VALUE,
                        List.of(store.key()),
                        store.condition(),
                        store.envelope(),
                        store.ttl(),
                        Long.toString(nowMillis).getBytes(StandardCharsets.US_ASCII),
                        store.expected())
                .toCompletableFuture();
        return batch.executeAsync()
                .<CompletionStage<Answer>>handle((done, failure) -> {
                    if (script.isCompletedExceptionally()) {
                        return script.thenApply(never -> new Answer(never, 0, required));
                    }
                    return failure != null
                            ? CompletableFuture.failedStage(Failures.root(failure))
                            : script.thenApply(answer -> new Answer(answer, 1 + done.getSyncedSlaves(), required));
                })
                .thenCompose(answer -> answer);
    }

    /**
     * How long the server waits: so much shorter than the caller's deadline that an answer with a count arrives, for the server
     * looks only ten times a second for those who waited long enough. Never zero, which is for ever.
     */
    private long waitMillis() {
        return Math.max(1, Math.max(timeoutMillis / 2, timeoutMillis - Math.max(150, timeoutMillis / 4)));
    }

    /** How many servers must have a write, of a primary with so many replicas; itself included. */
    static int required(ReplicationMode mode, int replicaCount) {
        return switch (mode) {
            case ASYNC -> 1;
            case QUORUM -> (1 + replicaCount) / 2 + 1;
            case SYNC -> 1 + replicaCount;
        };
    }

    /**
     * Whose replicas have a key. Of a deployment with one primary at a time it is always the same, whoever that is: one that takes
     * over has as many replicas as the one before, though they may not be back yet.
     */
    private String shardOf(String key) {
        return connection.cluster() ? servers.addressOf(key) : "";
    }

    /** Complete once the replicas were counted; counts them again, behind the caller's back, when that is a while ago. */
    private CompletionStage<Void> counts() {
        if (!counted) {
            return recount();
        }
        if (System.nanoTime() - countedNanos >= REFRESH_NANOS) {
            recount();
        }
        return CompletableFuture.completedStage(null);
    }

    /** Counts the replicas, or joins those who are at it. */
    private CompletionStage<Void> recount() {
        CompletableFuture<Void> mine = new CompletableFuture<>();
        while (true) {
            CompletableFuture<Void> running = counting.get();
            if (running != null) {
                return running;
            }
            if (counting.compareAndSet(null, mine)) {
                count(mine);
                return mine;
            }
        }
    }

    private void count(CompletableFuture<Void> done) {
        CompletionStage<Void> asked;
        try {
            Primaries primaries = servers.primaries();
            asked = servers.info(primaries).thenAccept(infos -> note(primaries, infos));
        } catch (RuntimeException e) {
            asked = CompletableFuture.failedStage(e);
        }
        asked.whenComplete((noted, failure) -> {
            counting.set(null);
            if (failure == null) {
                done.complete(null);
            } else {
                done.completeExceptionally(Failures.root(failure));
            }
        });
    }

    private void note(Primaries primaries, List<Map<String, String>> infos) {
        Map<String, Integer> now = new HashMap<>();
        for (int i = 0; i < infos.size(); i++) {
            String count = infos.get(i).getOrDefault("connected_slaves", "0");
            String shard = connection.cluster()
                    ? ZoneServers.addressOf(primaries.servers().get(i))
                    : "";
            now.put(shard, Integer.parseInt(count));
            if (disk != null) {
                noDisk.put(shard, DiskAcks.missing(infos.get(i)));
            }
        }
        now.forEach((address, count) -> replicas.merge(address, count, Math::max));
        countedNanos = System.nanoTime();
        counted = true;
    }
}
