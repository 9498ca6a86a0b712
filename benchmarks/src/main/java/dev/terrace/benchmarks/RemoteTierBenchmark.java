package dev.terrace.benchmarks;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import dev.terrace.tier.redis.RedisTierProvider;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
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
import org.redisson.api.RScript;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.client.codec.StringCodec;
import org.redisson.config.Config;

/**
 * The remote tier by itself beside bare Redisson with default settings (but the raw codec), on the same server. Vary the
 * callers with {@code -t 1} and {@code -t 64}.
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgsAppend = "-Xmx1g")
public class RemoteTierBenchmark {
    private static final int ENTRIES = 10_000;
    private static final int VALUE_BYTES = 1024;
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** One real server, filled once through the tier and once by hand. */
    @State(Scope.Benchmark)
    public static class Server {
        RedisProcess redis;
        RedissonClient redisson;
        Tier tier;
        HybridClock clock;
        CacheKey[] keys;
        String[] names;
        byte[] value;
        String script;

        @Setup(Level.Trial)
        public void start() throws Exception {
            redis = RedisProcess.start();
            clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
            value = Workload.value(VALUE_BYTES, 1);
            names = Workload.keys(ENTRIES);
            keys = new CacheKey[ENTRIES];
            tier = new RedisTierProvider().open(new TestContext(InstantSource.system(), settings(redis.port())));
            Config config = new Config().setCodec(ByteArrayCodec.INSTANCE);
            config.useSingleServer().setAddress("redis://127.0.0.1:" + redis.port());
            redisson = Redisson.create(config);
            script = redisson.getScript(StringCodec.INSTANCE).scriptLoad(storeScript());
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (tier.status().state() != TierStatus.State.READY) {
                if (System.nanoTime() > deadline) {
                    throw new IllegalStateException("the tier did not connect: " + tier.status());
                }
                Thread.onSpinWait();
            }
            for (int i = 0; i < ENTRIES; i++) {
                keys[i] = CacheKey.of("bench", names[i]);
                applied(tier.put(entry(keys[i]), WriteCondition.IF_NEWER)
                        .toCompletableFuture()
                        .join());
                redisson.<byte[]>getBucket(names[i]).set(value);
            }
        }

        private static String storeScript() throws Exception {
            try (InputStream in = RedisTierProvider.class.getResourceAsStream("store-v1.lua")) {
                return new String(in.readAllBytes(), StandardCharsets.UTF_8);
            }
        }

        private static DistributedCacheSettings settings(int port) {
            DistributedCacheSettings d = DistributedCacheSettings.defaults();
            return d.at(d.topology(), new HostAndPort("127.0.0.1", port))
                    .withTimeout(Duration.ofSeconds(2))
                    .withPoolSize(Integer.getInteger("bench.pool", d.poolSize()));
        }

        int any() {
            return ThreadLocalRandom.current().nextInt(ENTRIES);
        }

        Entry entry(CacheKey key) {
            long now = clock.millis();
            return new Entry(
                    key, EntryKind.VALUE, clock.next(), now, now + HOUR_MILLIS, now + HOUR_MILLIS, List.of(), value);
        }

        @TearDown(Level.Trial)
        public void stop() {
            tier.close();
            redisson.shutdown();
            redis.close();
        }
    }

    private static StoreOutcome applied(StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Unavailable) {
            throw new IllegalStateException("a write failed: " + outcome);
        }
        return outcome;
    }

    @Benchmark
    public Lookup terraceGet(Server server) {
        Lookup found =
                server.tier.get(server.keys[server.any()]).toCompletableFuture().join();
        if (!(found instanceof Lookup.Hit)) {
            throw new IllegalStateException("the benchmark measures hits, this was " + found);
        }
        return found;
    }

    @Benchmark
    public byte[] redissonGet(Server server) {
        byte[] found =
                server.redisson.<byte[]>getBucket(server.names[server.any()]).get();
        if (found.length != VALUE_BYTES) {
            throw new IllegalStateException("the benchmark measures hits");
        }
        return found;
    }

    @Benchmark
    public StoreOutcome terracePutIfNewer(Server server) {
        return applied(server.tier
                .put(server.entry(server.keys[server.any()]), WriteCondition.IF_NEWER)
                .toCompletableFuture()
                .join());
    }

    /** The same script with the same arguments. */
    @Benchmark
    public Object redissonEvalShaIfNewer(Server server) {
        int any = server.any();
        byte[] envelope = Envelope.encode(server.entry(server.keys[any]));
        Object answer = server.redisson
                .getScript(ByteArrayCodec.INSTANCE)
                .evalSha(
                        server.names[any] + ":v",
                        RScript.Mode.READ_WRITE,
                        server.script,
                        RScript.ReturnType.VALUE,
                        List.of(server.names[any] + ":v"),
                        new byte[] {'N'},
                        envelope,
                        ascii(HOUR_MILLIS),
                        ascii(server.clock.millis()),
                        new byte[0]);
        if (answer == null) {
            throw new IllegalStateException("the script answered nothing");
        }
        return answer;
    }

    private static byte[] ascii(long number) {
        return Long.toString(number).getBytes(StandardCharsets.US_ASCII);
    }
}
