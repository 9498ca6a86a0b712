package dev.terrace.node.storm;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.Writer;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;

/** A program that understands {@link Requests} in a child process: started, killed, frozen, asked. Thread-safe. */
final class NodeProcess implements AutoCloseable {
    private static final long START_SECONDS = 60;

    private final String name;
    private final Class<?> main;
    private final Path settings;
    private final Path folder;
    private final AtomicLong ids = new AtomicLong();
    private final List<String> bugs = new CopyOnWriteArrayList<>();
    private volatile Life life;
    private int lives;

    /** One life of the process, from start to kill. */
    private final class Life {
        private final int number;
        private final Process process;
        private final Writer requests;
        private final Map<Long, CompletableFuture<String[]>> waiting = new ConcurrentHashMap<>();
        private final CompletableFuture<Void> ready = new CompletableFuture<>();

        Life(int number, Process process) {
            this.number = number;
            this.process = process;
            this.requests = process.outputWriter(StandardCharsets.UTF_8);
            Thread reader = new Thread(this::readAnswers, "storm-answers-" + process.pid());
            reader.setDaemon(true);
            reader.start();
        }

        private void readAnswers() {
            try (BufferedReader in =
                    new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                for (String line = in.readLine(); line != null; line = in.readLine()) {
                    take(line);
                }
            } catch (IOException gone) {
                // Killed: as at the end.
            }
            IOException gone = new IOException("the node is gone");
            ready.completeExceptionally(gone);
            waiting.values().forEach(answer -> answer.completeExceptionally(gone));
        }

        private void take(String line) {
            if (line.equals("@ready")) {
                ready.complete(null);
            } else if (line.startsWith("@")) {
                String[] words = line.substring(1).split("\t", -1);
                if (words[1].equals("error") && words[2].equals(Requests.BUG)) {
                    bugs.add(name + ": " + words[3]);
                }
                CompletableFuture<String[]> answer = waiting.remove(Long.parseLong(words[0]));
                if (answer != null) {
                    answer.complete(words);
                }
            }
        }

        synchronized void send(String line) throws IOException {
            requests.write(line);
            requests.flush();
        }
    }

    /** {@code main} is a program that understands {@link Requests}. */
    NodeProcess(String name, Class<?> main, Path settings, Path folder) {
        this.name = name;
        this.main = main;
        this.settings = settings;
        this.folder = folder;
    }

    /** What it threw by mistake, whether or not anybody still waited for the answer. */
    List<String> bugs() {
        return List.copyOf(bugs);
    }

    String name() {
        return name;
    }

    /** The name with the number of its life: a node that restarted knows nothing of what it had answered. */
    String lifeName() {
        return name + "." + life.number;
    }

    /** Starts it; {@link #awaitReady} waits. */
    synchronized void start() throws IOException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-")
                        || flag.startsWith("--enable-native")
                        || flag.startsWith("--sun-misc"))
                .forEach(command::add);
        command.addAll(List.of(
                "-Xmx160m",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName(),
                settings.toString()));
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(
                        folder.resolve(name + ".log").toFile()))
                .start();
        life = new Life(++lives, process);
    }

    void awaitReady() throws Exception {
        try {
            life.ready.get(START_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IllegalStateException(name + " did not start:\n" + log(), e);
        }
    }

    boolean isReady() {
        return life.ready.isDone() && !life.ready.isCompletedExceptionally() && life.process.isAlive();
    }

    /** SIGKILL. */
    void kill() throws InterruptedException {
        Process process = life.process;
        process.destroyForcibly();
        process.waitFor(20, TimeUnit.SECONDS);
    }

    /** SIGSTOP. */
    void freeze() throws Exception {
        signal("-STOP");
    }

    /** SIGCONT. */
    void thaw() throws Exception {
        signal("-CONT");
    }

    private void signal(String signal) throws Exception {
        Process kill = new ProcessBuilder("kill", signal, Long.toString(life.process.pid())).start();
        if (!kill.waitFor(20, TimeUnit.SECONDS) || kill.exitValue() != 0) {
            throw new IllegalStateException("kill " + signal + " " + name + " failed");
        }
    }

    /**
     * Asks and waits for the answer's words.
     *
     * @throws IOException when the node is gone, or there was no answer in time: what was asked may have been done
     */
    String[] ask(long timeoutMillis, String... words) throws IOException, InterruptedException {
        Life now = life;
        long id = ids.incrementAndGet();
        CompletableFuture<String[]> answer = new CompletableFuture<>();
        now.waiting.put(id, answer);
        try {
            now.send(id + "\t" + String.join("\t", words) + "\n");
            if (!now.process.isAlive()) {
                throw new IOException("the node is gone");
            }
            return answer.get(timeoutMillis, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            throw new IOException("no answer of " + name + ": " + e, e);
        } finally {
            now.waiting.remove(id);
        }
    }

    /** Moves the clock of a {@link StormNode}: {@code offset} is added to the machine's. */
    void setClock(Duration offset) throws Exception {
        String[] answer = ask(TimeUnit.SECONDS.toMillis(20), "clock", Long.toString(offset.toMillis()));
        if (!answer[1].equals("ok")) {
            throw new IOException(String.join(" ", answer));
        }
    }

    String log() {
        try {
            return Files.readString(folder.resolve(name + ".log"));
        } catch (IOException e) {
            return "no log: " + e;
        }
    }

    @Override
    public void close() {
        if (life != null) {
            life.process.destroyForcibly();
        }
    }
}
