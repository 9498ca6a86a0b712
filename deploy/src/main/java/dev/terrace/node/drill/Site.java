package dev.terrace.node.drill;

import com.fasterxml.jackson.databind.JsonNode;
import dev.terrace.config.ObjectStorageSettings;
import dev.terrace.config.Settings;
import dev.terrace.config.SettingsLoader;
import dev.terrace.config.SettingsText;
import dev.terrace.node.embedded.EmbeddedRedis;
import dev.terrace.spi.BlobException;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A throw-away deployment on loopback: a Redis and a node as processes of their own, a folder for L3, a repository. Everything lies in one
 * folder, but for a repository in a bucket that the settings name, below a prefix of its own. What breaks is this and nothing else. For one
 * thread.
 */
final class Site implements AutoCloseable {
    private static final long SNAPSHOT_SECONDS = 600;
    private static final long PATIENCE_SECONDS = 90;
    private static final long POLL_MILLIS = 50;
    private static final int ENTRY_OVERHEAD_BYTES = 1_024;

    private final Path folder;
    private final Operator operator;
    private final EmbeddedRedis redis;
    private final InstantSource clock = InstantSource.system();
    private final NodeCalls calls = new NodeCalls();
    private SettingsText text;
    private final Settings first;
    private Settings settings;
    private Path config;
    private int nodes;
    private @Nullable NodeProcess node;

    private Site(Path folder, DrillPlan plan, boolean ownStorage, Operator operator) throws IOException {
        this.folder = folder;
        this.operator = operator;
        long memoryMib = 64 + ((long) plan.entries() * (plan.valueBytes() + ENTRY_OVERHEAD_BYTES) >> 20);
        this.redis = EmbeddedRedis.start(folder.resolve("redis"), (int) Math.min(Integer.MAX_VALUE, memoryMib));
        try {
            this.text = text(plan, ownStorage);
            this.settings = parse();
            this.first = settings;
            this.config = write();
        } catch (IOException | RuntimeException e) {
            redis.close();
            throw e;
        }
    }

    private Settings parse() {
        return SettingsLoader.parse(text.toString(), "the drill's settings", System.getenv())
                .settings();
    }

    /**
     * Starts its Redis.
     *
     * @param ownStorage whether the repository is a folder of the drill's, whatever the plan's settings say
     */
    static Site build(Path folder, DrillPlan plan, boolean ownStorage, Operator operator) throws IOException {
        return new Site(folder.toRealPath(), plan, ownStorage, operator);
    }

    private SettingsText text(DrillPlan plan, boolean ownStorage) {
        SettingsText base = plan.base() == null ? SettingsText.empty() : plan.base();
        Object url = base.find("backup_storage.object_storage.url");
        String repository = url == null || ownStorage || plan.base() == null
                ? url(folder.resolve("repository"))
                : url.toString().replaceAll("/+$", "") + "/drill-" + random(6);
        if (ownStorage || url == null) {
            base = base.with("backup_storage.object_storage", null).with("backup_storage.backend", null);
        }
        if (!"true".equals(String.valueOf(base.find("backup_storage.encryption")))) {
            base = base.with("backup_storage.encryption", true)
                    .with("backup_storage.key_service", null)
                    .with("backup_storage.keystore", null)
                    .with("backup_storage.passphrase", random(24));
        }
        return base.with("server.host", "127.0.0.1")
                .with("server.port", 0)
                .with("server.token", null)
                .with("server.environment", "drill")
                .with("local_cache.enabled", true)
                .with("distributed_cache.enabled", true)
                .with("distributed_cache.cluster_nodes", List.of("127.0.0.1:" + redis.port()))
                .with("distributed_cache.topology", "standalone")
                .with("distributed_cache.password", redis.password().reveal())
                .with("distributed_cache.username", null)
                .with("distributed_cache.tls", null)
                .with("distributed_cache.zones", null)
                .with("distributed_cache.sentinel_master", null)
                .with("distributed_cache.database", null)
                .with("distributed_cache.replication_factor", null)
                .with("distributed_cache.consistency_level", null)
                .with("distributed_cache.ttl", "12h")
                .with("backplane", null)
                .with("journal.path", folder.resolve("journal"))
                .with("backup_storage.enabled", true)
                .with("backup_storage.path", l3())
                .with("backup_storage.object_storage.url", repository)
                .with("backup_storage.object_storage.anchor", null)
                // Nothing of a drill may expire before it is counted.
                .with("backup_storage.retention", "1d")
                .withDefault("backup_storage.timeout", "10s")
                .withDefault("backup_storage.ship_interval", "1s");
    }

