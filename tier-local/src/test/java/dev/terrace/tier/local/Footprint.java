package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.WriteCondition;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A process of its own that fills a local tier and says what that did to it: its heap is touched as a whole before. */
final class Footprint {
    private static final int ENTRIES = 100_000;
    private static final int MEBIBYTES = 160;

    private Footprint() {}

    /** Bytes: how much the process grew while the tier was filled, and what the tier says of itself then. */
    record Figures(long grown, long entries, long live, long resident, long tables, long allowed) {}

    public static void main(String[] args) throws IOException {
        LocalFixture local = new LocalFixture();
        // Classes are loaded and code is compiled before it counts.
        try (OffHeapTier rehearsal = local.open(10_000, 16, EvictionPolicy.ADAPTIVE)) {
            fill(rehearsal, local, 20_000);
        }
        long before = residentOfProcess();
        try (OffHeapTier tier = local.open(ENTRIES, MEBIBYTES, EvictionPolicy.ADAPTIVE)) {
            fill(tier, local, ENTRIES);
            long grown = residentOfProcess() - before;
            LocalReport.Memory memory = tier.report().memory();
            System.out.println("FIGURES " + grown + " " + tier.report().entries() + " " + memory.live() + " "
                    + memory.resident() + " " + (memory.index() + memory.heap()) + " " + memory.allowed());
        }
    }

    private static void fill(OffHeapTier tier, LocalFixture local, int entries) {
        byte[] payload = new byte[1_024];
        for (int i = 0; i < entries; i++) {
            tier.store(local.entry(CacheKey.of("c", "key-" + i), payload, LocalFixture.TTL), WriteCondition.IF_NEWER);
        }
    }

    static long residentOfProcess() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) << 10;
            }
        }
        throw new IOException("no VmRSS");
    }

    static Figures measured(Path folder) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(ProcessHandle.current().info().command().orElseThrow());
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> flag.startsWith("--add-") || flag.startsWith("--sun-misc"))
                .forEach(command::add);
        command.addAll(List.of("-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-XX:+UseSerialGC"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Footprint.class.getName()));
        File out = folder.resolve("out.txt").toFile();
        Process process = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(out)
                .start();
        try {
            if (!process.waitFor(100, TimeUnit.SECONDS)) {
                throw new AssertionError("still running\n" + Files.readString(out.toPath()));
            }
        } finally {
            process.destroyForcibly();
        }
        for (String line : Files.readAllLines(out.toPath())) {
            if (line.startsWith("FIGURES ")) {
                String[] words = line.split(" ");
                return new Figures(
                        Long.parseLong(words[1]),
                        Long.parseLong(words[2]),
                        Long.parseLong(words[3]),
                        Long.parseLong(words[4]),
                        Long.parseLong(words[5]),
                        Long.parseLong(words[6]));
            }
        }
        throw new AssertionError(Files.readString(out.toPath()));
    }
}
