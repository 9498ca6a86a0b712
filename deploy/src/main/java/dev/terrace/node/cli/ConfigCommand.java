package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.config.EffectiveSettings;
import dev.terrace.config.InvalidSettingsException;
import dev.terrace.config.LoadedSettings;
import dev.terrace.config.Problem;
import dev.terrace.config.SettingsLoader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Everything about settings files. */
@Command(
        name = "config",
        description = "Work with settings files.",
        mixinStandardHelpOptions = true,
        subcommands = ConfigCommand.Check.class)
final class ConfigCommand extends CommandGroup {
    /** Checks a file. */
    @Command(
            name = "check",
            description =
                    "Print the effective settings, defaults marked and secrets masked, or every problem (exit code 2).",
            mixinStandardHelpOptions = true)
    static final class Check implements Callable<Integer> {
        @Parameters(paramLabel = "FILE", description = "The settings file.")
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private Path file;

        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            PrintWriter err = spec.commandLine().getErr();
            try {
                LoadedSettings loaded = SettingsLoader.read(file, System.getenv());
                if (json) {
                    ObjectNode tree = NodeClient.JSON.createObjectNode();
                    tree.set("settings", NodeClient.JSON.valueToTree(EffectiveSettings.tree(loaded.settings())));
                    tree.set("warnings", list(loaded.warnings()));
                    out.println(tree.toPrettyString());
                } else {
                    out.print(EffectiveSettings.yaml(loaded));
                    loaded.warnings().forEach(warning -> err.println("warning: " + warning));
                }
                return ExitCodes.OK;
            } catch (InvalidSettingsException e) {
                if (json) {
                    ObjectNode tree = NodeClient.JSON.createObjectNode();
                    tree.set("problems", list(e.problems()));
                    out.println(tree.toPrettyString());
                } else {
                    err.println(e.getMessage());
                }
                return ExitCodes.USAGE;
            } finally {
                out.flush();
                err.flush();
            }
        }

        private static ArrayNode list(List<Problem> problems) {
            ArrayNode list = NodeClient.JSON.createArrayNode();
            problems.forEach(problem -> list.addObject()
                    .put("path", problem.path())
                    .put("line", problem.line())
                    .put("value", problem.value())
                    .put("message", problem.message())
                    .put("suggestion", problem.suggestion()));
            return list;
        }
    }
}
