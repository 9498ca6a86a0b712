package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Stores one entry. */
@Command(name = "put", description = "Store an entry on a running node.", mixinStandardHelpOptions = true)
final class PutCommand implements Callable<Integer> {
    @Parameters(index = "0", paramLabel = "CACHE", description = "The cache.")
    private String cache = "";

    @Parameters(index = "1", paramLabel = "KEY", description = "The key.")
    private String key = "";

    @Parameters(index = "2", arity = "0..1", paramLabel = "VALUE", description = "The value; from --file otherwise.")
    private @Nullable String value;

    @Option(names = "--file", paramLabel = "FILE", description = "Read the value from a file; '-' is standard input.")
    private @Nullable String file;

    @Option(
            names = "--tag",
            paramLabel = "TAG",
            description = "A label by which 'terrace invalidate --tag' drops it; may be repeated.")
    private List<String> tags = List.of();

    @Option(names = "--ttl", paramLabel = "TTL", description = "How long it is fresh, like 30s or 2h.")
    private @Nullable String ttl;

    @Option(names = "--durable", description = "Wait until the backup tier has it in its log.")
    private boolean durable;

    @Option(names = "--json", description = "Print the receipt as JSON.")
    private boolean json;

    @Mixin
    private final CallFlags call = new CallFlags();

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws IOException {
        JsonNode receipt = node.json("PUT", NodeClient.entryPath(cache, key) + query(), bytes());
        Receipts.print(spec.commandLine().getOut(), receipt, json);
        return receipt.path("applied").asBoolean() ? ExitCodes.OK : ExitCodes.FAILED;
    }

    private String query() {
        List<String> asked = new ArrayList<>();
        String mode = call.mode();
        if (mode != null) {
            asked.addAll(List.of("mode", mode));
        }
        if (ttl != null) {
            asked.addAll(List.of("ttl", ttl));
        }
        if (durable) {
            asked.addAll(List.of("durable", "true"));
        }
        tags.forEach(tag -> asked.addAll(List.of("tag", tag)));
        return NodeClient.query(asked.toArray(String[]::new));
    }

    private byte[] bytes() throws IOException {
        if ((value == null) == (file == null)) {
            throw new CommandFailure(ExitCodes.USAGE, "give either VALUE or --file");
        }
        if (value != null) {
            return value.getBytes(StandardCharsets.UTF_8);
        }
        if ("-".equals(file)) {
            return System.in.readAllBytes();
        }
        Path path = Path.of(String.valueOf(file));
        if (!Files.isRegularFile(path)) {
            throw new CommandFailure(ExitCodes.USAGE, path + " is not a file");
        }
        return Files.readAllBytes(path);
    }
}
