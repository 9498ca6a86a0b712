package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.get;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.openReady;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What other hands did to the keys of the tier, and what its commands cost. */
class RedisContentsIT {
    private static final RedisKeys KEYS = new RedisKeys("test");
    private static final MetricRegistry METRICS = new MetricRegistry();
    private static RedisProcess redis;
    private static RedisTier tier;

    @BeforeAll
    static void start() {
        redis = RedisProcess.start();
        tier = openReady(RedisFixture.settings(redis.port()), InstantSource.system(), METRICS);
    }

    @AfterAll
    static void stop() {
        tier.close();
        redis.close();
    }

    @BeforeEach
    void empty() {
        redis.command("FLUSHALL");
    }

    private static void write(String key, byte[] bytes) {
        redis.command("SET", KEYS.of(key(key)), new String(bytes, StandardCharsets.ISO_8859_1));
    }

    @Test
    void versionsAreToldWithoutValues() {
        Entry here = entry("here", 7);
        put(tier, here);
        write("foreign", "no envelope, but long enough to be one".getBytes(StandardCharsets.US_ASCII));
        redis.command("HSET", KEYS.of(key("hash")), "field", "value");
        Map<CacheKey, Version> held =
                answer(tier.versions(List.of(key("here"), key("gone"), key("foreign"), key("hash"))));
        assertThat(held)
                .containsEntry(key("here"), here.version())
                .containsEntry(key("gone"), Version.ZERO)
                .containsEntry(key("foreign"), Version.ZERO)
                .doesNotContainKey(key("hash"));
    }

    @Test
    void anotherTypeUnderOneKeyHurtsNoOtherKey() {
        redis.command("HSET", KEYS.of(key("hash")), "field", "value");
        othersAreUnhurt(tier);
    }

