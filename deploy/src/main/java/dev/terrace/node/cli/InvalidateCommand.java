package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Invalidates entries, or a whole cache. */
@Command(
        name = "invalidate",
        description = "Invalidate keys of a cache, or all of it, on a running node.",
        mixinStandardHelpOptions = true)
final class InvalidateCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CACHE", description = "The cache.")
    private String cache = "";

    @Parameters(index = "1..*", paramLabel = "KEY", description = "The keys.")
    private List<String> keys = List.of();

    @Option(names = "--all", description = "Everything in the cache.")
    private boolean all;

    @Option(names = "--json", description = "Print the receipts as JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        if (keys.isEmpty() != all) {
            throw new CommandFailure(ExitCodes.USAGE, "give either keys or --all");
        }
        ObjectNode request = NodeClient.JSON.createObjectNode().put("cache", cache);
        if (all) {
            request.put("all", true);
        } else {
            keys.forEach(request.putArray("keys")::add);
        }
        JsonNode answer = node.json("POST", "/invalidate", NodeClient.JSON.writeValueAsBytes(request));
        if (json) {
            spec.commandLine().getOut().println(answer);
        } else {
            spec.commandLine()
                    .getOut()
                    .println(
                            all
                                    ? "cache cleared"
                                    : "invalidated " + answer.path("receipts").size() + " keys");
        }
        spec.commandLine().getOut().flush();
        return ExitCodes.OK;
    }
}
