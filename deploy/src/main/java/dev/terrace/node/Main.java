package dev.terrace.node;

import dev.terrace.node.cli.Terrace;
import java.util.List;

/** The {@code terrace} command. */
public final class Main {
    /** Read by {@code logback.xml}. */
    private static final String LOG_LEVEL = "terrace.log";

    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        // Before any Chronicle class loads: no usage report, no banner.
        System.setProperty("chronicle.analytics.disable", "true");
        System.setProperty("chronicle.announcer.disable", "true");
        // Before the first logger exists: a node tells what it does, a command only what is wrong.
        if (List.of(args).contains("run") && System.getProperty(LOG_LEVEL) == null) {
            System.setProperty(LOG_LEVEL, "INFO");
        }
        System.exit(Terrace.run(args));
    }
}
