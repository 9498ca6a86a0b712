package dev.terrace.node.replay;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.api.SetupException;
import dev.terrace.config.DurationText;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.config.SizeText;
import dev.terrace.node.StopSignal;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Replays an access trace through all tiers. */
@Command(
        name = "replay",
        description = {
            "Replay an access trace through all three tiers and report who answered, how fast, and what the origin was"
                    + " spared.",
            "Runs on tiers of its own in a temporary folder, unless --config names others. Ends with 1 when the numbers"
                    + " do not add up."
        },
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class ReplayCommand implements Callable<Integer> {
    private static final int MOST_THREADS = 1024;

    @Parameters(
            arity = "0..1",
            paramLabel = "FILE",
            description = "One key per line; plain, gzip or zstd. Default: an excerpt of a real trace that is bundled.")
    private @Nullable Path file;

    @Option(names = "--origin-latency", paramLabel = "TIME", description = "How long the origin takes (default: 1ms).")
    private String originLatency = "1ms";

    @Option(names = "--value-size", paramLabel = "SIZE", description = "Bytes per value (default: 1KiB).")
    private String valueSize = "1KiB";

    @Option(names = "--threads", paramLabel = "N", description = "Readers at once (default: 8).")
    private int threads = 8;

    @Option(names = "--limit", paramLabel = "N", description = "Stop after so many requests.")
    private long limit = Long.MAX_VALUE;

    @Option(names = "--l1-capacity", paramLabel = "N", description = "Entries in L1 (default: 10000).")
    private long l1Capacity = 10_000;

    @Option(
            names = "--l2-memory",
            paramLabel = "SIZE",
            description = "Memory of the embedded Redis (default: 32MiB); what does not fit is answered by L3.")
    private String l2Memory = "32MiB";

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Use the tiers of these settings, under a cache name of its own, cleared at the end.")
    private @Nullable Path config;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    /** For picocli. */
    public ReplayCommand() {}

    @Override
    public Integer call() throws InterruptedException {
        Duration latency = DurationText.parse(originLatency);
        if (latency == null || latency.isNegative() || latency.compareTo(Duration.ofMinutes(1)) > 0) {
            throw usage("--origin-latency", originLatency, DurationText.ALLOWED + ", at most 1m");
        }
        int valueBytes = (int)
                between("--value-size", valueSize, SizeText.parse(valueSize), Origin.SMALLEST_VALUE_BYTES, 1 << 20);
        int l2Mib = (int) (between("--l2-memory", l2Memory, SizeText.parse(l2Memory), 4L << 20, 1L << 40) >> 20);
        between("--threads", threads, threads, 1, MOST_THREADS);
        between("--limit", limit, limit, 1, Long.MAX_VALUE);
        between("--l1-capacity", l1Capacity, l1Capacity, 1, 100_000_000);
        // Before anything starts: a wrong file name should cost no time.
        Settings settings = config == null ? null : SettingsLoader.load(config);
        // Before the tiers are started, and closed after them: a signal leaves nothing behind.
        try (StopSignal signal = StopSignal.listen()) {
            return replay(settings, new Origin(latency.toNanos(), valueBytes), l2Mib, valueBytes, signal);
        }
    }

    private int replay(@Nullable Settings settings, Origin origin, int l2Mib, int valueBytes, StopSignal signal)
            throws InterruptedException {
        try (TraceFile trace = TraceFile.open(file);
                Playground tiers = settings == null
                        ? Playground.temporary(l1Capacity, l2Mib, valueBytes, signal)
                        : Playground.of(settings)) {
            if (settings != null) {
                signal.allow(settings.limits().closeTimeout());
            }
            Report report = replay(trace, tiers, origin, signal);
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(report.json());
            } else {
                report.print(out::println);
            }
            out.flush();
            return report.discrepancies().isEmpty() ? 0 : 1;
        } catch (RuntimeException e) {
            if (!signal.given()) {
                throw e;
            }
            sayStopped("before the first request");
            return 1;
        }
    }

    private void sayStopped(String when) {
        PrintWriter err = spec.commandLine().getErr();
        err.println("terrace: stopped by a signal " + when);
        err.flush();
    }

    private Report replay(TraceFile trace, Playground tiers, Origin origin, StopSignal signal)
            throws InterruptedException {
        String name = "replay-" + Long.toString(new SecureRandom().nextLong() >>> 1, Character.MAX_RADIX);
        Cache<String, byte[]> cache = tiers.coordinator().cache(name, Codecs.stringKey(), Codecs.bytes());
        tiers.awaitConnected();
        Replay replay = new Replay(trace, cache, origin, threads);
        // From here on the signal ends the trace early; the numbers so far are still worth having.
        signal.reactBy(replay::stop);
        Replay.Outcome outcome;
        try (Progress progress = new Progress(spec.commandLine().getErr(), trace, replay, limit)) {
            outcome = replay.run(limit);
        }
        if (outcome.requests() == 0) {
            throw new SetupException("trace " + trace.name() + " holds no keys", "name a file with one key per line");
        }
        if (signal.given()) {
            sayStopped("after " + outcome.requests() + " requests; the numbers are of those");
        }
        Report report = new Report(
                trace.name(),
                outcome,
                origin.calls(),
                Report.Counters.of(tiers.coordinator().metrics(), name));
        if (config != null) {
            cache.clear();
        }
        return report;
    }

    private long between(String option, Object given, long value, long least, long most) {
        if (value < least || value > most) {
            throw usage(option, given, "a number from " + least + " to " + most);
        }
        return value;
    }

    private ParameterException usage(String option, Object given, String allowed) {
        return new ParameterException(spec.commandLine(), option + " '" + given + "' is not allowed; give " + allowed);
    }
}
