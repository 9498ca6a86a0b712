package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the server that holds the log: the one there is, the master that sentinels name, or the primary of its slot. */
final class LogServers {
    private static final int MOST_REDIRECTIONS = 5;

    private final DistributedCacheSettings settings;
    private final LogKeys keys;
    private final int keepEntries;
    private final int timeoutMillis;
    private final int connectMillis;

    LogServers(DistributedCacheSettings settings, int keepEntries) {
        this.settings = settings;
        this.keys = LogKeys.of(settings.keyPrefix());
        this.keepEntries = keepEntries;
        this.timeoutMillis = (int) Math.max(1, settings.timeout().toMillis());
        this.connectMillis = (int) Math.max(1, settings.connectTimeout().toMillis());
    }

    /** A connection to it, the log's head read. */
    LogConnection open(String clientName) throws IOException {
        IOException last = null;
        for (HostAndPort node : candidates()) {
            try {
                return follow(node, clientName);
            } catch (IOException e) {
                last = e;
            }
        }
        throw last == null ? new IOException("no nodes configured") : last;
    }

    /** Where to ask: the nodes of the settings, or the master that a sentinel names. */
    List<HostAndPort> candidates() throws IOException {
        String master = settings.sentinelMaster();
        boolean sentinels =
                settings.topology() == Topology.SENTINEL || settings.topology() == Topology.AUTO && master != null;
        if (!sentinels || master == null) {
            return settings.clusterNodes();
        }
        List<HostAndPort> named = new ArrayList<>();
        IOException last = null;
        for (HostAndPort sentinel : settings.clusterNodes()) {
            try (RespConnection connection = RespConnection.open(sentinel, connectMillis, settings.tls())) {
                Object answer = connection.call(connectMillis, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", master);
                if (answer instanceof List<?> address && address.size() == 2) {
                    named.add(address(
                            RespConnection.textOf(address.get(0)),
                            RespConnection.textOf(address.get(1)),
                            sentinel.host()));
                    return named;
                }
            } catch (IOException e) {
                last = e;
            }
        }
        throw last == null ? new IOException("no sentinel knows a master named " + master) : last;
    }

    private LogConnection follow(HostAndPort first, String clientName) throws IOException {
        HostAndPort node = first;
        for (int hops = 0; hops <= MOST_REDIRECTIONS; hops++) {
            RespConnection connection = RespConnection.open(node, connectMillis, settings.tls());
            try {
                greet(connection, clientName);
                LogConnection log = new LogConnection(connection, keys, run(connection), keepEntries, timeoutMillis);
                log.head();
                return log;
            } catch (RespException e) {
                connection.close();
                node = moved(e, node);
                if (node == null) {
                    throw e;
                }
            } catch (IOException | RuntimeException e) {
                connection.close();
                throw e;
            }
        }
        throw new IOException("redirected more than " + MOST_REDIRECTIONS + " times");
    }

    /** Gives credentials, chooses the database and says who this is. */
    void greet(RespConnection connection, String clientName) throws IOException {
        if (settings.password() != null) {
            String password = settings.password().reveal();
            if (settings.username() == null) {
                connection.call(connectMillis, "AUTH", password);
            } else {
                connection.call(connectMillis, "AUTH", settings.username(), password);
            }
        }
        if (settings.database() != 0) {
            connection.call(connectMillis, "SELECT", settings.database());
        }
        try {
            connection.call(connectMillis, "CLIENT", "SETNAME", clientName);
        } catch (RespException notAllowed) {
            // The name is for people who look at CLIENT LIST.
        }
    }

    /** Names this process of this server, and its reign: another after a restart, and after every promotion. */
    private String run(RespConnection connection) throws IOException {
        String server = RespConnection.textOf(connection.call(connectMillis, "INFO", "server"));
        String replication = RespConnection.textOf(connection.call(connectMillis, "INFO", "replication"));
        return line(server, "run_id:") + '/' + line(replication, "master_replid:");
    }

    private static String line(@Nullable String info, String name) throws IOException {
        return String.valueOf(info)
                .lines()
                .filter(line -> line.startsWith(name))
                .map(line -> line.substring(name.length()))
                .findFirst()
                .orElseThrow(() -> new IOException("INFO does not tell " + name));
    }

    /** Where the key is, when the error says so. */
    private static @Nullable HostAndPort moved(RespException error, HostAndPort from) throws IOException {
        if (!error.is("MOVED")) {
            return null;
        }
        String[] words = String.valueOf(error.getMessage()).split(" ", 3);
        int colon = words.length < 3 ? -1 : words[2].lastIndexOf(':');
        return colon < 0 ? null : address(words[2].substring(0, colon), words[2].substring(colon + 1), from.host());
    }

    static HostAndPort address(@Nullable String host, @Nullable String port, String otherwise) throws IOException {
        try {
            return new HostAndPort(
                    host == null || host.isEmpty() || host.equals("?") ? otherwise : host,
                    Integer.parseInt(String.valueOf(port)));
        } catch (IllegalArgumentException e) {
            throw new IOException("an address that is none: " + host + ":" + port, e);
        }
    }
}
