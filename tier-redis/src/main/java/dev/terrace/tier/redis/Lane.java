package dev.terrace.tier.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.redisson.client.RedisTimeoutException;
import org.redisson.client.protocol.CommandData;
import org.redisson.command.CommandAsyncExecutor;
import org.redisson.connection.MasterSlaveEntry;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A queue of commands to one server, of which one batch is under way at a time. A command that finds the lane idle is sent at
 * once, by the thread that brought it; those that come meanwhile go together when the answers are there. So nobody ever waits
 * for company, and the more callers there are the fewer round trips each costs. Commands are executed in the order in which
 * they came, unless a batch was given up at its deadline: what it did is unknown then. Thread-safe.
 *
 * <p>Rejected: a timer that collects, because it delays the one caller who needs no company; and several batches of one lane
 * under way, because they would overtake each other. What would overlap by that is had from a second lane.
 */
final class Lane {
    private static final Logger LOG = LoggerFactory.getLogger(Lane.class);

    /** Redisson decodes nothing before the last answer of a batch is there, so this bounds its buffers and the wait. */
    static final int MOST_BYTES = 512 * 1024;

    static final int MOST_COMMANDS = 256;

    private final MasterSlaveEntry server;
    private final CommandAsyncExecutor executor;
    private final long timeoutMillis;
    private final Traffic traffic;
    private final Queue<Command<?>> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger drains = new AtomicInteger();
    private volatile boolean busy;

    /** What answers carried of late, on average; written only while a batch ends, of which there is one. */
    private volatile int typicalAnswerBytes = 1024;

    Lane(MasterSlaveEntry server, CommandAsyncExecutor executor, long timeoutMillis, Traffic traffic) {
        this.server = server;
        this.executor = executor;
        this.timeoutMillis = timeoutMillis;
        this.traffic = traffic;
    }

    void submit(Command<?> command) {
        waiting.add(command);
        if (!busy) {
            drain();
        }
    }

    /** One thread at a time; who comes meanwhile leaves it the work. Never recurses, however fast batches end. */
    private void drain() {
        int seen = drains.incrementAndGet();
        if (seen != 1) {
            return;
        }
        do {
            try {
                if (!busy) {
                    next();
                }
            } catch (RuntimeException | Error e) {
                // Passed on, it would leave the lane to nobody for ever.
                LOG.error("commands to Redis could not be sent", e);
            }
            seen = drains.addAndGet(-seen);
        } while (seen != 0);
    }

    private void next() {
        List<CommandData<?, ?>> commands = take();
        if (commands.isEmpty()) {
            return;
        }
        busy = true;
        traffic.sent(commands.size());
        new Batch(server, commands, executor, timeoutMillis, () -> freed(commands), () -> {}).start();
    }

    private List<CommandData<?, ?>> take() {
        List<CommandData<?, ?>> commands = new ArrayList<>();
        int answerBytes = typicalAnswerBytes;
        long oldest = System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(timeoutMillis);
        long bytes = 0;
        for (Command<?> next = waiting.peek(); next != null && commands.size() < MOST_COMMANDS; next = waiting.peek()) {
            bytes += next.bytes() + answerBytes;
            if (bytes > MOST_BYTES && !commands.isEmpty()) {
                break;
            }
            waiting.poll();
            if (next.createdNanos() - oldest < 0) {
                // Its caller has given up; to send it now would surprise.
                next.refuse(new RedisTimeoutException(
                        "not sent: earlier commands waited for the server for " + timeoutMillis + " ms"));
                bytes -= next.bytes() + answerBytes;
            } else {
                commands.add(next);
            }
        }
        return commands;
    }

    private void freed(List<CommandData<?, ?>> commands) {
        int typical = typicalAnswerBytes;
        for (CommandData<?, ?> command : commands) {
            typical += (((Command<?>) command).answeredBytes() - typical) / 16;
        }
        typicalAnswerBytes = typical;
        busy = false;
        if (!waiting.isEmpty()) {
            drain();
        }
    }
}
