package dev.terrace.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.config.ZoneSettings;
import dev.terrace.node.OfflineContext;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicaProvider;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.ServiceLoader;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Shows where the zones of L2 stand: as a running node sees them, or by asking them. */
@Command(
        name = "zones",
        description = "Show the zones of L2: who votes, who has forgotten, what is on its way to whom.",
        mixinStandardHelpOptions = true,
        footer = "Exit code 1 when a zone does not vote, cannot be reached, or is left alone by its circuit breaker.")
final class ZonesCommand implements Callable<Integer> {
    private static final long ASKED_FOR_MILLIS = 5_000;
    private static final long PAUSE_MILLIS = 100;

    @Option(
            names = "--config",
            paramLabel = "FILE",
            description = "Ask the zones of this settings file, without a node; nothing is changed in them.")
    private @Nullable Path config;

    @Option(names = "--json", description = "Print JSON.")
    private boolean json;

    @Mixin
    private final NodeClient node = new NodeClient();

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        JsonNode answer = config == null ? node.json("GET", "/zones", null) : asked(config);
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(answer);
        } else {
            print(out, answer);
        }
        out.flush();
        for (JsonNode zone : answer.path("zones")) {
            String state = zone.path("state").asText();
            boolean there = state.equals("member") || state.equals("reachable");
            if (!there || zone.path("breaker").asText().equals("open")) {
                return ExitCodes.FAILED;
            }
        }
        return ExitCodes.OK;
    }

    private static void print(PrintWriter out, JsonNode answer) {
        if (answer.path("zones").isEmpty()) {
            out.println("there is no L2");
            return;
        }
        out.printf(
                "%-20s %-12s %-9s %10s %10s %10s %10s %10s  %s%n",
                "zone", "state", "breaker", "lag ms", "hints", "drift", "repairs", "filling", "nodes");
        for (JsonNode zone : answer.path("zones")) {
            List<String> nodes = new ArrayList<>();
            zone.path("nodes").forEach(each -> nodes.add(each.asText()));
            out.printf(
                    "%-20s %-12s %-9s %10s %10s %10s %10s %10s  %s%n",
                    zone.path("zone").asText(),
                    zone.path("state").asText(),
                    zone.path("breaker").asText("-"),
                    number(zone, "hints_oldest_ms"),
                    number(zone, "hints_pending"),
                    number(zone, "drift"),
                    number(zone, "repairs"),
                    number(zone, "resync_progress"),
                    String.join(" ", nodes));
        }
        long lost = answer.path("metrics").path("data_may_be_lost").asLong();
        if (lost > 0) {
            out.println("acknowledged data may have been lost: so many zones had forgotten " + lost + " times");
        }
    }

    private static String number(JsonNode zone, String name) {
        JsonNode value = zone.path(name);
        return value.isMissingNode() || value.asLong() < 0 ? "-" : value.asText();
    }

    private static JsonNode asked(Path file) throws InterruptedException {
        Settings settings = SettingsLoader.read(file, System.getenv()).settings();
        DistributedCacheSettings remote = settings.distributedCache();
        ObjectNode answer = NodeClient.JSON.createObjectNode();
        ArrayNode zones = answer.putArray("zones");
        if (!remote.enabled()) {
            return answer;
        }
        ReplicaProvider provider = provider(remote.backend());
        OfflineContext context = new OfflineContext(settings);
        List<Replica> open = new ArrayList<>();
        try {
            for (ZoneSettings zone : remote.zones()) {
                open.add(provider.open(zone.name(), context));
            }
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ASKED_FOR_MILLIS);
            for (int i = 0; i < open.size(); i++) {
                ObjectNode zone = zones.addObject();
                zone.put("zone", open.get(i).zone());
                zone.put("state", standing(open.get(i), deadline).name().toLowerCase(Locale.ROOT));
                remote.zones().get(i).nodes().stream()
                        .map(HostAndPort::toString)
                        .forEach(zone.putArray("nodes")::add);
            }
        } finally {
            open.forEach(Replica::close);
        }
        return answer;
    }

    private static ReplicaProvider provider(String name) {
        for (ReplicaProvider candidate : ServiceLoader.load(ReplicaProvider.class)) {
            if (candidate.name().equals(name)) {
                return candidate;
            }
        }
        throw new CommandFailure(ExitCodes.USAGE, "there are no zones of kind '" + name + "'");
    }

    /** A connection is made in the background, so that a zone is unreachable at first. */
    private static Standing standing(Replica zone, long deadline) throws InterruptedException {
        while (true) {
            Standing standing = examined(zone);
            if (standing != Standing.UNREACHABLE || System.nanoTime() - deadline > 0) {
                return standing;
            }
            TimeUnit.MILLISECONDS.sleep(PAUSE_MILLIS);
        }
    }

    private static Standing examined(Replica zone) throws InterruptedException {
        try {
            return zone.examine().toCompletableFuture().get(ASKED_FOR_MILLIS, TimeUnit.MILLISECONDS);
        } catch (ExecutionException | TimeoutException e) {
            return Standing.UNREACHABLE;
        }
    }
}
