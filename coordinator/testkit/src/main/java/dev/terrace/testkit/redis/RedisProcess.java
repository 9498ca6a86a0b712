package dev.terrace.testkit.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.embedded.core.ExecutableProvider;

/**
 * One real redis-server, a child process on 127.0.0.1 with a folder of its own. Kills, freezes and restarts on command;
 * every wait is bounded. Close it, and it is gone with its folder. Not thread-safe.
 */
public final class RedisProcess implements AutoCloseable {
    private static final long PATIENCE_SECONDS = 20;
    private static final String BINARY_PROPERTY = "terrace.redis.server";
    /** What a server of ours has in its folder besides its data. */
    private static final Set<String> NOT_DATA = Set.of("log.txt", "nodes.conf", "sentinel.conf");
    /** What every line that a server prints begins with, as "2274:S 22 Nov 2026 12:53:14.339 * ". */
    private static final Pattern TIME = Pattern.compile("^\\d+:\\w [^:]*[\\d:.]+ ");

    private static @Nullable Path bundled;

    private final int port;
    private final Path folder;
    private final List<String> commandLine;
    private Process process;

    private RedisProcess(int port, Path folder, List<String> commandLine) throws IOException {
        this.port = port;
        this.folder = folder;
        this.commandLine = List.copyOf(commandLine);
        this.process = launch();
    }

    /** Starts the server that comes with the embedded-redis library (6.2), without persistence. */
    public static RedisProcess start(String... arguments) {
        return start(bundledBinary(), freePort(), arguments);
    }

    /** As {@link #start}, on a port that the caller has chosen. */
    public static RedisProcess startOn(int port, String... arguments) {
        return start(bundledBinary(), port, arguments);
    }

