package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.KeyWatch.Listener;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Listens to one server over one connection, on a thread of its own, and connects again when that is lost: whenever it has
 * begun to hear, a gap has ended. When nothing comes for {@value #SILENCE_MILLIS} ms the server is asked for a sign of life.
 */
final class WatchedServer implements AutoCloseable {
    static final int SILENCE_MILLIS = 500;

    private static final Logger LOG = LoggerFactory.getLogger(WatchedServer.class);

    private final String name;
    private final HostAndPort address;
    private final DistributedCacheSettings settings;
    private final LogServers servers;
    private final RedisKeys keys;
    private final Listener listener;
    private final int connectMillis;
    private final Reconnecting<RespConnection> connections;

    WatchedServer(
            String name,
            HostAndPort address,
            DistributedCacheSettings settings,
            LogServers servers,
            RedisKeys keys,
            Listener listener) {
        this.name = name;
        this.address = address;
        this.settings = settings;
        this.servers = servers;
        this.keys = keys;
        this.listener = listener;
        this.connectMillis = (int) Math.max(1, settings.connectTimeout().toMillis());
        this.connections = new Reconnecting<>(
                name + "-" + address,
                "connecting",
                new Listening(),
                why -> LOG.warn("changes by other programs cannot be heard name={} reason={}", name, why));
    }

    void start() {
        connections.start();
    }

    /** Why nothing is heard; empty while all is well. */
    String trouble() {
        return connections.trouble();
    }

    /** What each connection is for. */
    private final class Listening implements Reconnecting.Session<RespConnection> {
        @Override
        public RespConnection open() throws IOException {
            return RespConnection.open(address, connectMillis, settings.tls());
        }

        @Override
        public void begin(RespConnection connection) throws IOException {
            connection.keepLongLists();
            servers.greet(connection, name);
            connection.call(connectMillis, "HELLO", "3");
            connection.call(connectMillis, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", keys.prefixOfAll());
            tellGap("listening to " + address + " begins");
        }

        @Override
        public void use(RespConnection connection) throws IOException {
            listen(connection);
        }

        @Override
        public String describe(Exception why) {
            return address + ": " + Failures.describe(why);
        }
    }

    private void listen(RespConnection connection) throws IOException {
        boolean asked = false;
        while (!connections.isClosed()) {
            Object said;
            try {
                said = connection.receive(asked ? connectMillis : SILENCE_MILLIS);
            } catch (SocketTimeoutException silence) {
                if (asked) {
                    throw silence;
                }
                connection.send("PING");
                asked = true;
                continue;
            }
            asked = false;
            if (said instanceof RespConnection.Push push) {
                take(push);
            }
        }
    }

    private void take(RespConnection.Push push) {
        List<@Nullable Object> parts = push.parts();
        if (parts.isEmpty() || !"invalidate".equals(RespConnection.textOf(parts.get(0)))) {
            return;
        }
        if (!push.whole() || parts.size() != 2) {
            tellGap("more keys changed at " + address + " than could be told apart");
        } else if (parts.get(1) instanceof List<?> changed) {
            changed.forEach(this::tell);
        } else {
            tellGap(address + " was flushed");
        }
    }

    private void tell(@Nullable Object redisKey) {
        String text = RespConnection.textOf(redisKey);
        CacheKey key = text == null ? null : keys.parse(text);
        if (key == null) {
            return;
        }
        try {
            listener.changed(key);
        } catch (RuntimeException e) {
            LOG.error("a listener failed on a change name={}", name, e);
            tellGap("a change could not be heeded");
        }
    }

    private void tellGap(String why) {
        try {
            listener.gap(why);
        } catch (RuntimeException e) {
            LOG.error("a listener failed on a gap name={}", name, e);
        }
    }

    @Override
    public void close() {
        connections.close();
    }
}
