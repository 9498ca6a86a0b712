package dev.terrace.node.cli;

/** What the command's exit codes mean; {@code docs/cli.md} says the same. */
final class ExitCodes {
    static final int OK = 0;

    /** The thing asked for is not there, or the command failed. */
    static final int FAILED = 1;

    /** The command line or the settings are wrong. */
    static final int USAGE = 2;

    /** The node cannot be reached. */
    static final int UNREACHABLE = 3;

    private ExitCodes() {}
}
