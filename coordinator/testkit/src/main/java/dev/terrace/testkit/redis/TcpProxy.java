package dev.terrace.testkit.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A proxy on loopback that does to one server's connections what networks do: passes, delays, slows down, cuts, resets, or
 * loses bytes without a word, in one direction or both. Can also answer rubbish itself. Thread-safe; at most {@link #MOST_CONNECTIONS}
 * connections, further ones are reset at once.
 *
 * <p>TCP never loses bytes from the middle of a stream. So a connection that lost some is cut when the next thing happens
 * on it in another mode.
 */
public final class TcpProxy implements AutoCloseable {
    /** How many connections it carries at once. */
    public static final int MOST_CONNECTIONS = 256;

    private static final int CONNECT_MILLIS = 2_000;
    private static final byte[] RUBBISH =
            "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".getBytes(StandardCharsets.US_ASCII);

    /** What happens to bytes. */
    public enum Mode {
        /** They arrive. */
        PASS,
        /** None arrives, and nobody is told: a half-open connection. */
        LOSE_ALL,
        /** What clients send is lost. */
        LOSE_REQUESTS,
        /** What the server sends is lost. */
        LOSE_ANSWERS,
        /** The server sees nothing; clients get an HTTP error for whatever they say. */
        ANSWER_RUBBISH
    }

    private final ServerSocket listener;
    private volatile int target;
    private final Set<Link> links = ConcurrentHashMap.newKeySet();
    private final Flow requests = new Flow();
    private final Flow answers = new Flow();
    private volatile Mode mode = Mode.PASS;
    private volatile boolean refusing;

    /** How fast one direction is. Thread-safe; changes hold from the next piece on. */
    public static final class Flow {
        private volatile long delayNanos;
        private volatile long jitterNanos;
        private volatile long bytesPerSecond = Long.MAX_VALUE;

        private Flow() {}

        /**
         * Holds every piece back for {@code delay}. A connection carries one piece at a time, so what is sent meanwhile waits
         * and then goes together.
         */
        public Flow delay(Duration delay) {
            delayNanos = delay.toNanos();
            return this;
        }

        /** Holds every piece back for up to {@code most} more, each for another time. */
        public Flow jitter(Duration most) {
            jitterNanos = most.toNanos();
            return this;
        }

        /** Lets no connection carry more than this. */
        public Flow bandwidth(long newBytesPerSecond) {
            if (newBytesPerSecond <= 0) {
                throw new IllegalArgumentException("bytes per second must be positive: " + newBytesPerSecond);
            }
            bytesPerSecond = newBytesPerSecond;
            return this;
        }

        private void unhindered() {
            delayNanos = 0;
            jitterNanos = 0;
            bytesPerSecond = Long.MAX_VALUE;
        }

        private long nanosFor(int bytes) {
            long jitter = jitterNanos;
            long random = jitter == 0 ? 0 : ThreadLocalRandom.current().nextLong(jitter + 1);
            long slow = bytesPerSecond == Long.MAX_VALUE ? 0 : bytes * TimeUnit.SECONDS.toNanos(1) / bytesPerSecond;
            return delayNanos + random + slow;
        }
    }

    private TcpProxy(int target) throws IOException {
        this.target = target;
        this.listener = new ServerSocket(0, 128, InetAddress.getLoopbackAddress());
        spawn("accept", this::accept);
    }

    /** Starts a proxy, on a free port, to {@code port} of 127.0.0.1. */
    public static TcpProxy to(int port) {
        try {
            return new TcpProxy(port);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return listener.getLocalPort();
    }

    /** Changes what happens to bytes from now on, on old connections too. */
    public void mode(Mode next) {
        mode = next;
        links.stream().filter(link -> link.lostBytes).forEach(Link::close);
    }

    /** What clients send. */
    public Flow requests() {
        return requests;
    }

    /** What the server sends. */
    public Flow answers() {
        return answers;
    }

    /** Holds every piece back for {@code delay}, in each direction. */
    public void delay(Duration delay) {
        requests.delay(delay);
        answers.delay(delay);
    }

    /** From now on, or no longer, new connections are reset, as by a host on which nobody listens. */
    public void refuse(boolean refuse) {
        refusing = refuse;
    }

    /** Passes everything at full speed again. */
    public void heal() {
        refusing = false;
        requests.unhindered();
        answers.unhindered();
        mode(Mode.PASS);
    }

    /** Leads to {@code port} of 127.0.0.1 from now on, as an address does that was given to another server; cuts what stands. */
    public void retarget(int port) {
        target = port;
        cut();
    }

    /** Closes every connection; new ones are accepted. */
    public void cut() {
        links.forEach(Link::close);
    }

    /** Resets every connection: both sides get an error instead of an end. */
    public void reset() {
        links.forEach(Link::reset);
    }

    /** How many connections stand. */
    public int connections() {
        return links.size();
    }

    private void accept() {
        while (!listener.isClosed()) {
            Socket client;
            try {
                client = listener.accept();
            } catch (IOException closed) {
                return;
            }
            Link link = new Link(client);
            if (refusing || links.size() >= MOST_CONNECTIONS) {
                link.reset();
            } else {
                links.add(link);
                spawn("requests", link::requests);
            }
            if (listener.isClosed()) {
                link.close();
            }
        }
    }

    private static void spawn(String name, Runnable task) {
        Thread thread = new Thread(task, "tcp-proxy-" + name);
        thread.setDaemon(true);
        thread.start();
    }

    @Override
    public void close() {
        try {
            listener.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            cut();
        }
    }

    /** One client's connection and its counterpart. */
    private final class Link {
        private final Socket client;
        private final Socket server = new Socket();
        private volatile boolean lostBytes;

        Link(Socket client) {
            this.client = client;
        }

        void requests() {
            try {
                server.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), target), CONNECT_MILLIS);
                server.setTcpNoDelay(true);
                client.setTcpNoDelay(true);
                spawn("answers", this::answers);
                pump(client, server, requests, Mode.LOSE_REQUESTS);
            } catch (IOException gone) {
                // The server is away, or one side closed: the other side gets to know by the close below.
            } finally {
                close();
            }
        }

        private void answers() {
            try {
                pump(server, client, answers, Mode.LOSE_ANSWERS);
            } catch (IOException gone) {
                // As above.
            } finally {
                close();
            }
        }

        private void pump(Socket from, Socket to, Flow flow, Mode losing) throws IOException {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            byte[] piece = new byte[16 * 1024];
            for (int n = in.read(piece); n >= 0; n = in.read(piece)) {
                waitFor(flow.nanosFor(n));
                Mode now = mode;
                if (now == Mode.ANSWER_RUBBISH) {
                    lostBytes = true;
                    if (from == client) {
                        client.getOutputStream().write(RUBBISH);
                    }
                } else if (now == Mode.LOSE_ALL || now == losing) {
                    lostBytes = true;
                } else if (lostBytes && now == Mode.PASS) {
                    return;
                } else {
                    out.write(piece, 0, n);
                }
            }
        }

        private void waitFor(long nanos) {
            long until = System.nanoTime() + nanos;
            for (long left = nanos; left > 0 && !client.isClosed(); left = until - System.nanoTime()) {
                LockSupport.parkNanos(Math.min(left, TimeUnit.MILLISECONDS.toNanos(50)));
            }
        }

        void reset() {
            for (Socket socket : new Socket[] {client, server}) {
                try {
                    // Closing then sends a reset and drops what is under way.
                    socket.setSoLinger(true, 0);
                } catch (IOException closed) {
                    // Then there is nothing to reset.
                }
            }
            close();
        }

        void close() {
            links.remove(this);
            for (Socket socket : new Socket[] {client, server}) {
                try {
                    socket.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }
}
