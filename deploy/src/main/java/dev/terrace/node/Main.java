package dev.terrace.node;

import dev.terrace.node.cli.Terrace;

/** The {@code terrace} command. */
public final class Main {
    private Main() {}

    /** Runs one command and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(Terrace.run(args));
    }
}
