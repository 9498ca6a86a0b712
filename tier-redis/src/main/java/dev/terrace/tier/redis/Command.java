package dev.terrace.tier.redis;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;
import org.redisson.client.RedisConnectionException;
import org.redisson.client.RedisRedirectException;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.protocol.CommandData;
import org.redisson.client.protocol.RedisCommand;
import org.redisson.command.CommandAsyncExecutor;

/**
 * One command for one key, with a future of its own. What it shares with others is the round trip, never the outcome.
 *
 * <p>The future that Redisson's decoder completes is kept apart from the one that callers wait for, so that a batch can send
 * the next one before anybody's callbacks run.
 *
 * @param <R> what Redis answers
 */
final class Command<R> extends CommandData<Object, R> {
    /** Protocol around one argument. */
    private static final int ARGUMENT_OVERHEAD = 16;

    private final String key;
    private final int bytes;
    private final long createdNanos = System.nanoTime();
    private final CompletableFuture<R> answer = new CompletableFuture<>();

    /**
     * @param key decides which server is asked
     * @param parameters what follows the command's name: strings and byte arrays, which must not change any more
     */
    Command(String key, RedisCommand<?> command, Object... parameters) {
        super(new CompletableFuture<>(), ByteArrayCodec.INSTANCE, untyped(command), parameters);
        this.key = key;
        int total = 0;
        for (Object parameter : parameters) {
            total += ARGUMENT_OVERHEAD + lengthOf(parameter);
        }
        this.bytes = total;
    }

    @SuppressWarnings("unchecked") // Redisson never looks at the type parameter
    private static RedisCommand<Object> untyped(RedisCommand<?> command) {
        return (RedisCommand<Object>) command;
    }

    private static int lengthOf(Object parameter) {
        if (parameter instanceof byte[] array) {
            return array.length;
        }
        return parameter instanceof String text ? text.length() : Long.BYTES;
    }

    String key() {
        return key;
    }

    /** Roughly what it takes on the wire. */
    int bytes() {
        return bytes;
    }

    long createdNanos() {
        return createdNanos;
    }

    /** Completes once, with the answer or with what went wrong. */
    CompletableFuture<R> answer() {
        return answer;
    }

    /** Length of an answer that carries a value; 0 of any other. */
    int answeredBytes() {
        CompletableFuture<R> decoded = getPromise();
        return isSuccess() && decoded.join() instanceof byte[] array ? array.length : 0;
    }

    /** Ends it without having been sent. */
    void refuse(Throwable why) {
        getPromise().completeExceptionally(why);
        answer.completeExceptionally(why);
    }

    /**
     * Tells the caller what came of it, once its batch is over.
     *
     * @param batchFailure what ended the batch, if that was not its last answer
     * @param alone follows redirections
     */
    void settle(@Nullable Throwable batchFailure, CommandAsyncExecutor alone) {
        CompletableFuture<R> decoded = getPromise();
        if (!decoded.isDone()) {
            decoded.completeExceptionally(
                    batchFailure == null
                            ? new RedisConnectionException("the batch ended without an answer")
                            : batchFailure);
        }
        if (isSuccess()) {
            answer.complete(decoded.join());
            return;
        }
        Throwable failure = cause();
        if (failure instanceof RedisRedirectException) {
            // The server did nothing but name another one.
            runAlone(alone);
        } else {
            answer.completeExceptionally(failure);
        }
    }

    /** Runs it by Redisson's own means, which know about slots on the move. */
    void runAlone(CommandAsyncExecutor alone) {
        alone.<Object, R>writeAsync(key, getCodec(), getCommand(), getParams()).whenComplete((value, failure) -> {
            if (failure == null) {
                answer.complete(value);
            } else {
                answer.completeExceptionally(Failures.root(failure));
            }
        });
    }
}
