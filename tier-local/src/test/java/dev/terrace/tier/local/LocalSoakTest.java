package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Threads that put, read, expire, clear, shrink and close, with random sizes and times to live. Longer with -Dterrace.soak.seconds. */
class LocalSoakTest {
    private static final long SECONDS = Long.getLong("terrace.soak.seconds", 3);
    private static final int KEYS = 3_000;

    private final AtomicLong answered = new AtomicLong();

    @Test
    @Tag("F39")
    void neitherAWrongValueNorABrokenBoundWhileAllIsGoingOn() throws Exception {
        SplittableRandom seeds = LocalFixture.random(getClass());
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        EvictionPolicy[] policies = EvictionPolicy.values();
        for (int life = 0; System.nanoTime() < end || life < policies.length; life++) {
            oneLife(
                    policies[life % policies.length],
                    seeds,
                    Math.min(end, System.nanoTime() + TimeUnit.SECONDS.toNanos(2)));
        }
        assertThat(answered.get()).isPositive();
    }

    private void oneLife(EvictionPolicy policy, SplittableRandom seeds, long until) throws Exception {
        LocalFixture local = new LocalFixture().share("blobs", 0, 30).share("sessions", 20, 100);
        ExecutorService threads = Executors.newFixedThreadPool(3);
        AtomicBoolean stop = new AtomicBoolean();
        try (OffHeapTier tier = local.open(1_000, 8, policy)) {
            List<Future<?>> busy = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                SplittableRandom random = seeds.split();
                busy.add(threads.submit(() -> {
                    for (int i = 0; i < 1_500 || System.nanoTime() < until && !stop.get(); i++) {
                        one(tier, local, random);
                    }
                }));
            }
            SplittableRandom random = seeds.split();
            long full = tier.shelf().budget.maxBytes();
            busy.add(threads.submit(() -> {
                for (int i = 0; i < 5 || System.nanoTime() < until && !stop.get(); i++) {
                    local.clock.advance(Duration.ofSeconds(random.nextInt(20)));
                    tier.clearing().expired(0, 1_000);
                    tier.shelf().budget.limitBytes(full / 2 + random.nextLong(full / 2));
                    tier.shrinking().fit();
                    Version upTo = Version.of(local.clock.millis() - 5_000, 0, 0);
                    tier.clear("others", upTo);
                    tier.cleared().free(Long.MAX_VALUE);
                    tier.evict(0.1, random);
                }
            }));
            if (random.nextInt(4) == 0) {
                // Closed while all are busy: answers become refusals, never worse.
                tier.close();
            }
            for (Future<?> each : busy) {
                each.get(60, TimeUnit.SECONDS);
            }
            tier.shelf().budget.check();
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            assertThat(local.metrics.counter("l1.corrupt").getCount()).isZero();
        } finally {
            stop.set(true);
            threads.shutdownNow();
        }
    }

    private void one(OffHeapTier tier, LocalFixture local, SplittableRandom random) {
        String cache = new String[] {"blobs", "sessions", "others"}[random.nextInt(3)];
        int number = random.nextInt(KEYS);
        CacheKey key = CacheKey.of(cache, "k" + number);
        if (random.nextInt(3) > 0) {
            if (tier.get(key).toCompletableFuture().join() instanceof Lookup.Hit hit) {
                // Every value says whose it is and how long.
                ByteBuffer payload = ByteBuffer.wrap(hit.entry().payload());
                assertThat(payload.getInt()).isEqualTo(key.hashCode());
                assertThat(payload.getInt()).isEqualTo(payload.capacity());
                answered.incrementAndGet();
            }
            return;
        }
        byte[] payload = new byte[8 + (cache.equals("blobs") ? random.nextInt(40_000) : random.nextInt(1_000))];
        ByteBuffer.wrap(payload).putInt(key.hashCode()).putInt(payload.length);
        Entry entry = local.entry(key, payload, Duration.ofMillis(1 + random.nextInt(60_000)));
        StoreOutcome outcome = tier.store(entry, WriteCondition.IF_NEWER);
        if (outcome instanceof StoreOutcome.Refused refused) {
            assertThat(refused.reason()).isNotEmpty();
        }
        long most = tier.shelf().budget.entries();
        assertThat(most).isLessThanOrEqualTo(1_000);
    }
}
