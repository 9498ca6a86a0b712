package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.KeyWatch.Listener;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
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
    private static final long SHORTEST_PAUSE_MILLIS = 50;
    private static final long LONGEST_PAUSE_MILLIS = 1_000;

    private final String name;
    private final HostAndPort address;
    private final DistributedCacheSettings settings;
    private final LogServers servers;
    private final RedisKeys keys;
    private final Listener listener;
    private final int connectMillis;
    private final Thread thread;
    private final CountDownLatch closing = new CountDownLatch(1);
    private volatile @Nullable RespConnection current;
    private volatile String trouble = "connecting";

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
        this.thread = new Thread(this::run, name + "-" + address);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Why nothing is heard; empty while all is well. */
    String trouble() {
        return trouble;
    }

    private boolean isClosed() {
        return closing.getCount() == 0;
    }

    private void run() {
        long pause = SHORTEST_PAUSE_MILLIS;
        while (!isClosed()) {
            try (RespConnection connection = RespConnection.open(address, connectMillis, settings.tls())) {
                current = connection;
                if (isClosed()) {
                    return;
                }
                begin(connection);
                pause = SHORTEST_PAUSE_MILLIS;
                trouble = "";
                listen(connection);
            } catch (IOException | RuntimeException e) {
                report(e);
            }
            try {
                if (closing.await(pause, TimeUnit.MILLISECONDS)) {
                    return;
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException("nobody interrupts this thread", e);
            }
            pause = Math.min(LONGEST_PAUSE_MILLIS, pause * 2);
        }
    }

    private void report(Exception e) {
        String why = address + ": " + Failures.describe(e);
        if (!why.equals(trouble) && !isClosed()) {
            trouble = why;
            LOG.warn("changes by other programs cannot be heard name={} reason={}", name, why);
        }
    }

    private void begin(RespConnection connection) throws IOException {
        connection.keepLongLists();
        servers.greet(connection, name);
        connection.call(connectMillis, "HELLO", "3");
        connection.call(connectMillis, "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", keys.prefixOfAll());
        tellGap("listening to " + address + " begins");
    }

    private void listen(RespConnection connection) throws IOException {
        boolean asked = false;
        while (!isClosed()) {
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
        closing.countDown();
        RespConnection connection = current;
        if (connection != null) {
            connection.close();
        }
    }
}
