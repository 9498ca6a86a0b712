package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.FaultyTier;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A copy stays after a change by whoever it was only when L2 holds nothing newer, and something. */
class ExternalWritersTest {
    private static final CacheKey KEY = CacheKey.of("c", "k");
    private static final Duration HOUR = Duration.ofHours(1);

    private final ManualClock wall = ManualClock.startingNow();
    private final HybridClock clock = new HybridClock(wall, 1, Duration.ofMinutes(1));
    private final MetricRegistry metrics = new MetricRegistry();
    private final HeapLocalTier local = new HeapLocalTier(wall);
    private final HeapTier heap = new HeapTier(TierLevel.L2, wall);
    private final FaultyTier remote = new FaultyTier(heap);
    private final LocalCopies copies = new LocalCopies(
            local,
            new NearCaches(new Policies(Settings.defaults()), metrics),
            new Flights(clock, System::nanoTime),
            Mutant.NONE);
    private final ExternalWriters writers = new ExternalWriters(copies, remote, clock, metrics);

    private void copied(CacheKey key, int version) {
        local.store(Entries.value(key, version(version), wall.millis(), HOUR, "v" + version), WriteCondition.IF_NEWER);
    }

    private void inRemote(int version) {
        heap.put(Entries.value(KEY, version(version), wall.millis(), HOUR, "v" + version), WriteCondition.IF_NEWER)
                .toCompletableFuture()
                .join();
    }

    private Version version(int counter) {
        return Entries.version(wall.millis(), counter);
    }

    private boolean isCopied() {
        return copies.held(KEY) != null;
    }

    private long counter(String name) {
        return metrics.counter("external." + name).getCount();
    }

    @Test
    void whatL2StillHoldsStays() {
        copied(KEY, 2);
        inRemote(2);
        writers.changed(KEY);
        assertThat(isCopied()).isTrue();
    }

    @Test
    void whatL2HasYetToHearOfStays() {
        copied(KEY, 2);
        inRemote(1);
        writers.changed(KEY);
        assertThat(isCopied()).isTrue();
    }

    @Test
    void whatL2HasReplacedGoes() {
        copied(KEY, 2);
        inRemote(3);
        writers.changed(KEY);
        assertThat(isCopied()).isFalse();
        assertThat(counter("dropped")).isEqualTo(1);
    }

    @Test
    void whatL2HasLostOrCannotSayGoes() {
        copied(KEY, 2);
        writers.changed(KEY);
        assertThat(isCopied()).isFalse();
        copied(KEY, 2);
        inRemote(2);
        remote.failWith(Unavailability.TIMEOUT);
        writers.changed(KEY);
        assertThat(isCopied()).isFalse();
        assertThat(counter("dropped")).isEqualTo(2);
        assertThat(counter("changes")).isEqualTo(2);
    }

    @Test
    void whenTooManyWaitForL2CopiesGoUnasked() {
        remote.hold();
        CacheKey waiting = CacheKey.of("c", "waiting");
        copied(waiting, 1);
        for (int i = 0; i < ExternalWriters.MOST_ASKED; i++) {
            writers.changed(waiting);
        }
        copied(KEY, 2);
        inRemote(2);
        writers.changed(KEY);
        assertThat(isCopied()).isFalse();
        assertThat(remote.waiting()).isEqualTo(ExternalWriters.MOST_ASKED);
        remote.release();
        copied(KEY, 2);
        writers.changed(KEY);
        assertThat(isCopied()).as("L2 is asked again").isTrue();
    }

    @Test
    void whatMayHaveBeenMissedDropsEveryCopy() {
        copied(KEY, 2);
        copied(CacheKey.of("d", "k"), 1);
        inRemote(2);
        writers.gap("the connection was lost");
        assertThat(isCopied()).isFalse();
        assertThat(copies.held(CacheKey.of("d", "k"))).isNull();
        assertThat(counter("gaps")).isEqualTo(1);
    }
}
