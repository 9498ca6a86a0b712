package dev.terrace.benchmarks;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Prints what was measured, and how busy the machine was. */
final class Figures {
    private Figures() {}

    /** Sorts {@code nanos} and prints percentiles of them in microseconds. */
    static void line(String what, long[] nanos) {
        Arrays.sort(nanos);
        System.out.printf(
                "%-44s p50 %,.1f  p99 %,.1f  p99.9 %,.1f  max %,.1f us%n",
                what, at(nanos, 0.5), at(nanos, 0.99), at(nanos, 0.999), nanos[nanos.length - 1] / 1e3);
    }

    /** A percentile of sorted nanoseconds, in microseconds. */
    static double at(long[] sorted, double share) {
        return sorted[(int) Math.min(sorted.length - 1, Math.round(share * sorted.length))] / 1e3;
    }

    /** The load average, this process included. */
    static String load() {
        return String.format(
                "load average %.1f on %d processors",
                ManagementFactory.getOperatingSystemMXBean().getSystemLoadAverage(),
                Runtime.getRuntime().availableProcessors());
    }

    /** What this process has used of all processors since it began; other processes do not change it much. */
    static double processorSeconds() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getProcessCpuTime() / 1e9
                : 0;
    }

    /** What the whole machine and this process have used since it began, in ticks of a hundredth of a second; Linux. */
    static Usage usage() {
        try {
            String[] all =
                    Files.readAllLines(Path.of("/proc/stat")).get(0).trim().split("\\s+");
            long busy = 0;
            for (int i = 1; i < all.length; i++) {
                // idle and iowait are the fourth and fifth; guest time is in user time already
                busy += i == 4 || i == 5 || i > 8 ? 0 : Long.parseLong(all[i]);
            }
            return new Usage(busy, System.nanoTime());
        } catch (java.io.IOException | NumberFormatException e) {
            return new Usage(0, System.nanoTime());
        }
    }

    /** How busy the machine was. */
    record Usage(long busyTicks, long nanos) {
        /** Processors busy on average since {@code before}. */
        double busySince(Usage before) {
            return (busyTicks - before.busyTicks) / 100.0 / ((nanos - before.nanos) / 1e9);
        }
    }
}
