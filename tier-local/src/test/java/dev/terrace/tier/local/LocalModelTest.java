package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Random operations against a map that never evicts: what the tier answers is what the model has, byte for byte; what the model does not
 * have is never answered; and all books agree after every operation.
 */
class LocalModelTest {
    private static final int STEPS = Integer.getInteger("terrace.steps", 3_000);
    private static final int KEYS = 400;
    private static final int CAPACITY = 150;
    private static final String[] CACHES = {"a", "b", "limited"};

    final LocalFixture local = new LocalFixture().share("limited", 0, 20).classShare("k1*", "ones", 25, 60);
    private final Map<CacheKey, Entry> model = new HashMap<>();

    @ParameterizedTest
    @EnumSource(EvictionPolicy.class)
    void answersAreTheModelsAndBooksAgreeAfterEveryOperation(EvictionPolicy policy) {
        SplittableRandom random = LocalFixture.random(getClass());
        try (OffHeapTier tier = local.open(CAPACITY, 2, policy)) {
            long full = tier.shelf().budget.maxBytes();
            int hits = 0;
            for (int step = 0; step < STEPS; step++) {
                CacheKey key = CacheKey.of(CACHES[random.nextInt(CACHES.length)], "k" + random.nextInt(KEYS));
                int action = random.nextInt(100);
                if (action < 45) {
                    put(tier, key, random);
                } else if (action < 85) {
                    hits += get(tier, key) ? 1 : 0;
                } else if (action < 91) {
                    tier.drop(key);
                    model.remove(key);
                } else if (action < 94) {
                    local.clock.advance(Duration.ofSeconds(random.nextInt(40)));
                    tier.clearing().expired(random.nextInt(CAPACITY), 64);
                } else if (action < 96) {
                    clear(tier, key.cache());
                } else if (action < 97) {
                    tier.evict(random.nextDouble() / 2, random);
                } else if (action < 99) {
                    // As a container that is short of memory has it, and one that is not any more.
                    tier.shelf().budget.limitBytes(full / 4 + random.nextLong(full * 3 / 4));
                    tier.shrinking().fit();
                    assertThat(tier.shelf().budget.isOver()).isFalse();
                } else {
                    tier.shelf().budget.limitBytes(full);
                }
                agree(tier, step);
            }
            assertThat(hits).isPositive();
            assertThat(local.metrics.counter("l1.errors").getCount()).isZero();
            assertThat(local.metrics.counter("l1.corrupt").getCount()).isZero();
            model.keySet().forEach(key -> get(tier, key));
        }
    }

    private void put(OffHeapTier tier, CacheKey key, SplittableRandom random) {
        local.clock.advance(Duration.ofMillis(1));
        byte[] payload = new byte[random.nextInt(10) == 0 ? random.nextInt(30_000) : random.nextInt(3_000)];
        random.nextBytes(payload);
        Entry entry = local.entry(key, payload, Duration.ofMillis(1 + random.nextInt(200_000)));
        StoreOutcome outcome = tier.store(entry, WriteCondition.IF_NEWER);
        model.remove(key);
        if (outcome instanceof StoreOutcome.Applied) {
            model.put(key, entry);
        } else {
            assertThat(outcome).isInstanceOf(StoreOutcome.Refused.class);
            assertThat(payload.length).isGreaterThan(3_000);
            assertThat(get(tier, key)).isFalse();
        }
    }

    private boolean get(OffHeapTier tier, CacheKey key) {
        Lookup answer = tier.get(key).toCompletableFuture().join();
        if (!(answer instanceof Lookup.Hit hit)) {
            return false;
        }
        assertThat(model).as("%s was dropped, cleared or refused", key).containsKey(key);
        assertThat(hit.entry()).isEqualTo(model.get(key));
        assertThat(local.clock.millis())
                .as("%s is in its time", key)
                .isLessThan(hit.entry().staleUntilMillis());
        return true;
    }

    private void clear(OffHeapTier tier, String cache) {
        local.clock.advance(Duration.ofMillis(1));
        Version upTo = Version.of(local.clock.millis(), 0xFFFF, Long.MAX_VALUE);
        tier.clear(cache, upTo);
        tier.cleared().free(Long.MAX_VALUE);
        model.keySet().removeIf(key -> key.cache().equals(cache));
        local.clock.advance(Duration.ofMillis(1));
    }

    private static void agree(OffHeapTier tier, int step) {
        Shelf shelf = tier.shelf();
        shelf.budget.check();
        int residents = 0;
        long bytes = 0;
        StoredValue stored = new StoredValue();
        HashKey key = new HashKey();
        for (int slot = 0; slot < shelf.table.highWater(); slot++) {
            if (shelf.table.isResident(slot)) {
                residents++;
                bytes += shelf.table.chargeOf(slot);
                shelf.table.keyOf(slot, key);
                assertThat(shelf.map.get(key, stored))
                        .as("step %d slot %d", step, slot)
                        .isTrue();
                assertThat(stored.slot).as("step %d", step).isEqualTo(slot);
                assertThat(shelf.shape.charge(stored.length + StoredValue.PREFIX_BYTES))
                        .as("step %d", step)
                        .isEqualTo(shelf.table.chargeOf(slot));
            }
        }
        assertThat(shelf.map.size()).as("step %d", step).isEqualTo(residents);
        assertThat(shelf.budget.entries())
                .as("step %d", step)
                .isEqualTo(residents)
                .isLessThanOrEqualTo(CAPACITY);
        assertThat(shelf.budget.bytes())
                .as("step %d", step)
                .isEqualTo(bytes)
                .isLessThanOrEqualTo(shelf.budget.maxBytes());
        assertThat(shelf.budget.entriesOf(1)).as("step %d", step).isLessThanOrEqualTo(CAPACITY / 5);
    }
}
