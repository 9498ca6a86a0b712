package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.redisson.Redisson;
import org.redisson.api.BatchOptions;
import org.redisson.api.RBatch;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.Config;

/** A hit in the remote tier, one key and a hundred: the whole coordinator beside bare Redisson on the same server. */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(value = 2, jvmArgsAppend = "-Xmx1g")
public class RemoteHitBenchmark {
    private static final int ENTRIES = 10_000;
    private static final int BATCH = 100;
    private static final int VALUE_BYTES = 1024;

    /** One real server, filled once through Terrace and once by hand. */
    @State(Scope.Benchmark)
    public static class Server {
        RedisProcess redis;
        RedissonClient redisson;
        CacheCoordinator coordinator;
        Cache<String, byte[]> cache;
        String[] keys;

        @Setup(Level.Trial)
        public void start() throws Exception {
            keys = Workload.keys(ENTRIES);
            redis = RedisProcess.start();
            coordinator = CacheCoordinator.open(settings(redis.port()));
            cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
            Config config = new Config().setCodec(ByteArrayCodec.INSTANCE);
            config.useSingleServer()
                    .setAddress("redis://127.0.0.1:" + redis.port())
                    .setConnectionPoolSize(8)
                    .setConnectionMinimumIdleSize(2);
            redisson = Redisson.create(config);
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (!cache.put("probe", new byte[0]).missed().isEmpty()) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the remote tier did not connect: " + coordinator.tiers());
                }
                Thread.onSpinWait();
            }
            for (int i = 0; i < ENTRIES; i++) {
                byte[] value = Workload.value(VALUE_BYTES, i);
                cache.put(keys[i], value);
                redisson.<byte[]>getBucket(keys[i]).set(value);
            }
        }

        private static Settings settings(int port) {
            Settings d = Settings.defaults();
            LocalCacheSettings l1 = d.localCache();
            DistributedCacheSettings l2 = d.distributedCache();
            return d.withLocalCache(new LocalCacheSettings(
                            false, l1.capacity(), l1.maxMemoryMib(), l1.ttl(), l1.evictionPolicy(), l1.sweepInterval()))
                    .withDistributedCache(l2.at(l2.topology(), new HostAndPort("127.0.0.1", port))
                            .withTtl(Duration.ofHours(1))
                            .withTimeout(Duration.ofSeconds(2)))
                    .withBackplane(d.backplane().withEnabled(true));
        }

        String anyKey() {
            return keys[ThreadLocalRandom.current().nextInt(ENTRIES)];
        }

        List<String> anyKeys() {
            int from = ThreadLocalRandom.current().nextInt(ENTRIES - BATCH);
            return Arrays.asList(keys).subList(from, from + BATCH);
        }

        @TearDown(Level.Trial)
        public void stop() throws Exception {
            coordinator.close();
            redisson.shutdown();
            redis.close();
        }
    }

    @Benchmark
    public byte[] terraceGet(Server server) {
        return found(server.cache.get(server.anyKey()));
    }

    @Benchmark
    public byte[] redissonGet(Server server) {
        return found(server.redisson.<byte[]>getBucket(server.anyKey()).get());
    }

    @Benchmark
    public byte[] terraceGetAsync(Server server) {
        return found(
                server.cache.async().get(server.anyKey()).toCompletableFuture().join());
    }

    @Benchmark
    public byte[] redissonGetAsync(Server server) {
        return found(server.redisson
                .<byte[]>getBucket(server.anyKey())
                .getAsync()
                .toCompletableFuture()
                .join());
    }

    @Benchmark
    public Map<String, byte[]> terraceGetAll(Server server) {
        Map<String, byte[]> all = server.cache.getAll(server.anyKeys());
        if (all.size() != BATCH) {
            throw new IllegalStateException("the benchmark measures hits, there were misses: " + all.size());
        }
        return all;
    }

    @Benchmark
    public List<?> redissonBatch(Server server) {
        RBatch batch = server.redisson.createBatch(BatchOptions.defaults());
        List<String> keys = new ArrayList<>(server.anyKeys());
        for (String key : keys) {
            batch.<byte[]>getBucket(key).getAsync();
        }
        return batch.execute().getResponses();
    }

    /** A miss would be fast and wrong. */
    private static byte[] found(byte[] value) {
        if (value == null || value.length != VALUE_BYTES) {
            throw new IllegalStateException("the benchmark measures hits, this was a miss: "
                    + (value == null ? "null" : new String(value, StandardCharsets.ISO_8859_1)));
        }
        return value;
    }
}