    @Test
    void anotherTypeUnderOneKeyHurtsNoOtherKeyInACluster() {
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisTier clustered = openReady(
                        RedisFixture.settings(cluster.nodes().stream()
                                .mapToInt(RedisProcess::port)
                                .toArray()),
                        InstantSource.system(),
                        new MetricRegistry())) {
            // The node that does not own the slot answers MOVED and changes nothing.
            cluster.nodes().forEach(node -> node.command("HSET", KEYS.of(key("hash")), "field", "value"));
            othersAreUnhurt(clustered);
        }
    }

    private static void othersAreUnhurt(RedisTier to) {
        Lookup found = get(to, "hash");
        assertThat(found).isInstanceOf(Lookup.Unavailable.class);
        assertThat(((Lookup.Unavailable) found).detail()).contains("WRONGTYPE");
        StoreOutcome stored = put(to, entry("hash"));
        assertThat(((StoreOutcome.Unavailable) stored).cause()).isEqualTo(Unavailability.ERROR);
        assertThat(((StoreOutcome.Unavailable) stored).detail()).contains("WRONGTYPE");
        assertThat(to.status().state()).isEqualTo(TierStatus.State.READY);

        List<Entry> entries = List.of(entry("a"), entry("hash"), entry("b"), entry("c"), entry("d"));
        List<StoreOutcome> outcomes = answer(to.putAll(entries));
        for (int i = 0; i < entries.size(); i++) {
            if (i == 1) {
                assertThat(((StoreOutcome.Unavailable) outcomes.get(i)).cause()).isEqualTo(Unavailability.ERROR);
            } else {
                assertThat(outcomes.get(i)).isEqualTo(StoreOutcome.APPLIED);
            }
        }
        Map<CacheKey, Lookup> all =
                answer(to.getAll(entries.stream().map(Entry::key).toList()));
        assertThat(all).hasSize(entries.size());
        all.forEach((key, each) -> {
            if (key.equals(key("hash"))) {
                assertThat(each).isNotInstanceOf(Lookup.Hit.class);
            } else {
                assertThat(each).isInstanceOf(Lookup.Hit.class);
            }
        });
        assertThat(to.status().state()).isEqualTo(TierStatus.State.READY);
    }

    @Test
    void aFlushedServerMisses() {
        assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        redis.command("FLUSHALL");
        assertThat(get(tier, "a")).isEqualTo(Lookup.MISS);
    }

    @Test
    void flushedScriptsAreLoadedAgainByWhoeverNeedsThem() {
        redis.command("SCRIPT", "FLUSH");
        assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        redis.command("SCRIPT", "FLUSH");
        assertThat(answer(tier.putAll(List.of(entry("b"), entry("c"))))).containsOnly(StoreOutcome.APPLIED);
        redis.command("SCRIPT", "FLUSH");
        answer(tier.clear("faults", entry("x", 60_000).version()));
        org.awaitility.Awaitility.await()
                .untilAsserted(() -> assertThat(redis.command("DBSIZE")).startsWith(":0"));
    }

    @Test
    @Tag("F70")
    void rubbishUnderOurKeysIsAMissAndIsCounted() {
        long seed = System.nanoTime();
        System.out.println("RedisContentsIT rubbish seed=" + seed);
        SplittableRandom random = new SplittableRandom(seed);
        byte[] sound = Envelope.encode(entry("rubbish"));
        long before = counted();
        int rounds = 60;
        for (int i = 0; i < rounds; i++) {
            byte[] bytes;
            if (i % 3 == 0) {
                bytes = new byte[1 + random.nextInt(200)];
                random.nextBytes(bytes);
            } else if (i % 3 == 1) {
                bytes = Arrays.copyOf(sound, 1 + random.nextInt(sound.length - 1));
            } else {
                bytes = sound.clone();
                bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
            }
            write("rubbish", bytes);
            assertThat(get(tier, "rubbish")).isEqualTo(Lookup.MISS);
        }
        assertThat(counted() - before).isEqualTo(rounds);
    }

    private static long counted() {
        return METRICS.counter("l2.corrupt").getCount()
                + METRICS.counter("l2.unknown_format").getCount();
    }

    @Test
    void anotherKeysEnvelopeIsAMiss() {
        long before = METRICS.counter("l2.corrupt").getCount();
        write("mine", Envelope.encode(entry("yours")));
        assertThat(get(tier, "mine")).isEqualTo(Lookup.MISS);
        assertThat(METRICS.counter("l2.corrupt").getCount()).isEqualTo(before + 1);
    }

    @Test
    void rubbishIsOverwritten() {
        write("a", "no envelope".getBytes(StandardCharsets.US_ASCII));
        assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
        write("b", Arrays.copyOf(Envelope.encode(entry("b")), 30));
        assertThat(put(tier, entry("b"))).isEqualTo(StoreOutcome.APPLIED);
        assertThat(get(tier, "b")).isInstanceOf(Lookup.Hit.class);
    }

    @Test
    void anEntryInALaterFormatIsLeftAlone() {
        byte[] later = Envelope.encode(entry("a"));
        later[0] = 2;
        write("a", later);
        String held = redis.command("GET", KEYS.of(key("a")));
        assertThat(get(tier, "a")).isEqualTo(Lookup.MISS);
        assertThat(put(tier, entry("a", 99))).isInstanceOf(StoreOutcome.Refused.class);
        assertThat(redis.command("GET", KEYS.of(key("a")))).isEqualTo(held);
    }

    @Test
    void bulkReadsAndWritesAreOneRoundTrip() {
        List<Entry> entries = new ArrayList<>();
        IntStream.range(0, 100).forEach(i -> entries.add(entry("bulk" + i)));
        assertThat(put(tier, entry("warm"))).isEqualTo(StoreOutcome.APPLIED);
        long reads = eventLoops();
        assertThat(answer(tier.putAll(entries))).containsOnly(StoreOutcome.APPLIED);
        // One pipeline: the server reads its socket a few times, not a hundred. Other clients' pings come on top.
        assertThat(eventLoops() - reads).isLessThan(30);

        redis.command("CONFIG", "RESETSTAT");
        Map<CacheKey, Lookup> all =
                answer(tier.getAll(entries.stream().map(Entry::key).toList()));
        assertThat(all.values()).hasSize(100).allMatch(Lookup.Hit.class::isInstance);
        String stats = redis.command("INFO", "commandstats");
        assertThat(stats).contains("cmdstat_mget:calls=1,").doesNotContain("cmdstat_get:");
    }

    private static long eventLoops() {
        Matcher count = Pattern.compile("total_reads_processed:(\\d+)").matcher(redis.command("INFO", "stats"));
        assertThat(count.find()).isTrue();
        return Long.parseLong(count.group(1));
    }
}
