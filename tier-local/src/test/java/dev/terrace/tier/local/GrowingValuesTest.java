package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.WriteCondition;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Values grow and shrink in a map that is so full that a longer one often finds no room: the map's own books stay right. */
class GrowingValuesTest {
    private static final int STEPS = 6_000;
    private static final int KEYS = 120;

    final LocalFixture local = new LocalFixture();

    @Test
    void inMemory() {
        try (OffHeapTier tier = local.open(2_000, 1, EvictionPolicy.ADAPTIVE)) {
            grow(tier);
        }
        assertThat(local.metrics.counter("l1.segments.full").getCount())
                .as("what is free is moved together before anybody has to go")
                .isZero();
    }

    @Test
    void inAFile(@TempDir Path folder) throws Exception {
        local.persistIn(folder);
        try (OffHeapTier tier = local.open(2_000, 8, EvictionPolicy.ADAPTIVE)) {
            grow(tier);
        }
        assertThat(local.metrics.counter("l1.segments.full").getCount())
                .as("how often there was no room")
                .isPositive();
    }

    @Test
    void whoReadsMeanwhileNeverMissesWhatIsReplacedByALongerValue() throws Exception {
        CacheKey key = CacheKey.of("c", "k");
        AtomicBoolean ended = new AtomicBoolean();
        ExecutorService reader = Executors.newSingleThreadExecutor();
        try (OffHeapTier tier = local.open(2_000, 8, EvictionPolicy.ADAPTIVE)) {
            local.put(tier, "c", "k", 10);
            Future<Long> missed = reader.submit(() -> {
                long misses = 0;
                while (!ended.get()) {
                    misses += tier.get(key).toCompletableFuture().join() instanceof Lookup.Hit ? 0 : 1;
                }
                return misses;
            });
            for (int i = 0; i < 20_000; i++) {
                local.clock.advance(Duration.ofMillis(1));
                tier.store(local.entry(key, new byte[10 + i % 50 * 100], Duration.ofHours(1)), WriteCondition.IF_NEWER);
            }
            ended.set(true);
            assertThat(missed.get(30, TimeUnit.SECONDS)).isZero();
        } finally {
            ended.set(true);
            reader.shutdownNow();
        }
    }

    private void grow(OffHeapTier tier) {
        SplittableRandom random = LocalFixture.random(getClass());
        int largest = tier.shelf().shape.largestValueBytes() - 200;
        Map<CacheKey, byte[]> stored = new HashMap<>();
        for (int step = 0; step < STEPS; step++) {
            local.clock.advance(Duration.ofMillis(1));
            CacheKey key = CacheKey.of("c", "k" + random.nextInt(KEYS));
            if (random.nextInt(20) == 0) {
                tier.drop(key);
                stored.remove(key);
            } else {
                // Many short ones between few long ones, so that what is free is in pieces.
                byte[] payload = new byte[random.nextInt(4) == 0 ? random.nextInt(largest) : random.nextInt(2_000)];
                random.nextBytes(payload);
                tier.store(local.entry(key, payload, LocalFixture.TTL), WriteCondition.IF_NEWER);
                stored.put(key, payload);
            }
            agree(tier, step);
        }
        for (int i = 0; i < KEYS; i++) {
            CacheKey key = CacheKey.of("c", "k" + i);
            if (tier.get(key).toCompletableFuture().join() instanceof Lookup.Hit hit) {
                assertThat(Arrays.equals(hit.entry().payload(), stored.get(key)))
                        .as("%s is what was stored last", key)
                        .isTrue();
            }
            tier.drop(key);
            agree(tier, STEPS + i);
            assertThat(tier.get(key).toCompletableFuture().join()).isEqualTo(Lookup.MISS);
        }
        assertThat(tier.shelf().map.size()).isZero();
        assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
        assertThat(local.metrics.counter("l1.corrupt").getCount()).isZero();
    }

    private static void agree(OffHeapTier tier, int step) {
        Shelf shelf = tier.shelf();
        shelf.budget.check();
        StoredValue stored = new StoredValue();
        HashKey key = new HashKey();
        int residents = 0;
        for (int slot = 0; slot < shelf.table.highWater(); slot++) {
            if (shelf.table.isResident(slot)) {
                residents++;
                shelf.table.keyOf(slot, key);
                assertThat(shelf.map.get(key, stored) && stored.slot == slot)
                        .as("step %d: slot %d is in the map", step, slot)
                        .isTrue();
            }
        }
        assertThat(shelf.map.size()).as("step %d", step).isEqualTo(residents);
    }
}
