package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.terrace.config.DurationText;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.config.SettingsText;
import dev.terrace.config.SizeText;
import dev.terrace.node.StopSignal;
import dev.terrace.node.drill.DrillPlan;
import dev.terrace.node.drill.Drills;
import dev.terrace.node.drill.Objectives;
import dev.terrace.node.drill.Operator;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Loses things on purpose and brings them back. */
@Command(
        name = "drill",
        description = "Lose things on purpose in a throw-away deployment, bring them back, and check what came back.",
        mixinStandardHelpOptions = true,
        subcommands = {DrillCommand.ListDrills.class, DrillCommand.Run.class})
final class DrillCommand extends CommandGroup {
    /** Says which there are. */
    @Command(name = "list", description = "List the drills.", mixinStandardHelpOptions = true)
    static final class ListDrills implements Callable<Integer> {
        @Option(names = "--json", description = "Print JSON.")
        private boolean json;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private CommandSpec spec;

        @Override
        public Integer call() {
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(NodeClient.JSON.valueToTree(Drills.all()).toString());
            } else {
                Drills.all().forEach((name, about) -> out.printf(Locale.ROOT, "%-16s %s%n", name, about));
            }
            out.flush();
            return ExitCodes.OK;
        }
    }

    /** Runs some. */
    @Command(
            name = "run",
            description = {
                "Run drills: each builds a deployment of its own on loopback, puts load on it, breaks it, brings it back, and checks by digest"
                        + " and version that what was acknowledged as durable is there.",
                "L1, L2 and L3 are always the drill's own. With --config the repository, the keys, the ship interval and the policies are those"
                        + " of the settings, below a prefix of the drill's own."
            },
            mixinStandardHelpOptions = true,
            sortOptions = false,
            footer = "Exit code 1 when an objective was missed; then the folder with the evidence stays, and is named.")
    static final class Run implements Callable<Integer> {
        private static final int MOST_ENTRIES = 10_000_000;
        private static final String PRODUCTION = "production";

        @Parameters(arity = "1..*", paramLabel = "NAME", description = "Which drills; 'all' for all of them.")
        private List<String> names = List.of();

        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "Settings of a deployment that is not production (server.environment).")
        private @Nullable Path config;

        @Option(
                names = "--yes-this-is-production",
                paramLabel = "NAME",
                description =
                        "Use these settings all the same; the name is that of server.environment, or of the file.")
        private @Nullable String production;

        @Option(names = "--out", paramLabel = "FOLDER", description = "Write NAME.json and NAME.html there.")
        private @Nullable Path out;

        @Option(names = "--entries", paramLabel = "N", description = "Entries before it breaks (default: 20000).")
        private int entries = 20_000;

        @Option(names = "--value-size", paramLabel = "SIZE", description = "Bytes per value (default: 1KiB).")
        private String valueSize = "1KiB";

        @Option(
                names = "--seed",
                paramLabel = "N",
                description = "Decides keys and values (default: another each time).")
        private @Nullable Long seed;

        @Option(
                names = "--hold",
                paramLabel = "TIME",
                description = "How long an outage lasts, where it ends by itself (default: 5s).")
        private String hold = "5s";

        @Option(
                names = "--rpo",
                paramLabel = "TIME",
                description = "Objective of total-loss: most that may be lost (default: ship_interval and 1s).")
        private @Nullable String rpo;

        @Option(
                names = "--serving",
                paramLabel = "TIME",
                description = "Objective: until what was lost reads and writes again (default: 30s).")
        private @Nullable String serving;

        @Option(
                names = "--first-answer",
                paramLabel = "TIME",
                description = "Objective: until the first right answer (default: 10s).")
        private @Nullable String firstAnswer;

        @Option(
                names = "--warm",
                paramLabel = "TIME",
                description = "Objective: until L2 and L1 are full again (default: 120s).")
        private @Nullable String warm;

        @Option(names = "--keep", description = "Keep the folder of a drill that met its objectives, too.")
        private boolean keep;

        @Option(names = "--json", description = "Print JSON, and no progress.")
        private boolean json;

        /** So that it can be seen that a drill can fail. */
        @Option(names = "--sabotage", hidden = true)
        private boolean sabotage;

        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private CommandSpec spec;

        @Override
        public Integer call() throws IOException {
            List<String> chosen = chosen();
            DrillPlan plan = plan();
            boolean met = true;
            ArrayNode reports = NodeClient.JSON.createArrayNode();
            // Before anything is started: a signal leaves nothing behind.
            try (StopSignal signal = StopSignal.listen()) {
                for (String name : chosen) {
                    Drills.Outcome outcome = Drills.run(name, plan, this::type, this::progress, keep);
                    met &= outcome.report().met();
                    tell(outcome, reports);
                }
            } catch (InterruptedException e) {
                throw new CommandFailure(ExitCodes.FAILED, "stopped by a signal; what the drill had started was ended");
            }
            if (json) {
                PrintWriter to = spec.commandLine().getOut();
                to.println(reports.size() == 1 ? reports.get(0) : reports);
                to.flush();
            }
            return met ? ExitCodes.OK : ExitCodes.FAILED;
        }

        private List<String> chosen() {
            List<String> known = new ArrayList<>(Drills.all().keySet());
            if (names.equals(List.of("all"))) {
                return known;
            }
            for (String name : names) {
                if (!known.contains(name)) {
                    throw usage("there is no drill '" + name + "'; there are " + String.join(", ", known));
                }
            }
            return names;
        }

        private DrillPlan plan() {
            long bytes = SizeText.parse(valueSize);
            if (bytes < Drills.FEWEST_VALUE_BYTES || bytes > 1 << 20) {
                throw usage("--value-size '" + valueSize + "' must be a size from " + Drills.FEWEST_VALUE_BYTES
                        + " bytes to 1MiB");
            }
            if (entries < 1 || entries > MOST_ENTRIES) {
                throw usage("--entries " + entries + " must be from 1 to " + MOST_ENTRIES);
            }
            Objectives d = Objectives.defaults();
            Objectives objectives = new Objectives(
                    rpo == null ? null : time("--rpo", rpo),
                    serving == null ? d.serving() : time("--serving", serving),
                    firstAnswer == null ? d.firstAnswer() : time("--first-answer", firstAnswer),
                    warm == null ? d.warm() : time("--warm", warm));
            return new DrillPlan(
                    entries,
                    (int) bytes,
                    seed == null ? new SecureRandom().nextInt() : seed,
                    time("--hold", hold),
                    objectives,
                    config == null ? null : base(config),
                    config == null ? "the drill's own" : config.toString(),
                    sabotage);
        }

        private SettingsText base(Path file) {
            Settings settings = SettingsLoader.load(file);
            String environment = settings.server().environment();
            boolean nameless = environment == null || environment.isBlank();
            String name = environment == null || nameless ? String.valueOf(file.getFileName()) : environment;
            boolean looksLikeIt = nameless || name.toLowerCase(Locale.ROOT).contains("prod");
            if (looksLikeIt && !name.equals(production)) {
                throw new CommandFailure(
                        ExitCodes.USAGE,
                        file + (nameless ? " does not say what it is" : " is of environment '" + name + "'")
                                + ", and drills are not for " + PRODUCTION
                                + "; set server.environment, such as staging,"
                                + " or add --yes-this-is-production " + name);
            }
            return SettingsText.of(file);
        }

        private Duration time(String option, String text) {
            Duration duration = DurationText.parse(text);
            if (duration == null || duration.isNegative()) {
                throw usage(option + " '" + text + "' must be " + DurationText.ALLOWED);
            }
            return duration;
        }

        private ParameterException usage(String message) {
            return new ParameterException(spec.commandLine(), message);
        }

        private void progress(String line) {
            if (!json) {
                spec.commandLine().getErr().println(line);
                spec.commandLine().getErr().flush();
            }
        }

        private void tell(Drills.Outcome outcome, ArrayNode reports) throws IOException {
            PrintWriter to = spec.commandLine().getOut();
            if (out != null) {
                Drills.write(outcome.report(), out);
            }
            if (json) {
                reports.add(outcome.report()
                        .json()
                        .put("evidence", outcome.evidence() == null ? null : String.valueOf(outcome.evidence())));
                return;
            }
            outcome.report().print(to::println);
            if (outcome.evidence() != null) {
                to.println("  evidence: " + outcome.evidence());
            }
            to.flush();
        }

        /** As a person would, in this process. */
        private Operator.Ended type(List<String> words) {
            StringWriter said = new StringWriter();
            StringWriter complained = new StringWriter();
            CommandLine command = Terrace.commandLine();
            command.setOut(new PrintWriter(said));
            command.setErr(new PrintWriter(complained));
            command.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
            int exitCode = command.execute(words.toArray(String[]::new));
            return new Operator.Ended(exitCode, said.toString(), complained.toString());
        }
    }
}
