package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.spi.BlobException;
import dev.terrace.tier.backup.OfflineBackup;
import dev.terrace.tier.backup.repo.ChainState;
import dev.terrace.tier.backup.repo.DamagedException;
import dev.terrace.tier.backup.repo.Verifier;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Instant;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Takes a snapshot: lets a running node do it, or of a folder that no node has open. */
@Command(
        name = "create",
        description = {
            "Take a snapshot of L3 now: let a running node do it, and follow the job; with --config of a folder that no node has open.",
            "A snapshot that was asked for sends again what the repository has lost of earlier ones."
        },
        mixinStandardHelpOptions = true)
final class BackupCreateCommand implements Callable<Integer> {
    /** A node cannot call back; that often is what a person reads. */
    private static final long POLL_MILLIS = 200;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Settings of a folder that no node has open, and of its repository.")
    private @Nullable Path config;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException, InterruptedException {
        return config == null ? byTheNode() : ofTheFolder(config);
    }

    private int byTheNode() throws InterruptedException {
        JsonNode job = node.json("POST", "/backup", null);
        while (true) {
            JsonNode state = node.json("GET", "/jobs/" + job.path("id").asText(), null);
            String name = state.path("state").asText();
            if (name.equals("failed") || name.equals("stopped")) {
                throw new CommandFailure(
                        ExitCodes.FAILED, "no snapshot: " + state.path("error").asText(name));
            }
            if (name.equals("done")) {
                JsonNode status = state.path("progress");
                JsonNode points = status.path("points");
                say(
                        points.path(points.size() - 1).path("point").asText(),
                        "the node's repository",
                        status.path("through").asText());
                return ExitCodes.OK;
            }
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
    }

    private int ofTheFolder(Path settings) throws IOException {
        try (OfflineRepository repository = new OfflineRepository(settings)) {
            ChainState state = OfflineBackup.snapshot(repository.l3(), repository.context());
            say(
                    Verifier.pointName(state.writer(), state.open()),
                    repository.url(),
                    Instant.ofEpochMilli(state.throughMillis()).toString());
            return ExitCodes.OK;
        } catch (BlobException | DamagedException e) {
            throw new CommandFailure(ExitCodes.FAILED, String.valueOf(e.getMessage()));
        }
    }

    private void say(String point, String repository, String through) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(NodeClient.JSON
                    .createObjectNode()
                    .put("repository", repository)
                    .put("point", point)
                    .put("through", through));
        } else {
            out.println("restore point " + point + " in " + repository + ", through " + through);
        }
        out.flush();
    }
}
