package dev.terrace.tier.redis;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.redisson.Redisson;
import org.redisson.api.RScript.ReturnType;
import org.redisson.api.RedissonClient;
import org.redisson.client.protocol.CommandData;
import org.redisson.client.protocol.RedisCommand;
import org.redisson.client.protocol.RedisCommands;
import org.redisson.client.protocol.decoder.ObjectListReplayDecoder;
import org.redisson.command.CommandAsyncExecutor;
import org.redisson.connection.ConnectionManager;
import org.redisson.connection.MasterSlaveEntry;

/**
 * Runs commands, each for one key, with as few round trips as their callers' concurrency allows. A command goes to the
 * primary that has its key's slot; commands of one key share a {@link Lane}, so they are executed in the order in which they
 * were given. A primary that does not answer holds up nobody but those who ask it. Thread-safe.
 *
 * <p>Uses Redisson's inner interfaces for what its public ones do not offer: a batch in which each command keeps its own
 * outcome, whatever its neighbours' were, and that costs no more than its bytes. Connections, topology, TLS, authentication
 * and redirections stay Redisson's.
 */
final class Lanes {
    /** Per primary; a power of two. Two, so that the server has work while the answers of the other's batch are read. */
    static final int PER_SERVER = 2;

    /** Larger groups are cut: nothing is decoded before a batch's last answer is there. */
    private static final int MOST_BULK_BYTES = 1024 * 1024;

    private static final int MOST_BULK_COMMANDS = 1_000;

    private static final RedisCommand<?> MGET = new RedisCommand<>("MGET", new ObjectListReplayDecoder<>());

    private static final RedisCommand<?> GETRANGE = new RedisCommand<>("GETRANGE");

    private static final RedisCommand<?> EVALSHA = new RedisCommand<>(ReturnType.VALUE.getCommand(), "EVALSHA");

    private final CommandAsyncExecutor executor;
    private final ConnectionManager connections;
    private final long timeoutMillis;
    private final Traffic traffic = new Traffic();
    private final ConcurrentHashMap<MasterSlaveEntry, Port> ports = new ConcurrentHashMap<>();

    /** The lanes to one primary, and what waits for it. */
    private record Port(List<Lane> lanes, Outstanding outstanding) {
        Lane lane(String key) {
            int hash = key.hashCode();
            return lanes.get((hash ^ hash >>> 16) & (PER_SERVER - 1));
        }
    }

    /**
     * @param timeoutMillis how long a command may wait to be sent, and how long a batch for its answers
     */
    Lanes(RedissonClient client, long timeoutMillis) {
        this.executor = ((Redisson) client).getCommandExecutor();
        this.connections = executor.getConnectionManager();
        this.timeoutMillis = timeoutMillis;
    }

    /** Round trips so far. */
    Traffic traffic() {
        return traffic;
    }

    /** What is under {@code key}, or null. */
    static Command<byte[]> get(String key) {
        return new Command<>(key, RedisCommands.GET, key);
    }

    /** The first {@code bytes} of what is under {@code key}; empty when there is nothing. */
    static Command<byte[]> head(String key, int bytes) {
        return new Command<>(key, GETRANGE, key, "0", Integer.toString(bytes - 1));
    }

    /** What is under {@code keys}, of one slot, or of any where there are no slots: null where there is nothing, or no string. */
    static Command<List<Object>> getMany(List<String> keys) {
        return new Command<>(keys.get(0), MGET, keys.toArray());
    }

    /**
     * Runs a script that the server must know.
     *
     * @param keyNames of one slot; the first says which
     */
    static <R> Command<R> evalSha(ReturnType answers, String digest, List<?> keyNames, Object... arguments) {
        Object[] parameters = new Object[2 + keyNames.size() + arguments.length];
        parameters[0] = digest;
        parameters[1] = Integer.toString(keyNames.size());
        for (int i = 0; i < keyNames.size(); i++) {
            parameters[2 + i] = keyNames.get(i);
        }
        System.arraycopy(arguments, 0, parameters, 2 + keyNames.size(), arguments.length);
        return new Command<>((String) keyNames.get(0), commandOf(answers), parameters);
    }

    private static RedisCommand<?> commandOf(ReturnType answers) {
        return answers == ReturnType.VALUE ? EVALSHA : new RedisCommand<>(answers.getCommand(), "EVALSHA");
    }

    /** Sends a command, at once or with others. */
    <R> CompletableFuture<R> submit(Command<R> command) {
        MasterSlaveEntry server = serverOf(command);
        if (server == null) {
            command.runAlone(executor);
        } else {
            Port port = portOf(server);
            if (port.outstanding().enter(1, command.bytes())) {
                leaveWithAnswer(command, port.outstanding());
                port.lane(command.key()).submit(command);
            } else {
                command.refuse(port.outstanding().refusal());
            }
        }
        return command.answer();
    }

