package dev.terrace.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** Tests that run {@code terrace} commands in their own process. No command shows a stack trace. */
public abstract class Commands {
    /** What the last command said. */
    protected String out = "";

    /** What the last command complained of. */
    protected String err = "";

    /** Returns the exit code. */
    protected final int run(String... words) {
        StringWriter said = new StringWriter();
        StringWriter complained = new StringWriter();
        CommandLine command = Terrace.commandLine();
        command.setOut(new PrintWriter(said));
        command.setErr(new PrintWriter(complained));
        command.setColorScheme(CommandLine.Help.defaultColorScheme(CommandLine.Help.Ansi.OFF));
        int exitCode = command.execute(words);
        out = said.toString();
        err = complained.toString();
        assertThat(err).doesNotContain("\tat ");
        return exitCode;
    }

    /** What a command that works says. */
    protected final JsonNode json(String... words) throws IOException {
        assertThat(run(words)).as("%s%s", out, err).isZero();
        return NodeClient.JSON.readTree(out);
    }
}
