package dev.terrace.tier.redis;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.util.AttributeKey;
import io.netty.util.Timeout;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.redisson.client.RedisConnection;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisTimeoutException;
import org.redisson.client.WriteRedisConnectionException;
import org.redisson.client.protocol.CommandData;
import org.redisson.client.protocol.CommandsData;
import org.redisson.command.CommandAsyncExecutor;
import org.redisson.connection.MasterSlaveEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Commands that go to one server in one write, on one connection of Redisson's pool, and come back together. It ends once:
 * with its last answer, at its deadline, or with its connection. Whatever ends it, every command gets an outcome of its own;
 * an error that Redis answers to one of them says nothing about the others.
 *
 * <p>An answer that comes after the deadline is thrown away by Redisson's decoder, which knows how many belong to a batch.
 */
final class Batch {
    private static final Logger LOG = LoggerFactory.getLogger(Batch.class);

    /** The batch under way on a connection: there is never more than one, because it has the connection for itself. */
    private static final AttributeKey<AtomicReference<@Nullable Batch>> UNDER_WAY =
            AttributeKey.valueOf("terrace-batch");

    private final MasterSlaveEntry server;
    private final List<CommandData<?, ?>> commands;
    private final CommandAsyncExecutor executor;
    private final long timeoutMillis;
    private final Runnable freed;
    private final Runnable settled;
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private final AtomicReference<@Nullable RedisConnection> held = new AtomicReference<>();
    private volatile @Nullable Timeout deadline;
    private volatile @Nullable CompletableFuture<RedisConnection> acquired;

    /**
     * @param commands at least one, all {@link Command}s
     * @param freed called when the next batch may be sent, before the commands' callers are told
     * @param settled called when they have been told
     */
    Batch(
            MasterSlaveEntry server,
            List<CommandData<?, ?>> commands,
            CommandAsyncExecutor executor,
            long timeoutMillis,
            Runnable freed,
            Runnable settled) {
        this.server = server;
        this.commands = commands;
        this.executor = executor;
        this.timeoutMillis = timeoutMillis;
        this.freed = freed;
        this.settled = settled;
    }

    /** Sends it; on the calling thread if the pool has a connection at hand. Never throws: what goes wrong ends the batch. */
    void start() {
        ended.whenComplete((done, failure) -> end(failure));
        try {
            deadline = executor.getServiceManager().newTimeout(timer -> expire(), timeoutMillis, TimeUnit.MILLISECONDS);
            CompletableFuture<RedisConnection> connecting =
                    server.connectionWriteOp(commands.get(0).getCommand());
            acquired = connecting;
            connecting.whenComplete((connection, failure) -> {
                if (failure == null) {
                    send(connection);
                } else {
                    ended.completeExceptionally(Failures.root(failure));
                }
            });
        } catch (RuntimeException | Error e) {
            ended.completeExceptionally(e);
        }
    }

    private void send(RedisConnection connection) {
        held.set(connection);
        if (ended.isDone()) {
            release();
            return;
        }
        watch(connection.getChannel());
        try {
            connection.send(new CommandsData(ended, commands, false, false)).addListener(written -> {
                if (!written.isSuccess()) {
                    lost(written.cause());
                }
            });
        } catch (RuntimeException e) {
            lost(e);
        }
    }

    private void watch(Channel channel) {
        AtomicReference<@Nullable Batch> mine = new AtomicReference<>(this);
        AtomicReference<@Nullable Batch> there = channel.attr(UNDER_WAY).setIfAbsent(mine);
        if (there != null) {
            there.set(this);
            return;
        }
        // Redisson itself tells nobody whose command was written already; they would wait for their deadline.
        channel.closeFuture().addListener((ChannelFuture closed) -> {
            Batch last = mine.getAndSet(null);
            if (last != null) {
                last.ended.completeExceptionally(
                        new RedisConnectionException("the connection was lost before the answer came"));
            }
        });
    }

    private void lost(@Nullable Throwable cause) {
        ended.completeExceptionally(new WriteRedisConnectionException("the command could not be written", cause));
    }

    private void expire() {
        CompletableFuture<RedisConnection> connecting = acquired;
        if (connecting != null) {
            // If it comes all the same, Redisson gives it back to the pool.
            connecting.completeExceptionally(new CancellationException());
        }
        ended.completeExceptionally(new RedisTimeoutException("no answer within " + timeoutMillis + " ms"));
    }

    /** Each step whatever becomes of the others: a step left out would keep the lane busy, or a caller waiting, for ever. */
    private void end(@Nullable Throwable failure) {
        Timeout timer = deadline;
        if (timer != null) {
            timer.cancel();
        }
        attempt(this::release);
        attempt(freed);
        for (CommandData<?, ?> command : commands) {
            Command<?> told = (Command<?>) command;
            Throwable bug = attempt(() -> told.settle(failure, executor));
            if (bug != null) {
                told.refuse(bug);
            }
        }
        attempt(settled);
    }

    private static @Nullable Throwable attempt(Runnable step) {
        try {
            step.run();
            return null;
        } catch (RuntimeException | Error e) {
            LOG.error("a batch of commands to Redis met a bug at its end", e);
            return e;
        }
    }

    private void release() {
        RedisConnection connection = held.getAndSet(null);
        if (connection != null) {
            AtomicReference<@Nullable Batch> there =
                    connection.getChannel().attr(UNDER_WAY).get();
            if (there != null) {
                there.compareAndSet(this, null);
            }
            server.releaseWrite(connection);
        }
    }
}
