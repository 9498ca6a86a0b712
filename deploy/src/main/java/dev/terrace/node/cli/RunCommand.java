package dev.terrace.node.cli;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.LoadedSettings;
import dev.terrace.config.Problem;
import dev.terrace.config.Secret;
import dev.terrace.config.ServerSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.StopSignal;
import dev.terrace.node.embedded.EmbeddedRedis;
import dev.terrace.node.http.HttpNode;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.HttpOriginCheck;
import dev.terrace.node.origin.HttpOriginWriter;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.io.PrintWriter;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Runs a node until it is told to stop. */
@Command(
        name = "run",
        description = "Run a node. Without --config it brings a Redis of its own and keeps its data under --data.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
final class RunCommand implements Callable<Integer> {
    /** Read by {@code logback.xml}. */
    private static final String LOG_LEVEL = "terrace.log";

    private static final long FIRST_CONNECT_NANOS = TimeUnit.SECONDS.toNanos(3);

    @Option(names = "--config", paramLabel = "FILE", description = "Settings of a real deployment.")
    private @Nullable Path config;

    @Option(names = "--origin", paramLabel = "URL", description = "Read through from this HTTP origin.")
    private @Nullable URI origin;

    @Option(
            names = "--origin-writes",
            description =
                    "Let PUT and DELETE below /origin/ write to the origin, as caches.origin.write says (default: through).")
    private boolean originWrites;

    @Option(names = "--host", paramLabel = "HOST", description = "Where to listen (default: 127.0.0.1).")
    private @Nullable String host;

    @Option(
            names = "--port",
            paramLabel = "PORT",
            description = "Where to listen; 0 for any free port (default: 8080).")
    private @Nullable Integer port;

    @Option(names = "--data", paramLabel = "FOLDER", description = "Data of the embedded tiers (default: ./data).")
    private Path data = Path.of("data");

    @Option(names = "--token-file", paramLabel = "FILE", description = "File with the token that callers must send.")
    private @Nullable Path tokenFile;

    @Option(
            names = "--chaos",
            description =
                    "Let callers break things on purpose, by 'terrace chaos' (also: server.chaos). Not for production.")
    private boolean chaos;

    @Spec
    @SuppressWarnings("NullAway.Init") // picocli sets it before anything runs
    private CommandSpec spec;

    @Override
    public Integer call() throws InterruptedException {
        long started = System.nanoTime();
        PrintWriter out = spec.commandLine().getOut();
        Settings settings = config == null ? null : fromFile(config);
        // Before anything is started: a signal during the start must not leave a Redis behind.
        try (StopSignal signal = StopSignal.listen()) {
            run(settings, signal, out, started);
        }
        return ExitCodes.OK;
    }

    private void run(@Nullable Settings given, StopSignal signal, PrintWriter out, long started)
            throws InterruptedException {
        Settings settings = given;
        EmbeddedRedis redis = null;
        CacheCoordinator coordinator = null;
        HttpNode node = null;
        try {
            if (settings == null) {
                redis = EmbeddedRedis.start(data.resolve("redis"));
                settings = embedded(redis, data.resolve("backup"));
            }
            settings = settings.withServer(server(settings.server()));
            signal.allow(settings.limits().closeTimeout());
            // What follows is short, and better finished than interrupted.
            signal.reactBy(() -> {});
            if (!signal.given()) {
                HttpOrigin readFrom = origin(settings);
                coordinator = coordinator(settings, readFrom);
                node = new HttpNode(coordinator, settings.server(), readFrom, writer(readFrom, settings), redis);
                node.start();
                awaitRemote(coordinator, signal);
                announce(out, settings, coordinator, node, started);
                tellMore();
                signal.await();
            }
        } catch (RuntimeException e) {
            if (!signal.given()) {
                throw e;
            }
        } finally {
            signal.reactBy(() -> {});
            if (signal.given()) {
                out.println("stopping");
                out.flush();
            }
            stop(node, coordinator, redis);
        }
    }

    private static CacheCoordinator coordinator(Settings settings, @Nullable HttpOrigin readFrom) {
        CacheCoordinator.Builder builder = CacheCoordinator.builder().settings(settings);
        if (readFrom != null) {
            builder.originCheck(new HttpOriginCheck(readFrom));
        }
        return builder.build();
    }

    private Settings fromFile(Path file) {
        LoadedSettings loaded = SettingsLoader.read(file, System.getenv());
        for (Problem warning : loaded.warnings()) {
            spec.commandLine().getErr().println("warning: " + warning);
        }
        spec.commandLine().getErr().flush();
        return loaded.settings();
    }

    private static Settings embedded(EmbeddedRedis redis, Path backup) {
        Settings d = Settings.defaults();
        BackupStorageSettings l3 = d.backupStorage();
        DistributedCacheSettings l2 = d.distributedCache()
                .at(DistributedCacheSettings.Topology.STANDALONE, new HostAndPort("127.0.0.1", redis.port()))
                .withLogin(null, redis.password());
        BackupStorageSettings newL3 = new BackupStorageSettings(
                true,
                l3.backend(),
                backup,
                l3.compression(),
                false,
                null,
                l3.keystoreAlias(),
                null,
                l3.retention(),
                l3.durable(),
                l3.timeout(),
                l3.queueEntries(),
                l3.queueMib());
        return d.withDistributedCache(l2)
                .withBackplane(d.backplane().withEnabled(true))
                .withBackupStorage(newL3);
    }

    private ServerSettings server(ServerSettings base) {
        String newHost = host == null ? base.host() : host;
        Secret token = tokenFile == null ? base.token() : token(tokenFile);
        if (token == null && !ServerSettings.isLoopback(newHost)) {
            throw new CommandFailure(
                    ExitCodes.USAGE,
                    "--host " + newHost + " is not loopback, which demands a token: give --token-file or server.token");
        }
        return new ServerSettings(
                newHost,
                port == null ? base.port() : port,
                token,
                base.maxBodyBytes(),
                chaos || base.chaos(),
                base.environment());
    }

    private static Secret token(Path file) {
        try {
            String token = Files.readString(file).strip();
            if (!token.isEmpty()) {
                return new Secret(token);
            }
        } catch (IOException e) {
            throw new CommandFailure(ExitCodes.USAGE, "token file " + file + " cannot be read");
        }
        throw new CommandFailure(ExitCodes.USAGE, "token file " + file + " is empty");
    }

    private @Nullable HttpOrigin origin(Settings settings) {
        return origin == null
                ? null
                : new HttpOrigin(
                        origin, settings.loading().timeout(), settings.limits().maxValueBytes() - 1_024);
    }

    private @Nullable HttpOriginWriter writer(@Nullable HttpOrigin readFrom, Settings settings) {
        if (!originWrites) {
            return null;
        }
        if (readFrom == null) {
            throw new CommandFailure(ExitCodes.USAGE, "--origin-writes needs an origin: give --origin");
        }
        return new HttpOriginWriter(readFrom, settings.loading().timeout());
    }

    /** Gives L2 a moment, so that the first words say what there is; a node starts without it all the same. */
    private static void awaitRemote(CacheCoordinator coordinator, StopSignal signal) {
        long deadline = System.nanoTime() + FIRST_CONNECT_NANOS;
        while (System.nanoTime() - deadline < 0
                && !signal.given()
                && coordinator.tiers().stream().anyMatch(tier -> tier.state() == TierStatus.State.CONNECTING)) {
            // Tiers say how they are when asked; a few milliseconds of a start are nothing to a person.
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    /** A node tells what it does. Not while it starts: then one line says why it cannot. */
    private static void tellMore() {
        if (System.getProperty(LOG_LEVEL) == null
                && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
            context.getLogger("dev.terrace").setLevel(Level.INFO);
        }
    }

    private static void announce(
            PrintWriter out, Settings settings, CacheCoordinator coordinator, HttpNode node, long started) {
        String url = "http://" + new HostAndPort(settings.server().host(), node.port());
        out.println("Terrace listens on " + url + " after " + TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - started)
                + " ms");
        for (TierStatus tier : coordinator.tiers()) {
            out.println("  " + tier.level() + "  " + tier.state().name().toLowerCase(Locale.ROOT) + "  "
                    + tier.description() + (tier.detail().isEmpty() ? "" : "  (" + tier.detail() + ")"));
        }
        out.println("Try:");
        out.println("  curl -X PUT --data 'hello' " + url + "/v1/caches/demo/entries/greeting");
        out.println("  curl -i " + url + "/v1/caches/demo/entries/greeting");
        out.println("  ./terrace explain demo greeting" + (node.port() == 8080 ? "" : " --url " + url));
        out.println("Ctrl-C stops it.");
        out.flush();
    }

    private static void stop(
            @Nullable HttpNode node, @Nullable CacheCoordinator coordinator, @Nullable EmbeddedRedis redis) {
        // Each whatever becomes of the others: writes must not be lost nor a Redis left behind.
        try {
            if (node != null) {
                node.close();
            }
        } finally {
            try {
                if (coordinator != null) {
                    coordinator.close();
                }
            } finally {
                if (redis != null) {
                    redis.close();
                }
            }
        }
    }
}
