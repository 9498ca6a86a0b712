package dev.terrace.node.embedded;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One redis-server that this process owns: on 127.0.0.1, on a free port, behind a password that is new at every start and
 * readable by this user only. Its log of writes is synced to disk once a second, so the next start on the same folder has
 * the same data. Memory is bounded; when it is full, the least recently used keys go, which costs a read from L3 or the
 * origin and nothing else.
 *
 * <p>A server that a killed process left behind in the same folder is ended before the new one starts. It is known by its
 * executable, which lies in this folder, so no other process is ever touched. Thread-safe.
 */
public final class EmbeddedRedis implements AutoCloseable {
    /** Memory for data unless told otherwise. */
    public static final int DEFAULT_MEMORY_MIB = 256;

    private static final Logger LOG = LoggerFactory.getLogger(EmbeddedRedis.class);
    private static final int TRIES = 3;
    private static final int PASSWORD_BYTES = 24;

    private final FolderLock lock;
    private final Launch launch;
    private volatile RedisServer server;
    private boolean closed;

    /** How the server is started, and started again. */
    private record Launch(RedisFolder folder, Path binary, Secret password, int memoryMib) {
        RedisServer on(int port) {
            return RedisServer.launch(folder, binary, port, password, memoryMib);
        }
    }

    private EmbeddedRedis(FolderLock lock, Launch launch, RedisServer server) {
        this.lock = lock;
        this.launch = launch;
        this.server = server;
    }

    /**
     * Starts a server over {@code folder}, which is created when missing, with {@link #DEFAULT_MEMORY_MIB} of memory.
     *
     * @throws SetupException when the folder cannot be written or is in use, or there is no server for this platform
     */
    public static EmbeddedRedis start(Path folder) {
        return start(folder, DEFAULT_MEMORY_MIB);
    }

    /**
     * As {@link #start(Path)}.
     *
     * @param memoryMib most mebibytes of data, at least 1
     */
    public static EmbeddedRedis start(Path folder, int memoryMib) {
        if (memoryMib < 1) {
            throw new IllegalArgumentException("memoryMib must be at least 1: " + memoryMib);
        }
        Path home = prepare(folder);
        FolderLock lock = FolderLock.take(home);
        try {
            Path binary = home.resolve(RedisBinary.FILE_NAME);
            Leftovers.end(binary);
            RedisBinary.unpack(binary);
            Launch launch = new Launch(new RedisFolder(home), binary, new Secret(randomPassword()), memoryMib);
            return new EmbeddedRedis(lock, launch, onFreePort(launch));
        } catch (RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static Path prepare(Path folder) {
        try {
            Files.createDirectories(folder);
            Path home = folder.toRealPath();
            OwnerOnly.folder(home);
            if (!Files.isWritable(home) || !Files.isDirectory(home, LinkOption.NOFOLLOW_LINKS)) {
                throw cannotWrite(folder, null);
            }
            return home;
        } catch (IOException e) {
            throw cannotWrite(folder, e);
        }
    }

    static SetupException cannotWrite(Path folder, @Nullable IOException cause) {
        return new SetupException(
                "the folder '" + folder + "' of the embedded Redis cannot be created or written"
                        + (cause == null ? "" : " (" + cause.getMessage() + ")"),
                "make it writable for this user, choose another data folder, or use a Redis of your own by --config",
                cause);
    }

    private static String randomPassword() {
        byte[] random = new byte[PASSWORD_BYTES];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    /** Tries again when somebody else took the port between the look and the start. */
    private static RedisServer onFreePort(Launch launch) {
        SetupException last = null;
        for (int i = 0; i < TRIES; i++) {
            int port = freePort();
            try {
                return launch.on(port);
            } catch (SetupException e) {
                last = e;
                if (!launch.folder().logTail().contains("Address already in use")) {
                    break;
                }
            }
        }
        if (last == null) {
            throw new IllegalStateException("no try was made");
        }
        throw last;
    }

    private static int freePort() {
        try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return probe.getLocalPort();
        } catch (IOException e) {
            throw new SetupException("no free port on 127.0.0.1 for the embedded Redis", "free some", e);
        }
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return server.port();
    }

    /** What it asks for. */
    public Secret password() {
        return launch.password();
    }

    /** Its process id. */
    public long pid() {
        return server.process().pid();
    }

    /** Kills the server's process, as a crash would, for drills: {@link #restart} starts it again. Nothing when it does not run. */
    public synchronized void kill() {
        server.kill();
    }

    /**
     * Starts the server again after it has ended: same port, same password, with what it had on disk. Nothing when it runs, or after {@link
     * #close}.
     *
     * @throws SetupException when it does not start, for instance because something else listens there by now
     */
    public synchronized void restart() {
        if (!closed && !isAlive()) {
            server = launch.on(port());
        }
    }

    /**
     * Stops the server's process (SIGSTOP), for drills: it keeps its connections and answers nothing. Nothing when it does not run.
     *
     * @throws SetupException when the signal cannot be sent
     */
    public synchronized void freeze() {
        server.signal("STOP");
    }

    /** Ends {@link #freeze}. */
    public synchronized void thaw() {
        server.signal("CONT");
    }

    /** False once the server has ended, for whatever reason. */
    public boolean isAlive() {
        return server.process().isAlive();
    }

    /**
     * Ends the server, within {@link RedisServer#STOP_SECONDS}: politely, so that it syncs what it has to disk, else by
     * force. Idempotent.
     */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (!server.stop()) {
                LOG.warn("embedded Redis did not end in time and was killed pid={}", pid());
            }
        } finally {
            lock.close();
        }
    }

    /** Waits at most this long for the server to end; for tests of what happens then. */
    boolean awaitEnd(long seconds) throws InterruptedException {
        return server.process().waitFor(seconds, TimeUnit.SECONDS);
    }
}
