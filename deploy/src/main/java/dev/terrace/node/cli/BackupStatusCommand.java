package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.node.jobs.BackupJson;
import dev.terrace.spi.BackupReport;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.repo.Chain;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Freshness;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Tells how L3's backups stand: as a running node knows it, or as its repository shows. */
@Command(
        name = "status",
        description =
                "How the backups of L3 stand: as a running node says, or with --config as the repository shows, writer by writer.",
        mixinStandardHelpOptions = true,
        footer =
                "Exit code 1 when the last try failed, a chain is damaged, or the repository is older than it once was.")
final class BackupStatusCommand implements Callable<Integer> {
    @Option(names = "--config", paramLabel = "FILE", description = "Ask the repository of these settings, not a node.")
    private @Nullable Path config;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        PrintWriter out = spec.commandLine().getOut();
        JsonNode tree = config == null ? node.json("GET", "/backup", null) : repository(config);
        if (json) {
            out.println(tree);
        } else if (config == null) {
            print(out, tree);
        } else {
            out.println("repository " + tree.path("repository").asText());
            tree.path("writers").forEach(writer -> print(out, writer));
        }
        out.flush();
        boolean well = config == null
                ? isWell(tree)
                : tree.path("writers").findValues("trouble").stream()
                        .allMatch(trouble -> trouble.asText().isEmpty());
        return well ? ExitCodes.OK : ExitCodes.FAILED;
    }

    private static boolean isWell(JsonNode tree) {
        return tree.path("enabled").asBoolean()
                && tree.path("trouble").asText().isEmpty()
                && tree.path("restore").path("trouble").asText().isEmpty();
    }

    private static ObjectNode repository(Path settings) throws IOException {
        try (OfflineRepository repository = new OfflineRepository(settings)) {
            ObjectNode tree = NodeClient.JSON.createObjectNode().put("repository", repository.url());
            ArrayNode writers = tree.putArray("writers");
            int count = repository.repository().writers();
            for (int number = 1; number <= count; number++) {
                writers.add(NodeClient.JSON.<ObjectNode>valueToTree(BackupJson.tree(writer(repository, number))));
            }
            return tree;
        } catch (BlobException e) {
            throw new CommandFailure(ExitCodes.FAILED, String.valueOf(e.getMessage()));
        }
    }

    private static BackupReport writer(OfflineRepository repository, int number) throws BlobException, IOException {
        try {
            Chain chain = repository.repository().of(number).chain(number);
            ChainState state = chain.load().orElse(null);
            Freshness freshness = repository.freshness(chain, state, null);
            String trouble = freshness.state() == Freshness.State.ROLLED_BACK ? freshness.detail() : "";
            if (state == null) {
                return new BackupReport(number, 0, 0, -1, 0, 0, List.of(), 0, trouble, freshness.detail());
            }
            long through = state.throughMillis();
            return new BackupReport(
                    number,
                    state.head().number(),
                    through,
                    Math.max(0, repository.context().clock().millis() - through),
                    state.snapshot().asOfMillis(),
                    // What was published after the snapshot are deltas, but for a prune now and then.
                    state.head().equals(state.base()) ? 0 : through,
                    state.segments().stream()
                            .map(segment -> new BackupReport.Point(
                                    Verifier.pointName(number, segment), segment.asOfMillis(), segment.throughMillis()))
                            .toList(),
                    0,
                    trouble,
                    freshness.detail());
        } catch (DamagedException e) {
            String damage = String.valueOf(e.getMessage());
            return new BackupReport(number, 0, 0, -1, 0, 0, List.of(), 0, damage, "");
        }
    }

    private static void print(PrintWriter out, JsonNode tree) {
        if (!tree.path("enabled").asBoolean()) {
            out.println("L3 is not backed up: set backup_storage.object_storage.url");
            return;
        }
        String trouble = tree.path("trouble").asText();
        JsonNode lag = tree.path("lag_millis");
        out.println("writer " + tree.path("writer").asText() + ", generation "
                + tree.path("generation").asText());
        out.println("  through        " + text(tree.path("through"))
                + (lag.isNumber() ? "  (" + lag.asLong() / 1000.0 + " s ago)" : ""));
        out.println("  last snapshot  " + text(tree.path("last_snapshot")));
        out.println("  last delta     " + text(tree.path("last_delta")));
        out.println("  failures       " + tree.path("failures").asText());
        out.println("  trouble        " + (trouble.isEmpty() ? "none" : trouble));
        out.println("  freshness      " + text(tree.path("freshness")));
        restore(out, tree.path("restore"));
        tree.path("points")
                .forEach(point ->
                        out.println("  restore point " + point.path("point").asText() + "  from "
                                + point.path("as_of").asText() + " to "
                                + point.path("through").asText()));
    }

    private static void restore(PrintWriter out, JsonNode restore) {
        if (restore.isObject()) {
            String trouble = restore.path("trouble").asText();
            out.printf(
                    "  restore        %s: %,d of %,d bytes here, %d of %d parts in L3, %,d entries%s%n",
                    restore.path("state").asText(),
                    restore.path("bytes_here").asLong(),
                    restore.path("bytes").asLong(),
                    restore.path("parts_done").asInt(),
                    restore.path("parts").asInt(),
                    restore.path("entries").asLong(),
                    trouble.isEmpty() ? "" : "; is late: " + trouble);
        }
    }

    private static String text(JsonNode value) {
        return value.asText("").isEmpty() || value.isNull() ? "-" : value.asText();
    }
}