    private static void leaveWithAnswer(Command<?> command, Outstanding outstanding) {
        command.answer().whenComplete((answer, failure) -> outstanding.leave(1, command.bytes()));
    }

    /** What waits for the primary of {@code key}; for those who send by other ways. */
    Outstanding outstandingFor(String key) {
        MasterSlaveEntry server = connections.getWriteEntry(connections.calcSlot(key));
        return server == null ? new Outstanding() : portOf(server).outstanding();
    }

    /** Commands that wait for any server. */
    long outstandingCommands() {
        return ports.values().stream()
                .mapToLong(port -> port.outstanding().commands())
                .sum();
    }

    /** Bytes of the commands that wait for any server. */
    long outstandingBytes() {
        return ports.values().stream()
                .mapToLong(port -> port.outstanding().bytes())
                .sum();
    }

    /**
     * Sends commands that belong together, all at once: one round trip per primary, or a few at the same time when they are
     * many.
     *
     * @return completes normally when every one has its answer
     */
    CompletableFuture<Void> submitAll(List<? extends Command<?>> commands) {
        Map<MasterSlaveEntry, List<CommandData<?, ?>>> byServer = new HashMap<>();
        for (Command<?> command : commands) {
            MasterSlaveEntry server = serverOf(command);
            if (server == null) {
                command.runAlone(executor);
            } else {
                byServer.computeIfAbsent(server, first -> new ArrayList<>(commands.size()))
                        .add(command);
            }
        }
        List<Batch> batches = new ArrayList<>();
        CompletableFuture<Void> all = new CompletableFuture<>();
        AtomicInteger left = new AtomicInteger(1);
        Runnable ended = () -> {
            if (left.decrementAndGet() == 0) {
                whenRedirectedToo(commands, all);
            }
        };
        byServer.forEach((server, group) -> {
            if (enter(server, group)) {
                cut(server, group, ended, batches);
            }
        });
        left.addAndGet(batches.size());
        batches.forEach(Batch::start);
        ended.run();
        return all;
    }

    /** All of a group or none: what waited before it decides. */
    private boolean enter(MasterSlaveEntry server, List<CommandData<?, ?>> group) {
        Outstanding outstanding = portOf(server).outstanding();
        long bytes = 0;
        for (CommandData<?, ?> command : group) {
            bytes += ((Command<?>) command).bytes();
        }
        boolean entered = outstanding.enter(group.size(), bytes);
        for (CommandData<?, ?> command : group) {
            if (entered) {
                leaveWithAnswer((Command<?>) command, outstanding);
            } else {
                ((Command<?>) command).refuse(outstanding.refusal());
            }
        }
        return entered;
    }

    /** Those that ran alone may answer after the batches. */
    private static void whenRedirectedToo(List<? extends Command<?>> commands, CompletableFuture<Void> all) {
        CompletableFuture<?>[] late = commands.stream()
                .map(Command::answer)
                .filter(answer -> !answer.isDone())
                .toArray(CompletableFuture[]::new);
        if (late.length == 0) {
            all.complete(null);
        } else {
            CompletableFuture.allOf(late).whenComplete((done, failure) -> all.complete(null));
        }
    }

    private void cut(MasterSlaveEntry server, List<CommandData<?, ?>> commands, Runnable ended, List<Batch> into) {
        int from = 0;
        int bytes = 0;
        for (int i = 0; i < commands.size(); i++) {
            int more = ((Command<?>) commands.get(i)).bytes();
            if (i > from && (bytes + more > MOST_BULK_BYTES || i - from >= MOST_BULK_COMMANDS)) {
                into.add(batch(server, commands.subList(from, i), ended));
                from = i;
                bytes = 0;
            }
            bytes += more;
        }
        into.add(batch(server, commands.subList(from, commands.size()), ended));
    }

    private Batch batch(MasterSlaveEntry server, List<CommandData<?, ?>> group, Runnable ended) {
        traffic.sent(group.size());
        return new Batch(server, group, executor, timeoutMillis, () -> {}, ended);
    }

    /** The primary that has the command's key, or null while nobody knows one. */
    private MasterSlaveEntry serverOf(Command<?> command) {
        return connections.getWriteEntry(connections.calcSlot(command.key()));
    }

    private Port portOf(MasterSlaveEntry server) {
        Port port = ports.get(server);
        if (port == null) {
            // Primaries come and go; a lane that is forgotten still empties itself.
            ports.keySet().retainAll(connections.getEntrySet());
            port = ports.computeIfAbsent(server, this::open);
        }
        return port;
    }

    private Port open(MasterSlaveEntry server) {
        List<Lane> opened = new ArrayList<>();
        for (int i = 0; i < PER_SERVER; i++) {
            opened.add(new Lane(server, executor, timeoutMillis, traffic));
        }
        return new Port(List.copyOf(opened), new Outstanding());
    }
}
