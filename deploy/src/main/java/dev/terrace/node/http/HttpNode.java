package dev.terrace.node.http;

import dev.terrace.api.SetupException;
import dev.terrace.config.ServerSettings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.chaos.Chaos;
import dev.terrace.node.embedded.EmbeddedRedis;
import dev.terrace.node.jobs.Jobs;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.node.origin.HttpOriginWriter;
import java.net.BindException;
import java.time.Duration;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.Callback;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/** Serves one coordinator over HTTP. Thread-safe; does not own the coordinator. */
public final class HttpNode implements AutoCloseable {
    private static final int MOST_THREADS = 64;
    private static final int FEWEST_THREADS = 4;
    private static final int HEADER_BYTES = 16 << 10;
    private static final int IDLE_MILLIS = 30_000;
    private static final Duration BODY_GRACE = Duration.ofSeconds(30);
    private static final int STOP_MILLIS = 5_000;

    private final Server server;
    private final ServerConnector connector;
    private final Jobs jobs = new Jobs();
    private final Chaos chaos;
    private final ServerSettings settings;
    private final WarmupEndpoints warmups;
    private final boolean warmsUpOnStart;

    /** Prepares; {@link #start} listens. */
    public HttpNode(CacheCoordinator coordinator, ServerSettings settings, @Nullable HttpOrigin origin) {
        this(coordinator, settings, origin, null, null, BODY_GRACE);
    }

    /** As the other; {@code writer} makes PUT and DELETE below {@code /origin/} writes to the origin. */
    public HttpNode(
            CacheCoordinator coordinator,
            ServerSettings settings,
            @Nullable HttpOrigin origin,
            @Nullable HttpOriginWriter writer) {
        this(coordinator, settings, origin, writer, null, BODY_GRACE);
    }

    /** As the other; {@code redis} is the server that this node started for itself, which chaos may break where the settings allow any. */
    public HttpNode(
            CacheCoordinator coordinator,
            ServerSettings settings,
            @Nullable HttpOrigin origin,
            @Nullable HttpOriginWriter writer,
            @Nullable EmbeddedRedis redis) {
        this(coordinator, settings, origin, writer, redis, BODY_GRACE);
    }

    /** As the other; {@code bodyGrace} is how long a body may take before its rate is looked at. */
    HttpNode(
            CacheCoordinator coordinator,
            ServerSettings settings,
            @Nullable HttpOrigin origin,
            @Nullable HttpOriginWriter writer,
            @Nullable EmbeddedRedis redis,
            Duration bodyGrace) {
        this.chaos = new Chaos(coordinator, redis);
        this.settings = settings;
        QueuedThreadPool threads = new QueuedThreadPool(MOST_THREADS, FEWEST_THREADS);
        threads.setName("terrace-http");
        this.server = new Server(threads);
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setSendDateHeader(true);
        http.setRequestHeaderSize(HEADER_BYTES);
        // Keys are any bytes, slashes and dots included; the router cuts the raw path itself.
        http.setUriCompliance(UriCompliance.UNSAFE);
        this.connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        connector.setHost(settings.host());
        connector.setPort(settings.port());
        connector.setIdleTimeout(IDLE_MILLIS);
        server.addConnector(connector);
        server.setStopTimeout(STOP_MILLIS);
        server.setErrorHandler(HttpNode::answerError);
        Router router = new Router(settings, bodyGrace);
        OriginEndpoints originEndpoints = origin == null ? null : new OriginEndpoints(coordinator, origin, writer);
        if (originEndpoints != null) {
            originEndpoints.addTo(router);
        }
        ServedCaches caches = new ServedCaches(coordinator, originEndpoints != null);
        new EntryEndpoints(caches, originEndpoints).addTo(router);
        new BulkEndpoints(caches).addTo(router);
        new InvalidationEndpoints(caches).addTo(router);
        new OperationsEndpoints(coordinator, jobs).addTo(router);
        this.warmups = new WarmupEndpoints(coordinator, jobs);
        this.warmsUpOnStart = coordinator.settings().warmup().onStart();
        warmups.addTo(router);
        new FleetEndpoints(coordinator).addTo(router);
        new LocalEndpoints(coordinator).addTo(router);
        new JournalEndpoints(coordinator).addTo(router);
        new LadderEndpoints(coordinator).addTo(router);
        new KeyEndpoints(coordinator).addTo(router);
        new BackupEndpoints(coordinator, jobs).addTo(router);
        new ChaosEndpoints(chaos, settings.chaos()).addTo(router);
        server.setHandler(router);
    }

    /** What Jetty itself refuses: unreadable requests. */
    private static boolean answerError(Request request, Response response, Callback callback) {
        int status = response.getStatus() >= 400 ? response.getStatus() : 500;
        new Exchange(request, response, callback, 0, BODY_GRACE)
                .problem(
                        status,
                        HttpStatus.getMessage(status),
                        status >= 500
                                ? "the node could not answer"
                                : "the request could not be read as HTTP, or its head is too long");
        return true;
    }

    /**
     * Listens, and begins a warm-up when the settings ask for one.
     *
     * @throws SetupException when the port is taken
     */
    public void start() {
        try {
            server.start();
        } catch (Exception e) {
            close();
            boolean taken = e instanceof BindException || e.getCause() instanceof BindException;
            throw new SetupException(
                    "cannot listen on " + settings.host() + ":" + settings.port() + ": " + e.getMessage(),
                    taken ? "stop what listens there, or choose another port with --port" : "",
                    e);
        }
        if (warmsUpOnStart) {
            warmups.start();
        }
    }

    /** Where it listens. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Lets running requests end within seconds, then stops listening. */
    @Override
    public void close() {
        jobs.close();
        chaos.close();
        try {
            server.stop();
        } catch (Exception e) {
            throw new IllegalStateException("the HTTP server did not stop", e);
        }
    }
}
