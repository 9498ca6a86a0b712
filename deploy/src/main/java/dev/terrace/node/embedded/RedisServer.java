package dev.terrace.node.embedded;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * The server's process.
 *
 * @param process the process
 * @param port where it listens
 */
record RedisServer(Process process, int port) {
    /** Longest time to end politely. */
    static final long STOP_SECONDS = 5;

    /** Longest time to read its data back from disk. */
    private static final long START_SECONDS = 60;

    private static final int ANSWER_MILLIS = 500;
    private static final long POLL_MILLIS = 10;
    private static final Path SETSID = Path.of("/usr/bin/setsid");

    /** Starts it and waits until it answers. */
    static RedisServer launch(RedisFolder folder, Path binary, int port, Secret password, int memoryMib) {
        RedisServer server;
        try {
            Path config = folder.writeConfig(port, password, memoryMib);
            List<String> command = new ArrayList<>();
            if (Files.isExecutable(SETSID)) {
                // In a session of its own: Ctrl-C reaches the node alone, which then ends the server last.
                command.add(SETSID.toString());
            }
            command.add(binary.toString());
            command.add(
                    config.getFileName() == null
                            ? config.toString()
                            : config.getFileName().toString());
            Process process = new ProcessBuilder(command)
                    .directory(folder.home().toFile())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.appendTo(
                            folder.home().resolve("redis.log").toFile()))
                    .start();
            server = new RedisServer(process, port);
        } catch (IOException e) {
            throw new SetupException(
                    "the embedded Redis in '" + folder.home() + "' cannot be started (" + e.getMessage() + ")",
                    "put the data folder on a file system that may run programs, or give a Redis of your own by"
                            + " --config",
                    e);
        }
        try {
            server.awaitReady(folder, password);
            return server;
        } catch (RuntimeException e) {
            server.process.destroyForcibly();
            throw e;
        }
    }

    private void awaitReady(RedisFolder folder, Secret password) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (System.nanoTime() - deadline < 0) {
            try {
                if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                    throw new SetupException(
                            "the embedded Redis in '" + folder.home() + "' ended at once: " + folder.logTail(),
                            "see redis.log there, or give a Redis of your own by --config");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new SetupException("interrupted while the embedded Redis was starting", "", e);
            }
            if (answers(password)) {
                return;
            }
        }
        throw new SetupException(
                "the embedded Redis in '" + folder.home() + "' did not get ready within " + START_SECONDS + " s: "
                        + folder.logTail(),
                "see redis.log there, or give a Redis of your own by --config");
    }

    /** True when it is up, takes the password and has loaded its data. */
    private boolean answers(Secret password) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), ANSWER_MILLIS);
            socket.setSoTimeout(ANSWER_MILLIS);
            OutputStream out = socket.getOutputStream();
            out.write(("AUTH " + password.reveal() + "\r\nPING\r\n").getBytes(StandardCharsets.US_ASCII));
            out.flush();
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.US_ASCII));
            return "+OK".equals(in.readLine()) && "+PONG".equals(in.readLine());
        } catch (IOException notYet) {
            return false;
        }
    }

    /** Ends it by force, and waits until it is gone. */
    void kill() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                throw new SetupException("the embedded Redis, process " + process.pid() + ", does not end", "");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Sends a signal to the process, which is this program's own child, if it is still there. */
    void signal(String name) {
        if (!process.isAlive()) {
            return;
        }
        try {
            // The shell's own kill, which is there wherever there is a shell.
            Process kill = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid())
                    .redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!kill.waitFor(STOP_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0 && process.isAlive()) {
                throw new SetupException("the embedded Redis, process " + process.pid() + ", takes no signal", "");
            }
        } catch (IOException e) {
            throw new SetupException("no signal can be sent to the embedded Redis: " + e.getMessage(), "", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends it; false when that took force. */
    boolean stop() {
        process.destroy(); // SIGTERM: it syncs its log to disk.
        try {
            if (process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                return true;
            }
            process.destroyForcibly();
            process.waitFor(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        return false;
    }
}
