package dev.terrace.benchmarks;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.ReplicationSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.replication.ReplicatedTier;
import dev.terrace.replication.Timing;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicationMode;
import dev.terrace.spi.Version;
import dev.terrace.testkit.TestContext;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.ServiceLoader;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;
import org.redisson.Redisson;
import org.redisson.api.RedissonClient;
import org.redisson.client.codec.ByteArrayCodec;
import org.redisson.config.Config;

/**
 * Three zones, three copies, beside one bare Redisson bucket with default settings (but the raw codec) on the first zone's server.
 * Vary the callers with {@code -t 1} and {@code -t 64}; {@code -p frozen=true} stops the third zone.
 */
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 2)
@Fork(value = 1, jvmArgsAppend = "-Xmx1g")
public class ZonesBenchmark {
    private static final int ENTRIES = 2_000;
    private static final int VALUE_BYTES = 1024;
    private static final int ZONES = 3;
    private static final long HOUR_MILLIS = TimeUnit.HOURS.toMillis(1);

    /** Real servers, formed into zones and filled once. */
    @State(Scope.Benchmark)
    public static class Zones {
        /** Whether the third zone is frozen while it is measured. */
        @Param("false")
        boolean frozen;

        final List<RedisProcess> servers = new ArrayList<>();
        final CacheKey[] keys = new CacheKey[ENTRIES];
        final String[] names = Workload.keys(ENTRIES);
        final byte[] value = Workload.value(VALUE_BYTES, 1);
        final byte[][] envelopes = new byte[ENTRIES][];
        ScheduledExecutorService timer;
        HybridClock clock;

        /** Writes every key last itself, so its writes take one round. */
        ReplicatedTier owner;

        RedissonClient redisson;

        @Setup(Level.Trial)
        public void start() {
            timer = Executors.newSingleThreadScheduledExecutor(task -> {
                Thread thread = new Thread(task, "zones-timer");
                thread.setDaemon(true);
                return thread;
            });
            clock = new HybridClock(InstantSource.system(), 1, Duration.ofSeconds(5));
            for (int i = 0; i < ZONES; i++) {
                servers.add(RedisProcess.start());
            }
            owner = open();
            Config config = new Config().setCodec(ByteArrayCodec.INSTANCE);
            config.useSingleServer()
                    .setAddress("redis://127.0.0.1:" + servers.get(0).port());
            redisson = Redisson.create(config);
            for (int i = 0; i < ENTRIES; i++) {
                keys[i] = CacheKey.of("bench", names[i]);
                envelopes[i] = Envelope.encode(make(i).apply(clock.next()));
                redisson.<byte[]>getBucket(names[i]).set(envelopes[i]);
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
                while (put(owner, i).outcome() != Replicated.Outcome.ACKNOWLEDGED) {
                    if (System.nanoTime() > deadline) {
                        throw new IllegalStateException("the zones were not formed: " + owner.status());
                    }
                    Thread.onSpinWait();
                }
            }
            if (frozen) {
                servers.get(ZONES - 1).freeze();
            }
        }

        private ReplicatedTier open() {
            ReplicaProvider provider =
                    ServiceLoader.load(ReplicaProvider.class).findFirst().orElseThrow();
            List<ZoneSettings> settings = new ArrayList<>();
            for (int i = 0; i < ZONES; i++) {
                settings.add(ZoneSettings.of(
                        "zone-" + (i + 1),
                        Topology.STANDALONE,
                        new HostAndPort("127.0.0.1", servers.get(i).port())));
            }
            DistributedCacheSettings all = DistributedCacheSettings.defaults()
                    .withReplication(ReplicationSettings.defaults().withZones(settings));
            List<Replica> zones = new ArrayList<>();
            settings.forEach(
                    zone -> zones.add(provider.open(zone.name(), new TestContext(InstantSource.system(), all))));
            return new ReplicatedTier(
                    zones,
                    new ReplicatedTier.Setup(ZONES, ReplicationMode.QUORUM, Map.of(), 2_000, 100_000, 60_000, 500),
                    clock,
                    Timing.real(timer),
                    new MetricRegistry());
        }

        java.util.function.Function<Version, Entry> make(int index) {
            long now = clock.millis();
            return version -> new Entry(
                    keys[index], EntryKind.VALUE, version, now, now + HOUR_MILLIS, now + HOUR_MILLIS, List.of(), value);
        }

        Replicated put(ReplicatedTier tier, int index) {
            return tier.write(keys[index], make(index), ReplicationMode.QUORUM)
                    .toCompletableFuture()
                    .join();
        }

        int any() {
            return ThreadLocalRandom.current().nextInt(ENTRIES);
        }

        @TearDown(Level.Trial)
        public void stop() {
            if (frozen) {
                servers.get(ZONES - 1).thaw();
            }
            owner.close();
            redisson.shutdown();
            timer.shutdownNow();
            servers.forEach(RedisProcess::close);
        }
    }

    private static Replicated acknowledged(Replicated said) {
        if (said.outcome() != Replicated.Outcome.ACKNOWLEDGED) {
            throw new IllegalStateException("a write failed: " + said);
        }
        return said;
    }

    @Benchmark
    public byte[] redissonSet(Zones zones) {
        int any = zones.any();
        byte[] envelope = zones.envelopes[any];
        zones.redisson.<byte[]>getBucket(zones.names[any]).set(envelope, Duration.ofMillis(HOUR_MILLIS));
        return envelope;
    }

    @Benchmark
    public byte[] redissonGet(Zones zones) {
        return zones.redisson.<byte[]>getBucket(zones.names[zones.any()]).get();
    }

    /** One round: this node wrote the key last. */
    @Benchmark
    public Replicated quorumPutOneRound(Zones zones) {
        return acknowledged(zones.put(zones.owner, zones.any()));
    }

    /** Two rounds: a key that this node has not written before. */
    @Benchmark
    public Replicated quorumPutTwoRounds(Zones zones) {
        CacheKey fresh =
                CacheKey.of("fresh", Long.toString(ThreadLocalRandom.current().nextLong() >>> 1));
        long now = zones.clock.millis();
        long until = now + TimeUnit.SECONDS.toMillis(20);
        return acknowledged(zones.owner
                .write(
                        fresh,
                        version ->
                                new Entry(fresh, EntryKind.VALUE, version, now, until, until, List.of(), zones.value),
                        ReplicationMode.QUORUM)
                .toCompletableFuture()
                .join());
    }

    @Benchmark
    public Replicated asyncPut(Zones zones) {
        int any = zones.any();
        return acknowledged(zones.owner
                .write(zones.keys[any], zones.make(any), ReplicationMode.ASYNC)
                .toCompletableFuture()
                .join());
    }

    @Benchmark
    public Lookup quorumGet(Zones zones) {
        return hit(zones.owner
                .read(zones.keys[zones.any()], ReplicationMode.QUORUM)
                .toCompletableFuture()
                .join());
    }

    @Benchmark
    public Lookup asyncGet(Zones zones) {
        return hit(zones.owner
                .read(zones.keys[zones.any()], ReplicationMode.ASYNC)
                .toCompletableFuture()
                .join());
    }

    private static Lookup hit(Lookup found) {
        if (!(found instanceof Lookup.Hit)) {
            throw new IllegalStateException("the benchmark measures hits, this was " + found);
        }
        return found;
    }
}
