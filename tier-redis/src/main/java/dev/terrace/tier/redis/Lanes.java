package dev.terrace.tier.redis;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.redisson.Redisson;
import org.redisson.api.RScript.ReturnType;
import org.redisson.api.RedissonClient;
import org.redisson.client.protocol.CommandData;
import org.redisson.client.protocol.RedisCommand;
import org.redisson.client.protocol.RedisCommands;
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
    /** Per primary; a power of two. Two, so that the server works on one batch while the answers of another are read. */
    static final int PER_SERVER = 2;

    /** Larger groups are cut: they would make the server hold all answers until the last is read. */
    private static final int MOST_BULK_BYTES = 1024 * 1024;

    private static final RedisCommand<?> EVALSHA = new RedisCommand<>(ReturnType.VALUE.getCommand(), "EVALSHA");

    private final CommandAsyncExecutor executor;
    private final ConnectionManager connections;
    private final long timeoutMillis;
    private final Traffic traffic = new Traffic();
    private final ConcurrentHashMap<MasterSlaveEntry, Lane[]> lanes = new ConcurrentHashMap<>();

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
            laneOf(server, command.key()).submit(command);
        }
        return command.answer();
    }

    /** Sends commands that belong together, all at once: one round trip per primary, or a few when they are large. */
    void submitAll(Collection<? extends Command<?>> commands) {
        Map<MasterSlaveEntry, List<Command<?>>> byServer = new HashMap<>();
        for (Command<?> command : commands) {
            MasterSlaveEntry server = serverOf(command);
            if (server == null) {
                command.runAlone(executor);
            } else {
                byServer.computeIfAbsent(server, first -> new ArrayList<>()).add(command);
            }
        }
        byServer.forEach(this::sendAll);
    }

    private void sendAll(MasterSlaveEntry server, List<Command<?>> commands) {
        List<CommandData<?, ?>> group = new ArrayList<>(commands.size());
        int bytes = 0;
        for (Command<?> command : commands) {
            if (bytes + command.bytes() > MOST_BULK_BYTES && !group.isEmpty()) {
                send(server, group);
                group = new ArrayList<>();
                bytes = 0;
            }
            group.add(command);
            bytes += command.bytes();
        }
        send(server, group);
    }

    private void send(MasterSlaveEntry server, List<CommandData<?, ?>> group) {
        traffic.sent(group.size());
        new Batch(server, group, executor, timeoutMillis, () -> {}).start();
    }

    /** The primary that has the command's key, or null while nobody knows one. */
    private MasterSlaveEntry serverOf(Command<?> command) {
        return connections.getWriteEntry(connections.calcSlot(command.key()));
    }

    private Lane laneOf(MasterSlaveEntry server, String key) {
        Lane[] all = lanes.get(server);
        if (all == null) {
            // Primaries come and go; a lane that is forgotten still empties itself.
            lanes.keySet().retainAll(connections.getEntrySet());
            all = lanes.computeIfAbsent(server, this::open);
        }
        int hash = key.hashCode();
        return all[(hash ^ hash >>> 16) & (PER_SERVER - 1)];
    }

    private Lane[] open(MasterSlaveEntry server) {
        Lane[] opened = new Lane[PER_SERVER];
        for (int i = 0; i < PER_SERVER; i++) {
            opened[i] = new Lane(server, executor, timeoutMillis, traffic);
        }
        return opened;
    }
}