    private static String url(Path folder) {
        try {
            return new URI("file", null, folder.toString(), null).toString(); // With blanks as %20.
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private static String random(int bytes) {
        byte[] random = new byte[bytes];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    private Path write() throws IOException {
        Path file = folder.resolve("terrace-" + ++nodes + ".yaml");
        return Files.writeString(file, text.toString());
    }

    NodeCalls calls() {
        return calls;
    }

    EmbeddedRedis redis() {
        return redis;
    }

    InstantSource clock() {
        return clock;
    }

    Path l3() {
        return folder.resolve("l3");
    }

    Path repositoryFolder() {
        return folder.resolve("repository");
    }

    Duration shipInterval() {
        return settings.backupStorage().schedule().shipInterval();
    }

    URI repository() throws DrillFailure {
        ObjectStorageSettings storage = settings.backupStorage().objectStorage();
        if (storage == null) {
            throw new DrillFailure("the drill has no repository");
        }
        return storage.url();
    }

    Bucket bucket() throws BlobException {
        return new Bucket(settings);
    }

    /** From now on with another value; for nodes that are started later. */
    void set(String path, Object value) throws IOException {
        text = text.with(path, value);
        settings = parse();
        config = write();
    }

    /** Starts a node, and waits until it listens. */
    String startNode() throws IOException, InterruptedException, DrillFailure {
        NodeProcess started = NodeProcess.start(config, folder.resolve("node-" + nodes + "-" + random(2) + ".log"));
        node = started;
        calls.use(started.awaitUrl());
        return "process " + started.pid();
    }

    String killNode() throws InterruptedException, DrillFailure {
        NodeProcess victim = running();
        victim.kill();
        node = null;
        return "SIGKILL to process " + victim.pid();
    }

    String stopNode() throws InterruptedException, DrillFailure {
        NodeProcess stopped = running();
        stopped.stop();
        node = null;
        return "SIGTERM to process " + stopped.pid();
    }

    private NodeProcess running() throws DrillFailure {
        NodeProcess now = node;
        if (now == null) {
            throw new DrillFailure("no node runs");
        }
        return now;
    }

    /** Kills Redis and removes what it had on disk. */
    String loseRedis() throws IOException {
        redis.kill();
        try (Stream<Path> files = Files.list(folder.resolve("redis"))) {
            for (Path file : files.toList()) {
                String name = String.valueOf(file.getFileName());
                if (name.startsWith("appendonly") || name.endsWith(".rdb")) {
                    remove(file);
                }
            }
        }
        return "SIGKILL to process " + redis.pid() + ", its files are gone";
    }

    void loseL3() throws IOException {
        remove(l3());
    }

    /** Types a command with the settings of the node and returns how it ended. */
    Operator.Ended type(String... words) {
        List<String> all = new ArrayList<>(List.of(words));
        all.addAll(List.of("--config", config.toString()));
        return operator.type(all);
    }

    /** Types one that must succeed. */
    String mustType(String... words) throws DrillFailure {
        Operator.Ended ended = type(words);
        if (ended.exitCode() != 0) {
            throw new DrillFailure("terrace " + String.join(" ", words) + " ended with " + ended.exitCode() + ": "
                    + (ended.err() + ended.out()).strip());
        }
        return ended.out().strip();
    }

    /** How the node says that its backups stand. */
    JsonNode backup() throws IOException, InterruptedException {
        return calls.json("GET", "/backup", null);
    }

    /** Waits until what was written until now is in the repository. */
    String awaitShipped() throws IOException, InterruptedException, DrillFailure {
        long now = clock.millis();
        JsonNode status = await("/backup", "everything is in the repository", PATIENCE_SECONDS, answer -> {
            String through = answer.path("through").asText("");
            return !through.isEmpty()
                    && !through.equals("null")
                    && Instant.parse(through).toEpochMilli() >= now;
        });
        return "generation " + status.path("generation").asText();
    }

    /** Takes a snapshot of all that is there now, and sends again what the repository has lost. */
    String snapshot() throws IOException, InterruptedException, DrillFailure {
        return "generation "
                + job("/backup", "{}", SNAPSHOT_SECONDS).path("generation").asText();
    }

    /** Runs a job of the node to its end. */
    JsonNode job(String path, String body, long seconds) throws IOException, InterruptedException, DrillFailure {
        JsonNode job = calls.json("POST", path, body);
        JsonNode ended = await(
                "/jobs/" + job.path("id").asText(),
                path + " has ended",
                seconds,
                answer -> List.of("done", "failed", "stopped")
                        .contains(answer.path("state").asText()));
        if (!ended.path("state").asText().equals("done")) {
            throw new DrillFailure(path + " failed: " + ended.path("error").asText());
        }
        return ended.path("progress");
    }

    /** Says whether an answer is the one that is waited for. */
    interface Wanted {
        boolean isThere(JsonNode answer);
    }

    /** Asks again and again, also while no node answers. */
    JsonNode await(String path, String what, long seconds, Wanted wanted) throws InterruptedException, DrillFailure {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
        String last = "no answer";
        while (System.nanoTime() - end < 0) {
            try {
                JsonNode answer = calls.json("GET", path, null);
                last = answer.toString();
                if (wanted.isThere(answer)) {
                    return answer;
                }
            } catch (IOException e) {
                last = String.valueOf(e.getMessage());
            }
            // Nodes do not call back.
            TimeUnit.MILLISECONDS.sleep(POLL_MILLIS);
        }
        throw new DrillFailure("not within " + seconds + " s: " + what + "; the last answer: " + last);
    }

    static void remove(Path folder) throws IOException {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        }
    }

    /** What people should know of it. */
    Map<String, Object> facts() {
        return Map.of(
                "l1", "off-heap, in the node",
                "l2", "a Redis of the drill's own",
                "l3", "RocksDB, encrypted, in a folder of the drill's own",
                "repository", String.valueOf(text.find("backup_storage.object_storage.url")),
                "ship_interval_seconds", shipInterval().toMillis() / 1000.0);
    }

    /** Ends its processes. Files stay. */
    @Override
    public void close() {
        try {
            if (node != null) {
                node.close();
            }
        } finally {
            redis.close();
        }
    }

    /** Removes what it has in a bucket; for a drill that leaves no evidence. */
    void emptyBucket() throws BlobException, DrillFailure {
        if (!"file".equals(repository().getScheme())) {
            try (Bucket bucket = new Bucket(first)) {
                bucket.removeAll();
            }
        }
    }
}
