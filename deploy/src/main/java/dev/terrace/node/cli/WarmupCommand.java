package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Starts a warm-up on a node and follows it. */
@Command(
        name = "warmup",
        description = "Fill L2 and L1 of a running node from its L3, and follow the job to its end.",
        mixinStandardHelpOptions = true)
final class WarmupCommand implements Callable<Integer> {
    @Option(names = "--cache", paramLabel = "CACHE", description = "Only these caches.")
    private List<String> caches = List.of();

    @Option(names = "--max-entries", paramLabel = "N", description = "Stop after this many.")
    private long maxEntries = Long.MAX_VALUE;

    @Option(names = "--rate", paramLabel = "N", description = "Most entries per second (default: 50000).")
    private int rate = 50_000;

    @Option(names = "--json", description = "Print the final state as JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        ObjectNode plan = NodeClient.JSON
                .createObjectNode()
                .put("max_entries", maxEntries)
                .put("entries_per_second", rate);
        caches.forEach(plan.putArray("caches")::add);
        JsonNode job = node.json("POST", "/warmup", NodeClient.JSON.writeValueAsBytes(plan));
        PrintWriter out = spec.commandLine().getOut();
        long told = -1;
        while (true) {
            JsonNode state = node.json("GET", "/jobs/" + job.path("id").asText(), null);
            String name = state.path("state").asText();
            JsonNode progress = state.path("progress");
            if (name.equals("done") || name.equals("failed")) {
                out.println(json ? state.toString() : summary(state));
                out.flush();
                return name.equals("done") ? ExitCodes.OK : ExitCodes.FAILED;
            }
            long copied = progress.path("copied").asLong();
            if (!json && copied != told) {
                told = copied;
                out.println("copied " + copied + " of " + progress.path("total").asText("?"));
                out.flush();
            }
            // The node has no way to call back; twice a second is what a person reads.
            TimeUnit.MILLISECONDS.sleep(500);
        }
    }

    private static String summary(JsonNode state) {
        JsonNode progress = state.path("progress");
        return state.path("state").asText() + ": copied "
                + progress.path("copied").asLong()
                + ", not needed " + progress.path("superseded").asLong() + ", failed "
                + progress.path("failed").asLong() + " in "
                + progress.path("seconds").asText() + " s"
                + (state.has("error") ? "; " + state.path("error").asText() : "");
    }
}
