package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.KeyWatch;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Watches every primary of a deployment, one connection and thread each, by client tracking in broadcasting mode: unlike keyspace
 * notifications it needs no setting of the server, and tells of flushes too. Looks every {@value #LOOK_MILLIS} ms for primaries that
 * have come or gone; one that came is a gap. Thread-safe.
 *
 * <p>What it cannot hear: changes at a primary that took over and was not yet found; they are part of the gap that follows.
 */
final class RedisKeyWatch implements KeyWatch {
    static final int LOOK_MILLIS = 1_000;

    private static final Logger LOG = LoggerFactory.getLogger(RedisKeyWatch.class);

    private final String called;
    private final String name;
    private final DistributedCacheSettings settings;
    private final LogServers servers;
    private final RedisKeys keys;
    private final int connectMillis;
    private final Map<HostAndPort, WatchedServer> watched = new HashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile String trouble = "not started";
    private @Nullable Thread thread;

    RedisKeyWatch(String zone, DistributedCacheSettings settings) {
        this.called = zone.isEmpty() ? "watch" : "watch-" + zone;
        this.name = "terrace-" + called;
        this.settings = settings;
        this.servers = new LogServers(settings, 1);
        this.keys = new RedisKeys(settings.keyPrefix());
        this.connectMillis = (int) Math.max(1, settings.connectTimeout().toMillis());
    }

    @Override
    public String name() {
        return called;
    }

    @Override
    public synchronized void start(Listener listener) {
        if (thread != null) {
            throw new IllegalStateException("started already");
        }
        thread = new Thread(() -> run(listener), name);
        thread.setDaemon(true);
        thread.start();
    }

    private void run(Listener listener) {
        try {
            do {
                look(listener);
            } while (!closing.await(LOOK_MILLIS, TimeUnit.MILLISECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException("nobody interrupts this thread", e);
        }
    }

    private void look(Listener listener) {
        Set<HostAndPort> primaries = new HashSet<>();
        String why = "";
        try {
            for (HostAndPort node : servers.candidates()) {
                try {
                    primaries.addAll(primariesBy(node));
                } catch (IOException e) {
                    why = node + ": " + Failures.describe(e);
                }
            }
        } catch (IOException | RuntimeException e) {
            why = Failures.describe(e);
        }
        if (!why.isEmpty() && !why.equals(trouble)) {
            LOG.warn("not all servers can be watched name={} reason={}", name, why);
        }
        trouble = why;
        synchronized (watched) {
            if (closing.getCount() == 0) {
                return;
            }
            // A node that does not answer may have been the one to name a primary.
            if (why.isEmpty()) {
                watched.entrySet().removeIf(server -> {
                    boolean gone = !primaries.contains(server.getKey());
                    if (gone) {
                        server.getValue().close();
                    }
                    return gone;
                });
            }
            for (HostAndPort primary : primaries) {
                watched.computeIfAbsent(primary, fresh -> {
                    WatchedServer server = new WatchedServer(name, fresh, settings, servers, keys, listener);
                    server.start();
                    return server;
                });
            }
        }
    }

    /** Itself when it is a server of its own, else the primaries of its cluster. */
    private Set<HostAndPort> primariesBy(HostAndPort node) throws IOException {
        try (RespConnection connection = RespConnection.open(node, connectMillis, settings.tls())) {
            connection.keepLongLists();
            servers.greet(connection, name);
            Object slots;
            try {
                slots = connection.call(connectMillis, "CLUSTER", "SLOTS");
            } catch (RespException noCluster) {
                if (noCluster.is("NOAUTH") || noCluster.is("NOPERM")) {
                    throw noCluster;
                }
                return Set.of(node);
            }
            Set<HostAndPort> primaries = new HashSet<>();
            if (slots instanceof List<?> ranges) {
                for (Object range : ranges) {
                    if (range instanceof List<?> parts
                            && parts.size() > 2
                            && parts.get(2) instanceof List<?> primary
                            && primary.size() > 1) {
                        primaries.add(LogServers.address(
                                RespConnection.textOf(primary.get(0)), String.valueOf(primary.get(1)), node.host()));
                    }
                }
            }
            return primaries;
        }
    }

    @Override
    public String trouble() {
        String why = trouble;
        synchronized (watched) {
            for (WatchedServer server : watched.values()) {
                if (why.isEmpty()) {
                    why = server.trouble();
                }
            }
        }
        return why;
    }

    @Override
    public void close() {
        closing.countDown();
        synchronized (watched) {
            watched.values().forEach(WatchedServer::close);
            watched.clear();
        }
    }
}
