package dev.terrace.benchmarks;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.ReplicationSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Replica;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.tier.redis.RedisReplicaProvider;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.Config;

/**
 * What a zone's fence costs: a fenced store and a vote beside a bare Redisson set, in turns, one caller, 1 KiB. Give {@code
 * installed} for the server on the PATH, else the bundled one is used.
 */
public final class FencedStore {
    private static final int TIMES = 4_000;
    private static final int KEYS = 500;
    private static final int ROUNDS = 5;

    private FencedStore() {}

    /** Prints medians in microseconds, a line per round. */
    public static void main(String[] arguments) {
        boolean installed = arguments.length > 0 && arguments[0].equals("installed");
        try (RedisProcess redis = installed
                ? RedisProcess.start(RedisProcess.preferredBinary("FencedStore"), RedisProcess.freePort())
                : RedisProcess.start()) {
            Config config = new Config().setCodec(ByteArrayCodec.INSTANCE);
            config.useSingleServer()
                    .setAddress("redis://127.0.0.1:" + redis.port())
                    .setConnectionPoolSize(8)
                    .setConnectionMinimumIdleSize(2);
            RedissonClient bare = Redisson.create(config);
            try (Replica zone = admitted(redis.port())) {
                for (int round = 0; round < ROUNDS; round++) {
                    round(round, redis.version(), bare, zone);
                }
            } finally {
                bare.shutdown();
            }
        }
    }

    private static Replica admitted(int port) {
        HostAndPort address = new HostAndPort("127.0.0.1", port);
        DistributedCacheSettings d = DistributedCacheSettings.defaults();
        Replica zone = new RedisReplicaProvider()
                .open(
                        "a",
                        new TestContext(
                                InstantSource.system(),
                                d.withReplication(ReplicationSettings.defaults()
                                        .withZones(List.of(ZoneSettings.of("a", Topology.STANDALONE, address))))));
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (true) {
            String token = UUID.randomUUID().toString();
            if (zone.begin(token).toCompletableFuture().join()
                    && zone.admit(token).toCompletableFuture().join()) {
                return zone;
            }
            if (System.nanoTime() > deadline) {
                throw new IllegalStateException("the zone was not admitted: " + zone.status());
            }
            Thread.onSpinWait();
        }
    }

    private static void round(int round, String version, RedissonClient bare, Replica zone) {
        HybridClock clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
        byte[] value = Workload.value(1024, 1);
        long[] set = new long[TIMES];
        long[] store = new long[TIMES];
        long[] vote = new long[TIMES];
        for (int i = 0; i < TIMES; i++) {
            long begin = System.nanoTime();
            bare.<byte[]>getBucket("bare" + i % KEYS).set(value);
            set[i] = System.nanoTime() - begin;
            long now = clock.millis();
            CacheKey key = CacheKey.of("bench", "k" + i % KEYS);
            Entry entry =
                    new Entry(key, EntryKind.VALUE, clock.next(), now, now + 600_000, now + 600_000, List.of(), value);
            begin = System.nanoTime();
            StoreOutcome outcome = zone.put(entry, WriteCondition.IF_NEWER)
                    .toCompletableFuture()
                    .join();
            store[i] = System.nanoTime() - begin;
            if (!(outcome instanceof StoreOutcome.Applied)) {
                throw new IllegalStateException(outcome.toString());
            }
            begin = System.nanoTime();
            zone.vote(key).toCompletableFuture().join();
            vote[i] = System.nanoTime() - begin;
        }
        System.out.printf(
                "Redis %s round %d: set %.1f us, fenced store %.1f us (%.2f), vote %.1f us%n",
                version, round, median(set), median(store), median(store) / median(set), median(vote));
    }

    private static double median(long[] nanos) {
        Arrays.sort(nanos);
        return nanos[nanos.length / 2] / 1e3;
    }
}
