package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Starts a warm-up on a node and follows it, or stops one. */
@Command(
        name = "warmup",
        description =
                "Fill L2 and L1 of a running node from its L3, hottest keys first, and follow the job to its end.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        footer =
                "It stops at the first target that is reached. Interrupting the command leaves the job running: --follow"
                        + " finds it again, --stop ends it. Nodes that warm up at the same time share the work.")
final class WarmupCommand implements Callable<Integer> {
    @Option(names = "--cache", paramLabel = "CACHE", description = "Only these caches.")
    private List<String> caches = List.of();

    @Option(names = "--max-entries", paramLabel = "N", description = "Stop after this many.")
    private @Nullable Long maxEntries;

    @Option(names = "--max-bytes", paramLabel = "N", description = "Stop after so many bytes.")
    private @Nullable Long maxBytes;

    @Option(
            names = "--hit-ratio",
            paramLabel = "R",
            description = "Stop when L1 and L2 answer this share of the reads, such as 0.9.")
    private @Nullable Double hitRatio;

    @Option(names = "--max-seconds", paramLabel = "N", description = "Stop after so many seconds.")
    private @Nullable Long maxSeconds;

    @Option(
            names = "--rate",
            paramLabel = "N",
            description = "Most entries per second (default: warmup.entries_per_second of the node).")
    private @Nullable Integer rate;

    @Option(names = "--no-yield", description = "Do not slow down while callers wait.")
    private boolean noYield;

    @Option(names = "--alone", description = "Do all of it on this node, whatever others do or have done.")
    private boolean alone;

    @Option(
            names = "--trust-backup",
            description = "Copy entries of bounded and strict caches, too, that another node may have replaced: after a"
                    + " total loss.")
    private boolean trustBackup;

    @Option(names = "--follow", paramLabel = "JOB", description = "Start nothing; follow this job.")
    private @Nullable String follow;

    @Option(names = "--stop", paramLabel = "JOB", description = "Start nothing; stop this job.")
    private @Nullable String stop;

    @Option(names = "--json", description = "Print the final state as JSON, and no progress.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        PrintWriter out = spec.commandLine().getOut();
        String id = stop != null ? stop : follow != null ? follow : started();
        if (stop != null) {
            node.json("DELETE", "/jobs/" + NodeClient.encode(stop), null);
        } else if (follow == null && !json) {
            out.println("job " + id);
            out.flush();
        }
        JsonNode state = followed(id, out);
        String name = state.path("state").asText();
        out.println(json ? state.toString() : WarmupLine.summary(state));
        out.flush();
        boolean asWanted = name.equals("done") || stop != null && name.equals("stopped");
        boolean away = state.path("progress").path("outcome").asText().equals("remote_away");
        return asWanted && !away ? ExitCodes.OK : ExitCodes.FAILED;
    }

    private String started() throws IOException {
        ObjectNode plan = NodeClient.JSON.createObjectNode();
        plan.put("max_entries", maxEntries);
        plan.put("max_bytes", maxBytes);
        plan.put("hit_ratio", hitRatio);
        plan.put("max_seconds", maxSeconds);
        plan.put("entries_per_second", rate);
        plan.remove(List.of("max_entries", "max_bytes", "hit_ratio", "max_seconds", "entries_per_second").stream()
                .filter(field -> plan.path(field).isNull())
                .toList());
        plan.put("yield", !noYield).put("shared", !alone).put("trust_backup", trustBackup);
        caches.forEach(plan.putArray("caches")::add);
        return node.json("POST", "/warmup", NodeClient.JSON.writeValueAsBytes(plan))
                .path("id")
                .asText();
    }

    private JsonNode followed(String id, PrintWriter out) throws InterruptedException {
        try (ProgressLine shown = new ProgressLine(out, json)) {
            while (true) {
                JsonNode state = node.json("GET", "/jobs/" + NodeClient.encode(id), null);
                if (List.of("done", "failed", "stopped")
                        .contains(state.path("state").asText())) {
                    return state;
                }
                shown.show(() -> WarmupLine.progress(state));
                // The node has no way to call back; four times a second is what a person reads.
                TimeUnit.MILLISECONDS.sleep(250);
            }
        }
    }
}
