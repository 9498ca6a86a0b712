package dev.terrace.tier.backup;

import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process of its own that writes k0, k1, ... to a folder and prints each number once its write was acknowledged. */
final class ChildWriter {
    private final Process process;
    private final BufferedReader lines;

    private ChildWriter(Process process) {
        this.process = process;
        this.lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
    }

    static ChildWriter start(Path folder) throws IOException {
        return start(ChildWriter.class, folder.toString());
    }

    /** Another program than this one's. */
    static ChildWriter start(Class<?> program, String... arguments) throws IOException {
        return start(256, program, arguments);
    }

    /** With so much heap. */
    static ChildWriter start(int heapMib, Class<?> program, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + heapMib + "m",
                "-cp",
                System.getProperty("java.class.path"),
                program.getName()));
        command.addAll(List.of(arguments));
        return new ChildWriter(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start());
    }

    /** Its next line, or null at the end. */
    String line() throws IOException {
        return lines.readLine();
    }

    /** All it prints until it ends. */
    String output() throws IOException {
        StringBuilder all = new StringBuilder();
        for (String line = line(); line != null; line = line()) {
            all.append(line).append('\n');
        }
        return all.toString();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly();
        process.waitFor(20, TimeUnit.SECONDS);
    }

    public static void main(String[] args) {
        InstantSource clock = InstantSource.system();
        try {
            RocksTier tier = Backups.open(new TestContext(clock, Backups.plain(Path.of(args[0]))));
            for (int i = 0; true; i++) {
                int mine = i;
                tier.put(Backups.entry("k" + mine, clock.millis(), 0, "value " + mine), WriteCondition.IF_NEWER)
                        .thenAccept(outcome -> {
                            if (outcome instanceof StoreOutcome.Applied) {
                                System.out.println(mine);
                            }
                        })
                        .toCompletableFuture()
                        .orTimeout(10, TimeUnit.SECONDS)
                        .join();
            }
        } catch (RuntimeException e) {
            System.out.println(e.getMessage());
        }
    }
}
