package dev.terrace.tier.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.terrace.config.LocalCacheSettings.EvictionPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadersTest {
    /** If each looked at all before it, that would be 45 billion looks. */
    private static final int THREADS = 300_000;

    @Test
    void aReaderCostsNoMoreForThoseThatWereThereBefore() {
        Readers readers = new Readers();
        List<ReadScratch> alive = new ArrayList<>();
        assertTimeoutPreemptively(Duration.ofSeconds(30), () -> {
            for (int i = 0; i < THREADS; i++) {
                alive.add(readers.register());
            }
        });
        assertThat(readers.count()).isEqualTo(THREADS);
    }

    @Test
    void thoseThatAreGoneAreForgottenAsOthersCome() {
        Readers readers = new Readers();
        for (int i = 0; i < 1_000; i++) {
            readers.register();
        }
        await().atMost(Duration.ofSeconds(60)).until(() -> {
            System.gc();
            for (int i = 0; i < 100; i++) {
                readers.register();
            }
            return readers.count() < 1_000;
        });
    }

    @Test
    void threadsThatReadOnceAreNotAllTheOneInManyThatCounts() {
        Readers readers = new Readers();
        int counting = 0;
        for (int i = 0; i < 64; i++) {
            counting += (readers.register().reads & 63) == 0 ? 1 : 0;
        }
        assertThat(counting).isEqualTo(1);
    }

    @Test
    void whatWasReadIsNotKeptForTheThread() {
        LocalFixture local = new LocalFixture();
        try (OffHeapTier tier = local.open(100, 16, EvictionPolicy.LRU)) {
            local.put(tier, "c", "large", 10_000);
            assertThat(LocalFixture.holds(tier, "c", "large")).isTrue();
            assertThat(tier.shelf().readers.mine().value.envelope).isEmpty();
        }
    }

    @Test
    void anArrayForSomethingLargeIsAsLargeAsThat() {
        StoredValue value = new StoredValue();
        assertThat(value.envelope).isEmpty();
        value.resize(600_000);
        value.resize(600_001);
        assertThat(value.envelope).as("grows so that it need not often").hasSize(1 << 20);
        value.resize(5_000_000);
        value.resize(5_000_001);
        assertThat(value.envelope).hasSize(5_000_001);
    }
}
