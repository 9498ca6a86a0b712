package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Invalidates entries, those with a tag, a whole cache or a whole namespace. */
@Command(
        name = "invalidate",
        description = "Invalidate keys or tags of a cache, all of it, or a namespace, on a running node.",
        mixinStandardHelpOptions = true)
final class InvalidateCommand implements Callable<Integer> {
    @Parameters(index = "0", arity = "0..1", paramLabel = "CACHE", description = "The cache.")
    private @Nullable String cache;

    @Parameters(index = "1..*", paramLabel = "KEY", description = "The keys.")
    private List<String> keys = List.of();

    @Option(
            names = "--tag",
            paramLabel = "TAG",
            description = "Everything in the cache that carries this tag; may be repeated.")
    private List<String> tags = List.of();

    @Option(names = "--all", description = "Everything in the cache.")
    private boolean all;

    @Option(
            names = "--namespace",
            paramLabel = "NAME",
            description = "Everything in all caches whose names begin with NAME and a slash; without CACHE.")
    private @Nullable String namespace;

    @Option(names = "--json", description = "Print the receipts as JSON.")
    private boolean json;

    @Mixin
    private final CallFlags call = new CallFlags();

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        int asked = (keys.isEmpty() ? 0 : 1) + (tags.isEmpty() ? 0 : 1) + (all ? 1 : 0) + (namespace == null ? 0 : 1);
        if (asked != 1 || (cache == null) != (namespace != null)) {
            throw new CommandFailure(
                    ExitCodes.USAGE, "give CACHE and either keys, --tag or --all; or --namespace alone");
        }
        String mode = call.mode();
        if (mode != null && keys.isEmpty()) {
            throw new CommandFailure(ExitCodes.USAGE, "--mode is for keys; what drops many is told to every zone");
        }
        if (namespace != null) {
            print("namespace cleared", node.json("DELETE", "/v1/namespaces/" + NodeClient.encode(namespace), null));
        } else if (mode != null) {
            for (String key : keys) {
                print(
                        "invalidated",
                        node.json("DELETE", NodeClient.entryPath(String.valueOf(cache), key) + call.query(), null));
            }
        } else {
            many();
        }
        return ExitCodes.OK;
    }

    private void many() throws IOException {
        ObjectNode request = NodeClient.JSON.createObjectNode().put("cache", cache);
        if (all) {
            request.put("all", true);
        } else if (keys.isEmpty()) {
            tags.forEach(request.putArray("tags")::add);
        } else {
            keys.forEach(request.putArray("keys")::add);
        }
        JsonNode answer = node.json("POST", "/invalidate", NodeClient.JSON.writeValueAsBytes(request));
        if (keys.isEmpty()) {
            print(all ? "cache cleared" : "invalidated " + tags.size() + " tags", answer);
        } else if (json) {
            spec.commandLine().getOut().println(answer);
        } else {
            spec.commandLine()
                    .getOut()
                    .println("invalidated " + answer.path("receipts").size() + " keys");
        }
        spec.commandLine().getOut().flush();
    }

    private void print(String done, JsonNode receipt) {
        Receipts.print(spec.commandLine().getOut(), done, receipt, json);
    }
}
