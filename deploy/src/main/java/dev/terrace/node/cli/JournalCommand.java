package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** What waits to be written to the origin, and dead letters. */
@Command(
        name = "journal",
        description = "Look at writes that have yet to reach the origin, and at dead letters.",
        mixinStandardHelpOptions = true,
        subcommands = {
            JournalCommand.ListWrites.class,
            JournalCommand.Show.class,
            JournalCommand.Retry.class,
            JournalCommand.Drop.class
        })
final class JournalCommand extends CommandGroup {
    private static String path(String id) {
        return "/journal/" + NodeClient.encode(id);
    }

    /** What every one of them needs. */
    private abstract static class Asking implements Callable<Integer> {
        @Mixin
        final NodeClient node = new NodeClient();

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        CommandSpec spec;

        int say(String line, int exitCode) {
            PrintWriter out = spec.commandLine().getOut();
            out.println(line);
            out.flush();
            return exitCode;
        }
    }

    /** Lists them. */
    @Command(
            name = "list",
            description = "List what waits and what is dead, oldest first.",
            mixinStandardHelpOptions = true,
            footer = "Exit code 1 when there are dead letters, or the journal cannot be written.")
    static final class ListWrites extends Asking {
        @Option(names = "--dead", description = "Only dead letters.")
        private boolean dead;

        @Option(
                names = "--limit",
                paramLabel = "N",
                defaultValue = "100",
                description = "Most of each kind (default: 100).")
        private int limit;

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Override
        public Integer call() {
            JsonNode answer = node.json("GET", "/journal?limit=" + limit, null);
            boolean ill = answer.path("dead").asInt() > 0 || answer.hasNonNull("trouble");
            return say(json ? answer.toString() : text(answer), ill ? ExitCodes.FAILED : ExitCodes.OK);
        }

        private String text(JsonNode answer) {
            if (!answer.path("enabled").asBoolean()) {
                return "this node writes nothing behind, so it has no journal";
            }
            List<String> lines = new ArrayList<>();
            lines.add(String.format(
                    "%d waiting (%d bytes, oldest %d ms), %d dead",
                    answer.path("pending").asLong(),
                    answer.path("pending_bytes").asLong(),
                    answer.path("oldest_millis").asLong(),
                    answer.path("dead").asLong()));
            if (answer.hasNonNull("trouble")) {
                lines.add("trouble: " + answer.path("trouble").asText());
            }
            List<JsonNode> items = new ArrayList<>();
            if (!dead) {
                answer.path("pending_writes").forEach(items::add);
            }
            answer.path("dead_letters").forEach(items::add);
            if (!items.isEmpty()) {
                lines.add(String.format(
                        "%-32s  %-9s %-6s %8s %12s  %s",
                        "id", "state", "what", "attempts", "age ms", "cache/key: reason"));
            }
            items.forEach(item -> lines.add(line(item)));
            return String.join(System.lineSeparator(), lines);
        }

        private static String line(JsonNode item) {
            String reason = item.path("reason").asText();
            return String.format(
                    "%-32s  %-9s %-6s %8d %12d  %s/%s%s",
                    item.path("id").asText(),
                    item.path("state").asText(),
                    item.path("what").asText(),
                    item.path("attempts").asInt(),
                    item.path("age_millis").asLong(),
                    item.path("cache").asText(),
                    item.path("key").asText(),
                    reason.isEmpty() ? "" : ": " + reason);
        }
    }

    /** Shows one. */
    @Command(
            name = "show",
            description = "Show a write that waits or is dead, with its value.",
            mixinStandardHelpOptions = true)
    static final class Show extends Asking {
        @Parameters(paramLabel = "ID", description = "As list shows it.")
        private String id = "";

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Override
        public Integer call() {
            JsonNode item = node.json("GET", path(id), null);
            if (json) {
                return say(item.toString(), ExitCodes.OK);
            }
            List<String> lines = new ArrayList<>();
            item.properties().forEach(field -> {
                if (!field.getKey().equals("value_base64")) {
                    lines.add(field.getKey() + ": " + field.getValue().asText());
                }
            });
            byte[] value = Base64.getDecoder().decode(item.path("value_base64").asText());
            lines.add("value: " + new String(value, StandardCharsets.UTF_8));
            return say(String.join(System.lineSeparator(), lines), ExitCodes.OK);
        }
    }

    /** Lets dead letters wait again. */
    @Command(
            name = "retry",
            description = "Let dead letters wait for the origin again, with their old versions.",
            mixinStandardHelpOptions = true,
            footer = "Exit code 1 when some stay dead, for instance because a newer write of the key waits.")
    static final class Retry extends Asking {
        @Parameters(paramLabel = "ID", arity = "0..*", description = "As list shows them.")
        private List<String> ids = List.of();

        @Option(names = "--all", description = "All dead letters.")
        private boolean all;

        @Override
        public Integer call() {
            if (all != ids.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "name the dead letters, or give --all");
            }
            if (!all) {
                ids.forEach(id -> node.json("POST", path(id) + "/retry", new byte[0]));
                return say(ids.size() + " wait again", ExitCodes.OK);
            }
            JsonNode answer = node.json("POST", "/journal/retry", new byte[0]);
            StringBuilder text = new StringBuilder(answer.path("retried").asInt() + " wait again");
            answer.path("left")
                    .forEach(left -> text.append(System.lineSeparator())
                            .append(left.path("id").asText())
                            .append(" stays: ")
                            .append(left.path("reason").asText()));
            return say(text.toString(), answer.path("left").isEmpty() ? ExitCodes.OK : ExitCodes.FAILED);
        }
    }

    /** Forgets writes. */
    @Command(
            name = "drop",
            description = "Forget dead letters, or writes that wait: the origin will not get them.",
            mixinStandardHelpOptions = true)
    static final class Drop extends Asking {
        @Parameters(paramLabel = "ID", arity = "1..*", description = "As list shows them.")
        private List<String> ids = List.of();

        @Override
        public Integer call() {
            ids.forEach(id -> node.json("DELETE", path(id), null));
            return say(ids.size() + " forgotten", ExitCodes.OK);
        }
    }
}
