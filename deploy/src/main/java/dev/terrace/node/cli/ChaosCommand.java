package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.config.DurationText;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Breaks parts of a running node that allows it. */
@Command(
        name = "chaos",
        description =
                "Break parts of a running node on purpose, to see what becomes of its answers. The node must allow it: "
                        + "'terrace run --chaos', or server.chaos in its settings.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer = {
            "terrace chaos evict --share 20% --every 1s --for 30s",
            "terrace chaos invalidate --cache quotes",
            "terrace chaos kill-l2 --for 10s",
            "terrace chaos slow-l2 --for 20s --delay 2s",
            "terrace chaos stop"
        })
final class ChaosCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            paramLabel = "evict|invalidate|kill-l2|slow-l2|status|stop",
            description = {
                "evict: drop random entries of L1;",
                "invalidate: drop everything in a cache, in all tiers;",
                "kill-l2: kill the node's own embedded Redis, which it starts again;",
                "slow-l2: make it pause again and again;",
                "status, stop: see what is done to L2, and end it."
            })
    private String action = "";

    @Option(
            names = "--share",
            paramLabel = "PERCENT",
            description = "evict: how much of L1, such as 20%% (default: 10%%).")
    private String share = "10%";

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "evict: decides which entries go (default: another each time).")
    private @Nullable Long seed;

    @Option(
            names = "--cache",
            paramLabel = "NAME",
            description = "invalidate: which cache (default: all that are open).")
    private @Nullable String cache;

    @Option(names = "--delay", paramLabel = "TIME", description = "slow-l2: how long each pause is (default: 2s).")
    private @Nullable String delay;

    @Option(names = "--every", paramLabel = "TIME", description = "evict, invalidate: again and again, so often.")
    private @Nullable String every;

    @Option(
            names = "--for",
            paramLabel = "TIME",
            description =
                    "kill-l2, slow-l2: for so long, up to 10m (default: 10s); with --every: until then (default: 30s).")
    private @Nullable String time;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        switch (action.toLowerCase(Locale.ROOT)) {
            case "evict" -> repeat("/chaos/evict", evictOrder());
            case "invalidate" -> {
                ObjectNode order = NodeClient.JSON.createObjectNode();
                repeat("/chaos/invalidate", cache == null ? order : order.put("cache", cache));
            }
            case "kill-l2" -> say(send("POST", "/chaos/kill-l2", l2Order()));
            case "slow-l2" -> {
                ObjectNode order = l2Order();
                say(send("POST", "/chaos/slow-l2", delay == null ? order : order.put("delay", delay)));
            }
            case "status" -> say(send("GET", "/chaos", null));
            case "stop" -> say(send("DELETE", "/chaos", null));
            default ->
                throw new CommandFailure(
                        ExitCodes.USAGE,
                        "'" + action + "' is not understood; use evict, invalidate, kill-l2, slow-l2, status or stop");
        }
        return ExitCodes.OK;
    }

    private ObjectNode evictOrder() {
        ObjectNode order = NodeClient.JSON.createObjectNode().put("share", part());
        return seed == null ? order : order.put("seed", seed);
    }

    private double part() {
        try {
            double percent = Double.parseDouble(share.endsWith("%") ? share.substring(0, share.length() - 1) : "");
            if (percent > 0 && percent <= 100) {
                return percent / 100;
            }
        } catch (NumberFormatException e) {
            // Said below, with what is allowed.
        }
        throw new CommandFailure(ExitCodes.USAGE, "--share '" + share + "' must be a percentage above 0% up to 100%");
    }

    private ObjectNode l2Order() {
        if (every != null) {
            throw new CommandFailure(ExitCodes.USAGE, "--every goes with evict and invalidate only");
        }
        ObjectNode order = NodeClient.JSON.createObjectNode();
        return time == null ? order : order.put("for", time);
    }

    private void repeat(String path, ObjectNode order) throws IOException, InterruptedException {
        if (every == null) {
            if (time != null) {
                throw new CommandFailure(ExitCodes.USAGE, "--for needs --every here: how often to do it");
            }
            say(send("POST", path, order));
            return;
        }
        long pause = duration("--every", every).toNanos();
        long end = System.nanoTime()
                + duration("--for", time == null ? "30s" : time).toNanos();
        CountDownLatch never = new CountDownLatch(1);
        do {
            say(send("POST", path, order));
        } while (!never.await(Math.min(pause, Math.max(0, end - System.nanoTime())), TimeUnit.NANOSECONDS)
                && end - System.nanoTime() > 0);
    }

    private static Duration duration(String option, String text) {
        Duration duration = DurationText.parse(text);
        if (duration == null || duration.toMillis() < 1) {
            throw new CommandFailure(ExitCodes.USAGE, option + " '" + text + "' must be " + DurationText.ALLOWED);
        }
        return duration;
    }

    private JsonNode send(String method, String path, @Nullable ObjectNode order) throws IOException {
        return node.json(method, path, order == null ? null : NodeClient.JSON.writeValueAsBytes(order));
    }

    private void say(JsonNode answer) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(answer.toString());
        } else if (answer.has("evicted")) {
            out.println("evicted " + answer.path("evicted").asLong() + " entries of L1 (seed "
                    + answer.path("seed").asLong() + ")");
        } else if (answer.has("invalidated")) {
            StringBuilder names = new StringBuilder();
            answer.path("invalidated").forEach(name -> names.append(' ').append(name.asText()));
            out.println(names.isEmpty() ? "no cache is open yet" : "invalidated" + names);
        } else {
            String running = answer.path("running").asText("");
            out.println(
                    running.isEmpty() || running.equals("null")
                            ? "nothing is done to L2"
                            : running + " for another "
                                    + answer.path("left_millis").asLong() + " ms; 'terrace ladder show'"
                                    + " tells what the node makes of it");
        }
        out.flush();
    }
}
