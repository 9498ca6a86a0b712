package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingRules;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoadTimeTest {
    private static final CacheKey FAST = CacheKey.of("quotes", "fast");
    private static final CacheKey SLOW = CacheKey.of("quotes", "slow");
    private static final CacheKey UNKNOWN = CacheKey.of("quotes", "never loaded");

    private static long nanos(long millis) {
        return Duration.ofMillis(millis).toNanos();
    }

    private static LoadTime measured() {
        LoadTime time = new LoadTime(true);
        for (int i = 0; i < 100; i++) {
            time.note(FAST, nanos(2));
        }
        time.note(SLOW, nanos(800));
        return time;
    }

    @Test
    void everyKeyHasItsOwnAndTheOthersAnAverage() {
        LoadTime time = measured();
        assertThat(time.millisOf(FAST)).isEqualTo(2);
        assertThat(time.millisOf(SLOW)).isEqualTo(800);
        assertThat(time.millisOf(UNKNOWN)).isEqualTo(time.meanMillis()).isBetween(50L, 150L);
        assertThat(time.mostMillis()).isEqualTo(800);
        time.note(SLOW, nanos(200));
        assertThat(time.millisOf(SLOW)).isEqualTo(500);
    }

    @Test
    void keysThatTakeEachOthersPlacesAreNotMixedUp() {
        LoadTime time = new LoadTime(true);
        for (int i = 0; i < 10_000; i++) {
            time.note(CacheKey.of("quotes", "k" + i), nanos(i % 2 == 0 ? 10 : 1_000));
        }
        int known = 0;
        for (int i = 0; i < 10_000; i++) {
            long millis = time.millisOf(CacheKey.of("quotes", "k" + i));
            if (millis != time.meanMillis()) {
                known++;
                assertThat(millis).isEqualTo(i % 2 == 0 ? 10 : 1_000);
            }
        }
        assertThat(known).isBetween(500, 1_024);
    }

    @Test
    void aSlowKeyIsRefreshedEarlierThanAFastOneOfTheSameCache() {
        LoadingPolicy ahead = LoadingPolicy.INHERIT.withRefresh(true, null);
        Policies policies =
                new Policies(Settings.defaults().withCaches(Map.of("quotes", CachePolicy.INHERIT.withLoading(ahead))));
        LoadingRules rules = policies.of(SLOW).loading();
        // Half of all draws are below; so in half of all reads a refresh is due ln 2 load times before the end.
        Freshening freshening = Freshening.of(policies, "quotes", () -> 0.5);
        LoadTime time = measured();
        long end = 60_000;
        assertThat(freshening.mayBeDue(0, end, end - 500, time)).isTrue();
        assertThat(freshening.isDue(rules, 0, end, end - 500, time.millisOf(SLOW)))
                .isTrue();
        assertThat(freshening.isDue(rules, 0, end, end - 500, time.millisOf(FAST)))
                .isFalse();
        assertThat(freshening.isDue(rules, 0, end, end - 1, time.millisOf(FAST)))
                .isTrue();
        assertThat(freshening.isDue(rules, 0, end, end - 600, time.millisOf(SLOW)))
                .isFalse();
    }
}
