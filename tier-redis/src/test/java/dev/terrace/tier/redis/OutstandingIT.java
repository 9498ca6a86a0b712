package dev.terrace.tier.redis;

import static dev.terrace.tier.redis.RedisFixture.answer;
import static dev.terrace.tier.redis.RedisFixture.entry;
import static dev.terrace.tier.redis.RedisFixture.key;
import static dev.terrace.tier.redis.RedisFixture.openReady;
import static dev.terrace.tier.redis.RedisFixture.put;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.redis.RedisClusterProcesses;
import dev.terrace.testkit.redis.RedisProcess;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A server that does not answer collects only so much. */
@Tag("F02")
@Tag("F68")
class OutstandingIT {
    private static final Duration HEALED = Duration.ofSeconds(20);

    /** Longer than it takes to ask for 100 MiB: nobody must have given up and made room meanwhile. */
    private static final Duration PATIENT = Duration.ofSeconds(5);

    private static long gauge(MetricRegistry metrics, String name) {
        return ((Number) ((Gauge<?>) metrics.getGauges().get(name)).getValue()).longValue();
    }

    private static Unavailability causeOf(Object outcome) {
        return outcome instanceof Lookup.Unavailable no ? no.cause() : ((StoreOutcome.Unavailable) outcome).cause();
    }

    @Test
    void whatIsTooMuchForAFrozenServerIsRefusedAtOnceAndSaysSo() {
        MetricRegistry metrics = new MetricRegistry();
        try (RedisProcess redis = RedisProcess.start();
                RedisTier tier = openReady(
                        RedisFixture.settings(redis.port()).withTimeout(PATIENT), InstantSource.system(), metrics)) {
            assertThat(put(tier, entry("a"))).isEqualTo(StoreOutcome.APPLIED);
            redis.freeze();
            try {
                List<CompletableFuture<StoreOutcome>> puts = new ArrayList<>();
                List<StoreOutcome> refusedAtOnce = new ArrayList<>();
                long now = InstantSource.system().millis();
                byte[] large = new byte[1024 * 1024];
                for (int i = 0; i < 100; i++) {
                    Entry entry =
                            Entries.value(key("large" + i), Entries.version(now, i), now, Duration.ofMinutes(5), large);
                    CompletableFuture<StoreOutcome> put =
                            tier.put(entry, WriteCondition.IF_NEWER).toCompletableFuture();
                    puts.add(put);
                    if (put.isDone()) {
                        refusedAtOnce.add(put.join());
                    }
                }
                assertThat(refusedAtOnce).as("of 100 MiB").hasSizeBetween(30, 60);
                assertThat(gauge(metrics, "l2.outstanding_bytes"))
                        .isLessThan(Outstanding.MOST_BYTES + 2 * large.length);
                refusedAtOnce.forEach(refused -> {
                    StoreOutcome.Unavailable no = (StoreOutcome.Unavailable) refused;
                    assertThat(no.cause()).isEqualTo(Unavailability.OVERLOADED);
                    assertThat(no.detail()).startsWith("not sent: ").contains("wait for this server");
                });
                puts.forEach(RedisFixture::answer);
                assertThat(metrics.counter("l2.overloaded").getCount()).isGreaterThanOrEqualTo(refusedAtOnce.size());
            } finally {
                redis.thaw();
            }
            await().atMost(HEALED).untilAsserted(() -> {
                assertThat(put(tier, entry("a", 9))).isEqualTo(StoreOutcome.APPLIED);
                assertThat(gauge(metrics, "l2.outstanding")).isZero();
                assertThat(gauge(metrics, "l2.outstanding_bytes")).isZero();
            });
        }
    }

    @Test
    void oneFrozenShardIsFullBeforeTheOthersAreTouched() {
        MetricRegistry metrics = new MetricRegistry();
        try (RedisClusterProcesses cluster = RedisClusterProcesses.start(2);
                RedisTier tier = openReady(
                        RedisFixture.settings(cluster.nodes().stream()
                                .mapToInt(RedisProcess::port)
                                .toArray()),
                        InstantSource.system(),
                        metrics)) {
            RedisKeys keys = new RedisKeys("test");
            RedisProcess frozen = cluster.nodes().get(0);
            List<CacheKey> there = IntStream.range(0, 400)
                    .mapToObj(i -> key("k" + i))
                    .filter(key -> cluster.ownerOf(cluster.slotOf(keys.of(key))) == frozen)
                    .limit(20)
                    .toList();
            CacheKey elsewhere = IntStream.range(0, 400)
                    .mapToObj(i -> key("k" + i))
                    .filter(key -> cluster.ownerOf(cluster.slotOf(keys.of(key))) != frozen)
                    .findFirst()
                    .orElseThrow();
            assertThat(answer(tier.get(elsewhere))).isEqualTo(Lookup.MISS);
            assertThat(answer(tier.get(there.get(0)))).isEqualTo(Lookup.MISS);
            frozen.freeze();
            try {
                List<CompletableFuture<Lookup>> gets = new ArrayList<>();
                for (int i = 0; i < Outstanding.MOST_COMMANDS + 500; i++) {
                    gets.add(tier.get(there.get(i % there.size())).toCompletableFuture());
                }
                assertThat(gets.stream().filter(CompletableFuture::isDone).map(get -> causeOf(get.join())))
                        .hasSizeGreaterThan(100)
                        .contains(Unavailability.OVERLOADED);
                assertThat(answer(tier.get(elsewhere))).isEqualTo(Lookup.MISS);
                Map<CacheKey, Lookup> both = answer(tier.getAll(List.of(there.get(0), elsewhere)));
                assertThat(both.get(elsewhere)).isEqualTo(Lookup.MISS);
                assertThat(both.get(there.get(0))).isInstanceOf(Lookup.Unavailable.class);
                gets.forEach(RedisFixture::answer);
            } finally {
                frozen.thaw();
            }
            await().atMost(HEALED).untilAsserted(() -> {
                assertThat(answer(tier.get(there.get(0)))).isEqualTo(Lookup.MISS);
                assertThat(gauge(metrics, "l2.outstanding")).isZero();
            });
        }
    }
}
