package dev.terrace.node.drill;

import dev.terrace.node.Main;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A node in a process of its own, which can be killed. It runs as this process does; the system property {@value #MORE_OPTIONS} has more options for
 * its Java, with blanks between them. For one thread.
 */
final class NodeProcess implements AutoCloseable {
    private static final String MORE_OPTIONS = "terrace.drill.node-options";
    private static final Logger LOG = LoggerFactory.getLogger(NodeProcess.class);
    private static final Pattern LISTENS = Pattern.compile("listens on (http://\\S+)");
    private static final long START_SECONDS = 90;
    private static final long STOP_SECONDS = 40;
    private static final long POLL_MILLIS = 10;

    private final Process process;
    private final Path log;

    private NodeProcess(Process process, Path log) {
        this.process = process;
        this.log = log;
    }

    /** Starts one with these settings; {@link #awaitUrl} says when it listens. */
    static NodeProcess start(Path config, Path log) throws IOException {
        List<String> command = new ArrayList<>(java());
        command.addAll(List.of("run", "--config", config.toString()));
        return new NodeProcess(
                new ProcessBuilder(command)
                        .redirectErrorStream(true)
                        .redirectOutput(log.toFile())
                        .start(),
                log);
    }

    /** The Java that runs this, with what it needs to run the same again, without what watches it. */
    private static List<String> java() {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElse("java"));
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-")
                        || flag.startsWith("--enable-native")
                        || flag.startsWith("--sun-misc")
                        || flag.startsWith("-X") && !flag.startsWith("-Xrunjdwp") && !flag.startsWith("-Xdebug"))
                .forEach(command::add);
        String more = System.getProperty(MORE_OPTIONS, "").strip();
        if (!more.isEmpty()) {
            command.addAll(List.of(more.split("\\s+")));
        }
        String classPath = System.getProperty("java.class.path", "");
        if (classPath.endsWith(".jar") && !classPath.contains(System.getProperty("path.separator", ":"))) {
            command.addAll(List.of("-jar", classPath)); // Its manifest opens what must be open.
        } else {
            command.addAll(List.of("-cp", classPath, Main.class.getName()));
        }
        return command;
    }

    long pid() {
        return process.pid();
    }

    /** Where it listens, once it does. */
    String awaitUrl() throws IOException, InterruptedException, DrillFailure {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
        while (true) {
            String said = Files.readString(log);
            Matcher listens = LISTENS.matcher(said);
            if (listens.find()) {
                return listens.group(1);
            }
            // A process tells nobody that it listens; its output is looked at until it ends or is too late.
            if (process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS)) {
                throw new DrillFailure("the node ended at once with exit code " + process.exitValue() + ": "
                        + Files.readString(log).strip());
            }
            if (System.nanoTime() - end > 0) {
                throw new DrillFailure("the node does not listen within " + START_SECONDS + " s: " + said.strip());
            }
        }
    }

    /** As a power cut: SIGKILL, by its own process. Returns when it is gone. */
    void kill() throws InterruptedException, DrillFailure {
        process.destroyForcibly();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            throw new DrillFailure("the node, process " + pid() + ", does not end");
        }
    }

    /** As an operator: SIGTERM. */
    void stop() throws InterruptedException, DrillFailure {
        process.destroy();
        if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
            kill();
        }
    }

    /** Ends it by force, and waits until it is gone, a bounded time. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("a node of a drill does not end pid={}", pid());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
