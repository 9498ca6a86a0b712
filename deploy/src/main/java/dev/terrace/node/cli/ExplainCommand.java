package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows every tier's copy of a key. */
@Command(
        name = "explain",
        description = "Show what every tier holds under a key, and what a read makes of it.",
        mixinStandardHelpOptions = true)
final class ExplainCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CACHE", description = "The cache.")
    private String cache = "";

    @Parameters(index = "1", paramLabel = "KEY", description = "The key.")
    private String key = "";

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() {
        JsonNode answer = node.json("GET", NodeClient.entryPath(cache, key) + "/explain", null);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(answer);
        } else {
            out.printf(
                    "%-5s %-12s %-10s %10s %12s %9s  %s%n",
                    "tier", "state", "kind", "age", "fresh for", "bytes", "version");
            for (JsonNode copy : answer.path("copies")) {
                out.printf(
                        "%-5s %-12s %-10s %10s %12s %9s  %s %s%n",
                        copy.path("tier").asText(),
                        copy.path("state").asText(),
                        copy.path("kind").asText("").replace("null", "-"),
                        millis(copy.path("age_millis")),
                        millis(copy.path("fresh_for_millis")),
                        copy.path("payload_bytes").asText(),
                        copy.path("version").asText("").replace("null", "-"),
                        copy.path("detail").asText(""));
            }
            out.println(answer.path("decision").asText());
        }
        out.flush();
        return ExitCodes.OK;
    }

    private static String millis(JsonNode millis) {
        return millis.isNumber() ? millis.asLong() + "ms" : "-";
    }
}
