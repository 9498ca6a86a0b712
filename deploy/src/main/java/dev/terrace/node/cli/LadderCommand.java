package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Shows where a running node stands on the ladder, pins it to a rung and lets it go. */
@Command(
        name = "ladder",
        description = "Show how far a running node has stepped down and why; pin it to a rung, or let it go.",
        mixinStandardHelpOptions = true,
        footer = {
            "terrace ladder show",
            "terrace ladder set local-only --for 30m --why \"maintenance of L2\"",
            "terrace ladder unset"
        })
final class LadderCommand implements Callable<Integer> {
    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "show|set|unset",
            defaultValue = "show",
            description = "What to do (default: show).")
    private String action = "show";

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "RUNG",
            description = "With set: normal, local-only, read-only, direct or reject.")
    private @Nullable String rung;

    @Option(names = "--for", paramLabel = "TIME", description = "With set: how long, such as 30m; at most 7d.")
    private @Nullable String time;

    @Option(names = "--why", paramLabel = "TEXT", description = "With set: the reason, for the audit log.")
    private @Nullable String why;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        JsonNode answer = switch (action.toLowerCase(Locale.ROOT)) {
            case "show" -> node.json("GET", "/ladder", null);
            case "unset" -> node.json("DELETE", "/ladder", null);
            case "set" -> set();
            default ->
                throw new CommandFailure(ExitCodes.USAGE, "'" + action + "' is not understood; use show, set or unset");
        };
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(answer.toPrettyString());
        } else {
            print(out, answer);
        }
        return ExitCodes.OK;
    }

    private JsonNode set() throws IOException {
        if (rung == null || time == null || why == null) {
            throw new CommandFailure(
                    ExitCodes.USAGE,
                    "set needs a rung, --for and --why: terrace ladder set local-only --for 30m --why \"...\"");
        }
        return node.json(
                "PUT",
                "/ladder",
                NodeClient.JSON.writeValueAsBytes(NodeClient.JSON
                        .createObjectNode()
                        .put("rung", rung)
                        .put("for", time)
                        .put("why", why)
                        .put("by", System.getProperty("user.name", "unknown"))));
    }

    private static void print(PrintWriter out, JsonNode answer) {
        out.printf("rung    %s since %s%n", text(answer, "rung"), text(answer, "since"));
        line(out, "cause", text(answer, "cause"));
        line(out, "lift", text(answer, "lift"));
        JsonNode pin = answer.path("pin");
        if (pin.isObject()) {
            out.printf("pinned  until %s by %s: %s%n", text(pin, "until"), text(pin, "by"), text(pin, "why"));
        }
        answer.path("signals")
                .properties()
                .forEach(signal -> out.printf(
                        "  %-12s %s%n", signal.getKey(), signal.getValue().asText()));
    }

    private static void line(PrintWriter out, String name, String text) {
        if (!text.isEmpty()) {
            out.printf("%-7s %s%n", name, text);
        }
    }

    private static String text(JsonNode tree, String name) {
        return tree.path(name).asText("");
    }
}
