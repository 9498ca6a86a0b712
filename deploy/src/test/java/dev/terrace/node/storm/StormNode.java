package dev.terrace.node.storm;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.WriteReceipt;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.spi.Version;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * One cache node as a process of its own, so that it can be killed and frozen like one. Opens the settings file it is given and
 * carries out what comes on standard input, a request a line, words separated by tabs: {@code id verb cache key [value
 * [expected]]}. Answers, in any order, {@code @id ok applied value version fresh stored} or {@code @id error type message}. Ends
 * when its input ends.
 */
final class StormNode {
    private static final int THREADS = 32;
    private static final String NOTHING = "-";

    private final CacheCoordinator coordinator;
    private final PrintStream out;

    private StormNode(CacheCoordinator coordinator, PrintStream out) {
        this.coordinator = coordinator;
        this.out = out;
    }

    /** Runs until standard input ends. */
    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        // Whatever libraries print must not be taken for answers.
        System.setOut(System.err);
        ExecutorService threads = Executors.newFixedThreadPool(THREADS, task -> {
            Thread thread = new Thread(task, "storm");
            thread.setDaemon(true);
            return thread;
        });
        try (CacheCoordinator coordinator = CacheCoordinator.open(Path.of(arguments[0]))) {
            StormNode node = new StormNode(coordinator, answers);
            node.say("@ready");
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String request = line;
                threads.execute(() -> node.answer(request.split("\t")));
            }
        }
        // Threads of libraries that are no daemons must not keep it alive.
        Runtime.getRuntime().halt(0);
    }

    private void say(String line) {
        synchronized (out) {
            out.println(line);
            out.flush();
        }
    }

    private void answer(String[] words) {
        try {
            say("@" + words[0] + "\tok\t" + carryOut(words));
        } catch (RuntimeException e) {
            String message = String.valueOf(e.getMessage()).replaceAll("[\t\r\n]", " ");
            say("@" + words[0] + "\terror\t" + e.getClass().getSimpleName() + "\t" + message);
        }
    }

    private String carryOut(String[] words) {
        Cache<String, String> cache = coordinator.cache(words[2], Codecs.stringKey(), Codecs.string());
        String key = words[3];
        return switch (words[1]) {
            case "get" -> found(cache.read(key));
            case "put" -> receipt(cache.put(key, words[4]));
            case "put-if-absent" -> receipt(cache.putIfAbsent(key, words[4]));
            case "replace" -> receipt(cache.replace(key, Version.parse(words[5]), words[4]));
            case "invalidate" -> receipt(cache.invalidate(key));
            case "increment" ->
                line(true, Long.toString(cache.increment(key, Long.parseLong(words[4]))), null, true, "L2");
            default -> throw new IllegalArgumentException(words[1]);
        };
    }

    private static String found(ReadResult<String> result) {
        return line(
                true,
                result.value(),
                result.version(),
                result.freshness() != Freshness.STALE,
                result.source().name());
    }

    private static String receipt(WriteReceipt receipt) {
        return line(
                receipt.applied(),
                null,
                receipt.version(),
                true,
                receipt.stored().toString());
    }

    private static String line(boolean applied, String value, Version version, boolean fresh, String where) {
        return String.join(
                "\t",
                Boolean.toString(applied),
                value == null ? NOTHING : value,
                version == null ? NOTHING : version.toString(),
                Boolean.toString(fresh),
                where);
    }
}
