package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.config.DurationText;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Follows L1 of a running node: redrawn on a terminal, a line for each look elsewhere. */
@Command(
        name = "top",
        description =
                "Follow what a running node's L1 holds: memory by cache and class, hit ratio, evictions, hottest keys.",
        mixinStandardHelpOptions = true,
        footer = {"terrace top", "terrace top --once", "terrace top --interval 5s --count 12 --json"})
final class TopCommand implements Callable<Integer> {
    private static final String HOME = "\u001b[H";
    private static final String CLEAR_LINE = "\u001b[K";
    private static final String CLEAR_BELOW = "\u001b[J";
    private static final Duration SHORTEST = Duration.ofMillis(100);
    private static final Duration LONGEST = Duration.ofHours(1);
    private static final int MOST_HOTTEST = 1_000;

    @Option(names = "--once", description = "Look once, with counts since the node started, and end.")
    private boolean once;

    @Option(
            names = "--interval",
            paramLabel = "TIME",
            description = "Pause between two looks, such as 500ms (default: 2s).")
    private String interval = "2s";

    @Option(names = "--count", paramLabel = "N", description = "End after N looks.")
    private long count = Long.MAX_VALUE;

    @Option(names = "--rows", paramLabel = "N", description = "Most caches and classes that are shown (default: 15).")
    private int rows = 15;

    @Option(
            names = "--hottest",
            paramLabel = "N",
            description = "How many of the hottest keys are shown (default: 10).")
    private int hottest = 10;

    @Option(names = "--json", description = "Print what the node answers, one line for each look.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        long pauseMillis = pause().toMillis();
        if (rows < 1 || hottest < 0 || hottest > MOST_HOTTEST || count < 1) {
            throw new CommandFailure(
                    ExitCodes.USAGE, "--rows and --count start at 1, --hottest goes from 0 to " + MOST_HOTTEST);
        }
        PrintWriter out = spec.commandLine().getOut();
        boolean terminal = Terminal.isThere() && !json && !once;
        JsonNode before = null;
        long lookedAt = 0;
        for (long shown = 0; shown < (once ? 1 : count); shown++) {
            if (shown > 0) {
                TimeUnit.MILLISECONDS.sleep(pauseMillis);
            }
            JsonNode now = node.json("GET", "/local" + NodeClient.query("hottest", Integer.toString(hottest)), null);
            long nanos = System.nanoTime();
            double seconds = before == null ? 0 : (nanos - lookedAt) / 1e9;
            show(out, now, before, seconds, terminal);
            before = now;
            lookedAt = nanos;
        }
        return ExitCodes.OK;
    }

    private Duration pause() {
        Duration pause = DurationText.parse(interval);
        if (pause == null || pause.compareTo(SHORTEST) < 0 || pause.compareTo(LONGEST) > 0) {
            throw new CommandFailure(
                    ExitCodes.USAGE,
                    "--interval is '" + interval + "'; it must be a time from 100ms to 1h, such as 2s");
        }
        return pause;
    }

    private void show(PrintWriter out, JsonNode now, @Nullable JsonNode before, double seconds, boolean terminal) {
        TopView view = new TopView(now, before, seconds, rows);
        if (json) {
            out.println(NodeClient.ascii(now));
        } else if (terminal) {
            out.print(before == null ? HOME + CLEAR_BELOW : HOME);
            view.lines().forEach(line -> out.print(line + CLEAR_LINE + "\n"));
            out.print(CLEAR_BELOW);
        } else if (once || !now.path("enabled").asBoolean()) {
            view.lines().forEach(out::println);
        } else {
            out.println(view.line());
        }
        out.flush();
    }
}
