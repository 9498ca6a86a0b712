package dev.terrace.node.replay;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Secret;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.node.StopSignal;
import dev.terrace.node.embedded.EmbeddedRedis;
import dev.terrace.spi.TierStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** All three tiers, for the length of one replay. Without settings of the user: in a temporary folder that is removed. */
final class Playground implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Playground.class);
    private static final Duration LONGER_THAN_ANY_REPLAY = Duration.ofHours(12);
    private static final Duration L2_PATIENCE = Duration.ofSeconds(5);
    private static final long BYTES_PER_MIB = 1 << 20;
    private static final int ENTRY_OVERHEAD_BYTES = 512;

    private final CacheCoordinator coordinator;
    private final @Nullable EmbeddedRedis redis;
    private final @Nullable Path folder;
    private boolean closed;

    private Playground(CacheCoordinator coordinator, @Nullable EmbeddedRedis redis, @Nullable Path folder) {
        this.coordinator = coordinator;
        this.redis = redis;
        this.folder = folder;
    }

    /** The tiers of a real deployment. */
    static Playground of(Settings settings) {
        return new Playground(CacheCoordinator.open(settings), null, null);
    }

    /** Tiers of its own. */
    static Playground temporary(long l1Capacity, int l2MemoryMib, int valueBytes, StopSignal signal) {
        Path folder;
        try {
            folder = Files.createTempDirectory("terrace-replay-");
        } catch (IOException e) {
            throw new SetupException(
                    "no temporary folder can be made (" + e.getMessage() + ")",
                    "set TERRACE_JAVA_OPTS=-Djava.io.tmpdir=FOLDER",
                    e);
        }
        EmbeddedRedis redis = null;
        try {
            redis = EmbeddedRedis.start(folder.resolve("redis"), l2MemoryMib);
            // What follows is short, and better finished than interrupted.
            signal.reactBy(() -> {});
            return new Playground(
                    CacheCoordinator.open(settings(folder, redis, l1Capacity, valueBytes)), redis, folder);
        } catch (RuntimeException e) {
            if (redis != null) {
                redis.close();
            }
            remove(folder);
            throw e;
        }
    }

    private static Settings settings(Path folder, EmbeddedRedis redis, long l1Capacity, int valueBytes) {
        Settings d = Settings.defaults();
        LocalCacheSettings l1 = d.localCache();
        BackupStorageSettings l3 = d.backupStorage();
        long roomForAllMib = (l1Capacity * (valueBytes + ENTRY_OVERHEAD_BYTES) * 2) / BYTES_PER_MIB;
        LocalCacheSettings newL1 = new LocalCacheSettings(
                true,
                l1Capacity,
                Math.max(l1.maxMemoryMib(), roomForAllMib),
                LONGER_THAN_ANY_REPLAY,
                l1.evictionPolicy(),
                l1.sweepInterval());
        DistributedCacheSettings l2 = d.distributedCache()
                .at(DistributedCacheSettings.Topology.STANDALONE, new HostAndPort("127.0.0.1", redis.port()))
                .withTtl(LONGER_THAN_ANY_REPLAY)
                // The trace runs as fast as it can on whatever machine this is: no reason to skip a tier.
                .withTimeout(L2_PATIENCE)
                .withLogin(null, redis.password());
        BackupStorageSettings newL3 = new BackupStorageSettings(
                true,
                l3.backend(),
                folder.resolve("backup"),
                l3.compression(),
                true,
                null,
                l3.keystoreAlias(),
                new Secret(randomPassphrase()),
                LONGER_THAN_ANY_REPLAY,
                l3.durable(),
                L2_PATIENCE,
                l3.queueEntries(),
                l3.queueMib());
        // Without a backplane: this is one process, there is nobody to tell.
        return d.withLocalCache(newL1).withDistributedCache(l2).withBackupStorage(newL3);
    }

    private static String randomPassphrase() {
        byte[] random = new byte[32];
        new SecureRandom().nextBytes(random);
        return HexFormat.of().formatHex(random);
    }

    CacheCoordinator coordinator() {
        return coordinator;
    }

    /** Waits until no tier is still connecting, a few seconds at most: a cold L2 would only measure the start. */
    void awaitConnected() {
        long deadline = System.nanoTime() + L2_PATIENCE.toNanos();
        while (System.nanoTime() - deadline < 0
                && coordinator.tiers().stream().anyMatch(tier -> tier.state() == TierStatus.State.CONNECTING)) {
            // Tiers say how they are when asked.
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    /** Closes the tiers, removes the temporary folder. Idempotent, because Ctrl-C calls it too. */
    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        coordinator.close();
        if (redis != null) {
            redis.close();
        }
        if (folder != null) {
            remove(folder);
        }
    }

    private static void remove(Path folder) {
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            LOG.warn("temporary folder could not be removed folder={}", folder, e);
        }
    }
}
