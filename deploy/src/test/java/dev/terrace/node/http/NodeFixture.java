package dev.terrace.node.http;

import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import dev.terrace.config.ServerSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.origin.HttpOrigin;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/** A node in this process over a real Redis and a real RocksDB. */
final class NodeFixture implements AutoCloseable {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();

    private final CacheCoordinator coordinator;
    private final HttpNode node;

    NodeFixture(int redisPort, Path backup, @Nullable URI origin, @Nullable String token) {
        Settings settings = settings(redisPort, backup, token);
        coordinator = CacheCoordinator.open(settings);
        node = new HttpNode(
                coordinator,
                settings.server(),
                origin == null ? null : new HttpOrigin(origin, Duration.ofSeconds(2), 1 << 20));
        node.start();
    }

    static Settings settings(int redisPort, Path backup, @Nullable String token) {
        Settings d = Settings.defaults();
        BackupStorageSettings l3 = d.backupStorage();
        DistributedCacheSettings l2 = d.distributedCache()
                .at(DistributedCacheSettings.Topology.STANDALONE, new HostAndPort("127.0.0.1", redisPort))
                .withTimeout(Duration.ofSeconds(1));
        BackupStorageSettings newL3 = new BackupStorageSettings(
                true,
                l3.backend(),
                backup,
                true,
                false,
                null,
                l3.keystoreAlias(),
                null,
                l3.retention(),
                true,
                l3.timeout(),
                l3.queueEntries(),
                l3.queueMib());
        return d.withDistributedCache(l2)
                .withBackplane(d.backplane().withEnabled(true))
                .withBackupStorage(newL3)
                .withServer(new ServerSettings("127.0.0.1", 0, token == null ? null : new Secret(token), 2 << 20));
    }

    void awaitReady() {
        Awaitility.await()
                .atMost(Duration.ofSeconds(20))
                .until(() -> coordinator.tiers().stream().allMatch(tier -> tier.state() == TierStatus.State.READY));
    }

    int port() {
        return node.port();
    }

    CacheCoordinator coordinator() {
        return coordinator;
    }

    HttpResponse<String> send(String method, String path, @Nullable String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port() + path))
                .timeout(Duration.ofSeconds(20))
                .method(
                        method,
                        body == null
                                ? HttpRequest.BodyPublishers.noBody()
                                : HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new AssertionError(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    HttpResponse<String> get(String path) {
        return send("GET", path, null);
    }

    static String tier(HttpResponse<String> response) {
        return response.headers().firstValue("Terrace-Tier").orElse("none, status " + response.statusCode());
    }

    @Override
    public void close() {
        node.close();
        coordinator.close();
    }
}
