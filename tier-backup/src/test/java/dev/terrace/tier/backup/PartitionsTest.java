package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PartitionsTest {
    private static final long WIDTH = 100;
    private static final long RETENTION = 8 * WIDTH;

    /** Begun in this order, whatever the clock said. */
    private static Partitions begun(long... startMillis) {
        return begunIn(0, startMillis);
    }

    private static Partitions begunIn(long restoredMillis, long... startMillis) {
        List<Partition> all = new ArrayList<>();
        for (int i = 0; i < startMillis.length; i++) {
            all.add(new Partition(i + 1, startMillis[i], null));
        }
        return new Partitions(all, RETENTION, restoredMillis);
    }

    @Test
    void aPartitionTakesAnEighthOfTheRetention() {
        assertThat(begun().isFull(0)).as("there is none").isTrue();
        assertThat(begun(1_000).isFull(1_000 + WIDTH - 1)).isFalse();
        assertThat(begun(1_000).isFull(1_000 + WIDTH)).isTrue();
    }

    @Test
    void oneThatAClockFarAheadHasBegunTakesNoMore() {
        assertThat(begun(1_000).isFull(1_000 - WIDTH)).isFalse();
        assertThat(begun(1_000).isFull(1_000 - WIDTH - 1)).isTrue();
        assertThat(begun(new long[16]).and(1_000, null).isFull(0))
                .as("a clock that jumps to and fro makes no endless number of them")
                .isFalse();
    }

    @Test
    void theOldestGoesWhenEverythingInItIsOlderThanTheRetention() {
        assertThat(begun(0).hasExpired(Long.MAX_VALUE)).as("it is written to").isFalse();
        assertThat(begun(0, 100).hasExpired(100 + RETENTION - 1)).isFalse();
        assertThat(begun(0, 100).hasExpired(100 + RETENTION)).isTrue();
    }

    @Test
    void aClockThatJumpedNeitherKeepsOneForLongNorDropsItEarly() {
        assertThat(begun(0, 1_000_000, 100).hasExpired(100 + RETENTION)).isTrue();
        assertThat(begun(1_000, 0, 1_100).hasExpired(RETENTION)).isFalse();
        assertThat(begun(1_000_000, 100).hasExpired(100 + RETENTION)).isTrue();
    }

    @Test
    void whenANewerOneHasHadItsTimeSoHaveThoseBeforeIt() {
        assertThat(begun(5_000, 100, 200, 6_000).hasExpired(200 + RETENTION)).isTrue();
    }

    @Test
    void whatIsOlderThanARestoreIsKeptAsIfItWereWrittenThen() {
        assertThat(begunIn(1_000, 0, 100, 1_100).hasExpired(1_000 + RETENTION - 1))
                .isFalse();
        assertThat(begunIn(1_000, 0, 100, 1_100).hasExpired(1_000 + RETENTION)).isTrue();
    }

    @Test
    void theNewestIsFirstAndTheOldestGoes() {
        Partitions some = begun(0, 10, 20).withoutOldest().and(30, null);
        assertThat(some.all()).extracting(Partition::sequence).containsExactly(4L, 3L, 2L);
        assertThat(some.newest().startMillis()).isEqualTo(30);
        assertThat(some.oldest().startMillis()).isEqualTo(10);
        assertThat(some.find(1)).isNull();
        assertThat(begun().nextSequence()).isEqualTo(1);
    }
}
