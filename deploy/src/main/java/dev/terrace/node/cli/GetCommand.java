package dev.terrace.node.cli;

import java.io.PrintWriter;
import java.net.http.HttpResponse;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Reads one entry. */
@Command(
        name = "get",
        description = "Read an entry from a running node and print its value.",
        mixinStandardHelpOptions = true)
final class GetCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CACHE", description = "The cache.")
    private String cache = "";

    @Parameters(index = "1", paramLabel = "KEY", description = "The key.")
    private String key = "";

    @Option(
            names = {"-v", "--verbose"},
            description = "Say on standard error which tier answered, how old, how fresh.")
    private boolean verbose;

    @Mixin
    private final CallFlags call = new CallFlags();

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() {
        HttpResponse<byte[]> response = node.send("GET", NodeClient.entryPath(cache, key) + call.query(), null);
        NodeClient.requireSuccess(response);
        if (verbose) {
            PrintWriter err = spec.commandLine().getErr();
            for (String header :
                    new String[] {"Terrace-Tier", "Terrace-Freshness", "Terrace-Age-Millis", "Terrace-Version"}) {
                err.println(
                        header + ": " + response.headers().firstValue(header).orElse("-"));
            }
            err.flush();
        }
        // The value may be any bytes; a writer would mangle them.
        System.out.write(response.body(), 0, response.body().length);
        System.out.flush();
        return ExitCodes.OK;
    }
}
