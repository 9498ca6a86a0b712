package dev.terrace.core.origin;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class LaneTest {
    private final Lane lane = new Lane("orders");
    private long now = 1_000_000;

    @Test
    void anOutageIsToldOfOnceHoweverLongAndItsEndOnce() {
        assertThat(lane.tellsOfSuccess()).isFalse();
        assertThat(lane.tellsOfFailure(now)).isTrue();
        now += 100 * Lane.QUIET_MILLIS;
        assertThat(lane.tellsOfFailure(now)).isFalse();
        assertThat(lane.tellsOfSuccess()).isTrue();
        assertThat(lane.tellsOfSuccess()).isFalse();
        assertThat(lane.tellsOfFailure(now)).isTrue();
    }

    @Test
    void anOriginThatFailsNowAndThenIsToldOfNowAndThen() {
        int told = 0;
        for (int i = 0; i < 1_000; i++) {
            now += 10;
            told += lane.tellsOfFailure(now) ? 1 : 0;
            lane.tellsOfSuccess();
        }
        assertThat(told).isEqualTo(1);
        now += Lane.QUIET_MILLIS;
        assertThat(lane.tellsOfFailure(now))
                .as("an outage within the quiet time is told of when that is over")
                .isTrue();
    }
}
