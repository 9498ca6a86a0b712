package dev.terrace.node.cli;

import dev.terrace.api.SetupException;
import dev.terrace.api.TerraceException;
import dev.terrace.config.InvalidSettingsException;
import dev.terrace.node.replay.ReplayCommand;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The root of the command line. */
@Command(
        name = "terrace",
        description = "A multi-tier cache: off-heap local tier, Redis, encrypted RocksDB backup.",
        mixinStandardHelpOptions = true,
        versionProvider = Terrace.Version.class,
        sortOptions = false,
        subcommands = {
            RunCommand.class,
            GetCommand.class,
            PutCommand.class,
            InvalidateCommand.class,
            StatsCommand.class,
            TopCommand.class,
            ZonesCommand.class,
            JournalCommand.class,
            LadderCommand.class,
            ChaosCommand.class,
            ExplainCommand.class,
            WarmupCommand.class,
            BackupCommand.class,
            RestoreCommand.class,
            DrillCommand.class,
            KeysCommand.class,
            ReplayCommand.class,
            ConfigCommand.class,
            Terrace.Completion.class,
            HelpCommand.class
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:done",
            "1:not found, or failed",
            "2:wrong command line or settings",
            "3:the node cannot be reached"
        })
public final class Terrace implements Runnable {
    @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Show stack traces of failures.")
    private boolean debug;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    /** Runs the command of {@code args} and returns its exit code. */
    public static int run(String... args) {
        return commandLine().execute(args);
    }

    /** The configured command line, also for tests. */
    public static CommandLine commandLine() {
        Terrace root = new Terrace();
        return new CommandLine(root)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionExceptionHandler(root::explain)
                .setParameterExceptionHandler(Terrace::explainUsage);
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "a command is missing");
    }

    private int explain(Exception e, CommandLine command, ParseResult parsed) {
        if (debug) {
            e.printStackTrace(command.getErr());
        }
        if (e instanceof CommandFailure failure) {
            return say(command, String.valueOf(failure.getMessage()), failure.exitCode());
        }
        if (e instanceof InvalidSettingsException || e instanceof SetupException) {
            return say(command, String.valueOf(e.getMessage()), ExitCodes.USAGE);
        }
        if (e instanceof TerraceException) {
            return say(command, String.valueOf(e.getMessage()), ExitCodes.FAILED);
        }
        return say(command, "unexpected failure: " + e + (debug ? "" : "; --debug shows more"), ExitCodes.FAILED);
    }

    private static int say(CommandLine command, String message, int exitCode) {
        command.getErr().println(command.getColorScheme().errorText("terrace: " + message));
        command.getErr().flush();
        return exitCode;
    }

    private static int explainUsage(ParameterException e, String[] args) {
        CommandLine command = e.getCommandLine();
        say(command, String.valueOf(e.getMessage()), ExitCodes.USAGE);
        if (!CommandLine.UnmatchedArgumentException.printSuggestions(e, command.getErr())) {
            command.getErr().println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        }
        return ExitCodes.USAGE;
    }

    /** Tells the version of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Terrace.class.getPackage().getImplementationVersion();
            return new String[] {
                "terrace " + (version == null ? "(not packaged)" : version),
                "Java " + Runtime.version() + ", " + System.getProperty("os.name") + " " + System.getProperty("os.arch")
            };
        }
    }

    /** Prints a completion script. */
    @Command(
            name = "completion",
            description = "Print a completion script for bash and zsh: source <(terrace completion).")
    static final class Completion implements Runnable {
        @Spec
        @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
        private CommandSpec spec;

        @Override
        public void run() {
            spec.commandLine()
                    .getOut()
                    .print(AutoComplete.bash("terrace", spec.root().commandLine()));
            spec.commandLine().getOut().flush();
        }
    }
}
