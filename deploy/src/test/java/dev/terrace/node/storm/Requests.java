package dev.terrace.node.storm;

import dev.terrace.api.TerraceException;
import dev.terrace.spi.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;

/**
 * What a child process is asked on standard input, a request a line, words separated by tabs: {@code id verb cache key [value
 * [expected]]}. Answers, in any order, {@code @id ok applied value version fresh stored} or {@code @id error type message}, whose
 * type is {@link #BUG} for what no caller should ever see. Ends when the input ends.
 */
final class Requests {
    /** An answer that nothing excuses: neither refused nor unknown, but thrown by mistake. */
    static final String BUG = "bug";

    private static final int THREADS = 32;
    private static final String NOTHING = "-";

    private final Store store;
    private final PrintStream out;

    /** An answer that callers expect in trouble. */
    abstract static class Excused extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Excused(String detail) {
            super(detail);
        }
    }

    /** A write that was proven not to have happened. */
    static final class NotExecuted extends Excused {
        private static final long serialVersionUID = 1L;

        NotExecuted(String detail) {
            super(detail);
        }
    }

    /** What carries requests out, and what has to be closed in the end. */
    record Store(Function<String[], String> carryOut, AutoCloseable closing) {}

    private Requests(Store store, PrintStream out) {
        this.store = store;
        this.out = out;
    }

    /** Opens a store and serves it until standard input ends; then ends the process. */
    static void serve(Callable<Store> opening) throws Exception {
        PrintStream answers = System.out;
        // Whatever libraries print must not be taken for answers.
        System.setOut(System.err);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "storm");
            thread.setDaemon(true);
            return thread;
        });
        Store store = opening.call();
        try (AutoCloseable closing = store.closing()) {
            Requests requests = new Requests(store, answers);
            requests.say("@ready");
            requests.read(threads);
        }
        // Threads of libraries that are no daemons must not keep it alive.
        Runtime.getRuntime().halt(0);
    }

    private void read(ExecutorService threads) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String request = line;
            threads.execute(() -> answer(request.split("\t")));
        }
    }

    private void say(String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }

    private void answer(String[] words) {
        try {
            say("@" + words[0] + "\tok\t" + store.carryOut().apply(words));
        } catch (TerraceException | Excused e) {
            error(words[0], e.getClass().getSimpleName(), String.valueOf(e.getMessage()));
        } catch (Throwable e) {
            e.printStackTrace();
            error(words[0], BUG, String.join(" ", words) + ": " + e);
        }
    }

    private void error(String id, String type, String message) {
        say("@" + id + "\terror\t" + type + "\t" + message.replaceAll("[\t\r\n]", " "));
    }

    /** The words of an answer. */
    static String line(boolean applied, String value, Version version, boolean fresh, String where) {
        return String.join(
                "\t",
                Boolean.toString(applied),
                value == null ? NOTHING : value,
                version == null ? NOTHING : version.toString(),
                Boolean.toString(fresh),
                where);
    }
}
