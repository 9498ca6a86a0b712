package dev.terrace.node.cli;

import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How many copies one call asks; a picocli mixin. */
final class CallFlags {
    private static final List<String> MODES = List.of("async", "quorum", "sync");

    @Option(
            names = "--mode",
            paramLabel = "MODE",
            description = "How many copies in L2 must answer: async, quorum or sync (default: the cache's setting).")
    private @Nullable String mode;

    /** Null when the cache's setting counts. */
    @Nullable
    String mode() {
        if (mode != null && !MODES.contains(mode.toLowerCase(Locale.ROOT))) {
            throw new CommandFailure(
                    ExitCodes.USAGE, "--mode takes " + String.join(", ", MODES) + ", not '" + mode + "'");
        }
        return mode;
    }

    /** For the end of a path. */
    String query() {
        String asked = mode();
        return asked == null ? "" : NodeClient.query("mode", asked);
    }
}