    /** As {@link #start}, with the server at {@code binary}. */
    public static RedisProcess start(Path binary, int port, String... arguments) {
        try {
            Path folder = Files.createTempDirectory("terrace-redis-");
            RedisProcess redis = new RedisProcess(port, folder, commandLine(binary, port, folder, arguments));
            redis.awaitAnswer(true);
            return redis;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts a sentinel that alone decides about the primary on {@code primaryPort}, one second after it fell silent.
     *
     * @param name what clients call that primary
     */
    public static RedisProcess startSentinel(String name, int primaryPort) {
        int port = freePort();
        try {
            Path folder = Files.createTempDirectory("terrace-sentinel-");
            Path file = folder.resolve("sentinel.conf");
            Files.write(
                    file,
                    List.of(
                            "port " + port,
                            "bind 127.0.0.1",
                            "dir " + folder,
                            "sentinel monitor " + name + " 127.0.0.1 " + primaryPort + " 1",
                            "sentinel down-after-milliseconds " + name + " 1000",
                            "sentinel failover-timeout " + name + " 4000"));
            Path installed = installedBinary();
            Path binary = installed != null ? installed : bundledBinary();
            RedisProcess sentinel =
                    new RedisProcess(port, folder, List.of(binary.toString(), file.toString(), "--sentinel"));
            sentinel.awaitAnswer(true);
            // From 7.0 on it can be made to look more often than every ten seconds; older ones refuse.
            sentinel.command("SENTINEL", "DEBUG", "INFO-PERIOD", "500");
            sentinel.command("SENTINEL", "DEBUG", "PING-PERIOD", "200");
            sentinel.command("SENTINEL", "DEBUG", "PUBLISH-PERIOD", "500");
            return sentinel;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The redis-server that the system property {@code terrace.redis.server} names, else the one on the PATH, or null. */
    public static @Nullable Path installedBinary() {
        String named = System.getProperty(BINARY_PROPERTY);
        if (named != null && !named.isBlank()) {
            return Path.of(named);
        }
        for (String folder : System.getenv().getOrDefault("PATH", "").split(":")) {
            Path candidate = Path.of(folder, "redis-server");
            if (Files.isExecutable(candidate)) {
                return candidate;
            }
        }
        return null;
    }

    /**
     * The redis-server to prefer: the installed one, else the bundled 6.2. Says which, and for whom, on standard output, so
     * that a report shows what was tested.
     */
    public static Path preferredBinary(String forWhom) {
        Path installed = installedBinary();
        System.out.println(forWhom + ": "
                + (installed == null
                        ? "no redis-server on the PATH nor by -D" + BINARY_PROPERTY + ", the bundled 6.2 is used"
                        : "redis-server " + installed));
        return installed != null ? installed : bundledBinary();
    }

    private static synchronized Path bundledBinary() {
        if (bundled != null) {
            return bundled;
        }
        try {
            Path folder = Files.createTempDirectory("terrace-redis-binary-");
            Path binary = ExecutableProvider.newJarResourceProvider(folder.toFile())
                    .get()
                    .toPath();
            // In reverse at exit: the file first.
            folder.toFile().deleteOnExit();
            binary.toFile().deleteOnExit();
            bundled = binary;
            return binary;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A port that was free a moment ago, and that this process was not given before. */
    public static int freePort() {
        return Ports.next();
    }

    private static List<String> commandLine(Path binary, int port, Path folder, String... arguments) {
        List<String> words = new ArrayList<>(List.of(
                binary.toString(),
                "--port",
                Integer.toString(port),
                "--bind",
                "127.0.0.1",
                "--dir",
                folder.toString(),
                "--save",
                "",
                // A replica is served at once, not after five seconds in which others might come.
                "--repl-diskless-sync-delay",
                "0",
                "--daemonize",
                "no"));
        words.addAll(List.of(arguments));
        return words;
    }

    private Process launch() throws IOException {
        return new ProcessBuilder(commandLine)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        folder.resolve("log.txt").toFile()))
                .start();
    }

    private void awaitAnswer(boolean loaded) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (System.nanoTime() - deadline < 0) {
            if (!process.isAlive()) {
                throw new IOException("redis-server ended at once: " + log());
            }
            try (Socket socket = new Socket()) {
                socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
                socket.setSoTimeout(1_000);
                OutputStream out = socket.getOutputStream();
                out.write("PING\r\n".getBytes(StandardCharsets.US_ASCII));
                out.flush();
                InputStream in = socket.getInputStream();
                byte[] answer = new byte[64];
                int length = in.read(answer);
                String text = new String(answer, 0, Math.max(0, length), StandardCharsets.US_ASCII);
                // "-NOAUTH" is an answer too; a server that still reads its file has no answers yet.
                if (text.startsWith("+") || text.startsWith("-") && !(loaded && text.startsWith("-LOADING"))) {
                    return;
                }
            } catch (IOException notYet) {
                // It has not begun to listen.
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(1)); // before the server is tried once more
        }
        process.destroyForcibly();
        throw new IOException("redis-server did not answer within " + PATIENCE_SECONDS + " s: " + log());
    }

    /** What it printed. */
    public String log() {
        try {
            return Files.readString(folder.resolve("log.txt"));
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    /** What it says of itself and of its cluster, and what it printed, repetitions left out: for the message of a failure. */
    public String describe() {
        String says;
        try {
            says = isAlive()
                    ? commands(List.of(
                            List.of("INFO", "replication"), List.of("CLUSTER", "INFO"), List.of("CLUSTER", "NODES")))
                    : "has ended\n";
        } catch (UncheckedIOException e) {
            says = "does not answer: " + e.getMessage() + "\n";
        }
        Set<String> printed = new HashSet<>();
        return "redis-server on port " + port + "\n" + says
                + log().lines()
                        .filter(line -> printed.add(TIME.matcher(line).replaceFirst("")))
                        .collect(Collectors.joining("\n", "", "\n"));
    }

    /** Where it listens, on 127.0.0.1. */
    public int port() {
        return port;
    }

    /** Its process id. */
    public long pid() {
        return process.pid();
    }

    /** Its working folder. */
    public Path folder() {
        return folder;
    }

    /** SIGKILL, and waits until it is gone. */
    public void kill() {
        process.destroyForcibly();
        await();
    }

    /** SIGTERM, and waits until it is gone. */
    public void stop() {
        process.destroy();
        await();
    }

    private void await() {
        try {
            if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new IllegalStateException("redis-server " + pid() + " did not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Starts it again after {@link #kill} or {@link #stop}: same port, same folder; returns when it has read its data. */
    public void restart() {
        restart(true);
    }

    /** As {@link #restart}, but does not wait until it has read its data: it answers LOADING until then. */
    public void restartLoading() {
        restart(false);
    }

    private void restart(boolean loaded) {
        try {
            process = launch();
            awaitAnswer(loaded);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** True while the process lives, frozen or not. */
    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL, and starts it again without what it had stored. */
    public void restartEmpty() {
        kill();
        forget();
        restart();
    }

    /**
     * SIGKILL, cuts so many bytes off the end of its append-only file, and starts it again: a power loss, seen from the
     * disk. The server must run with {@code --appendonly yes}.
     *
     * @return how many bytes were cut; fewer when there were no more
     */
    public long restartRolledBack(long bytes) {
        kill();
        long cut = 0;
        List<Path> logs = data().stream()
                .filter(file -> file.getFileName().toString().endsWith(".aof"))
                .sorted(Comparator.comparing(
                                (Path file) -> file.getFileName().toString().contains(".incr."))
                        .thenComparing(Path::getFileName))
                .toList();
        if (logs.isEmpty()) {
            throw new IllegalStateException("no append-only file in " + folder);
        }
        try (FileChannel log = FileChannel.open(logs.get(logs.size() - 1), StandardOpenOption.WRITE)) {
            cut = Math.min(bytes, log.size());
            log.truncate(log.size() - cut);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        restart();
        return cut;
    }

    /** Puts a copy of everything it has stored by now aside, for {@link #restartFrom}. */
    public Path keepData() {
        if (!command("CONFIG", "GET", "appendonly").contains("yes")) {
            command("SAVE");
        }
        try {
            Path copy = Files.createTempDirectory("terrace-redis-kept-");
            copy(folder, data(), copy);
            return copy;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** SIGKILL, and starts it again with what {@link #keepData} put aside, and nothing else: yesterday's backup. */
    public void restartFrom(Path kept) {
        kill();
        forget();
        copy(kept, files(kept), folder);
        restart();
    }

    private List<Path> data() {
        return files(folder).stream()
                .filter(file -> !NOT_DATA.contains(file.getFileName().toString()))
                .toList();
    }

    private static List<Path> files(Path under) {
        try (Stream<Path> files = Files.walk(under)) {
            return files.filter(Files::isRegularFile).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void copy(Path from, List<Path> files, Path to) {
        try {
            for (Path file : files) {
                Path target = to.resolve(from.relativize(file));
                Files.createDirectories(target.getParent());
                Files.copy(file, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void forget() {
        try {
            for (Path file : data()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Leaves every command of clients unanswered for so long, without stopping (CLIENT PAUSE). */
    public void pauseClients(Duration howLong) {
        command("CLIENT", "PAUSE", Long.toString(howLong.toMillis()), "ALL");
    }

    /** The server's version, as it says itself, for example {@code 7.0.15}. */
    public String version() {
        return field(command("INFO", "server"), "redis_version");
    }

    /** One field of an INFO answer, or empty. */
    static String field(String info, String name) {
        return info.lines()
                .filter(line -> line.startsWith(name + ":"))
                .map(line -> line.substring(name.length() + 1).strip())
                .findFirst()
                .orElse("");
    }

    /** SIGSTOP: it keeps its connections and answers nothing. */
    public void freeze() {
        signal("-STOP");
    }

    /** SIGCONT. */
    public void thaw() {
        signal("-CONT");
    }

    private void signal(String signal) {
        try {
            Process kill = new ProcessBuilder("kill", signal, Long.toString(pid())).start();
            if (!kill.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS) || kill.exitValue() != 0) {
                throw new IllegalStateException("kill " + signal + " " + pid() + " failed");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    /** Sends one command without arguments that need quoting, and returns the raw answer's first bytes. */
    public String command(String... words) {
        return exchange(request(words));
    }

    /** As {@link #command}, several on one connection, of which some may block, as WAIT does; returns all answers in one. */
    public String commands(List<List<String>> lines) {
        StringBuilder request = new StringBuilder();
        lines.forEach(words -> request.append(request(words.toArray(String[]::new))));
        // A server drops a blocked client that closes its side, so the end is asked for by QUIT.
        request.append(request("QUIT"));
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.toString().getBytes(StandardCharsets.ISO_8859_1));
            String answers = new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
            return answers.endsWith("+OK\r\n") ? answers.substring(0, answers.length() - 5) : answers;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** As {@link #command}, after giving the default user's password; the answer to that is left out. */
    public String commandWithPassword(String password, String... words) {
        String answer = exchange(request("AUTH", password) + request(words));
        return answer.substring(answer.indexOf('\n') + 1);
    }

    private static String request(String... words) {
        StringBuilder request = new StringBuilder("*").append(words.length).append("\r\n");
        for (String word : words) {
            request.append('$')
                    .append(word.getBytes(StandardCharsets.ISO_8859_1).length)
                    .append("\r\n")
                    .append(word)
                    .append("\r\n");
        }
        return request.toString();
    }

    private String exchange(String request) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.setSoTimeout(10_000);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.ISO_8859_1));
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Ends the process and removes its folder. */
    @Override
    public void close() {
        kill();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
