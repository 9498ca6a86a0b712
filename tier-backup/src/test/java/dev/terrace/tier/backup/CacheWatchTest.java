package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CacheWatchTest {
    private static final int FIRST = 3;
    private static final int SAMPLES = 5;
    private static final CacheWatch.Limits FEW = new CacheWatch.Limits(FIRST, SAMPLES, 1 << 20, 100, 1_000, 1_000);
    private static final long KEY = 7;

    private final AtomicLong held = new AtomicLong();
    private final CacheWatch watch = new CacheWatch("c", FEW, held);

    private @Nullable List<byte[]> write(@Nullable Dictionary with, long dataKey) {
        return watch.observe(new byte[10], 10, 5, with, dataKey);
    }

    private List<byte[]> untilHanded(int expected) {
        for (int i = 1; i < expected; i++) {
            assertThat(write(watch.current(), KEY)).isNull();
        }
        List<byte[]> sample = write(watch.current(), KEY);
        assertThat(sample).hasSize(expected);
        return sample;
    }

    private static Dictionary dictionary(long dataKey) {
        return new Dictionary(new byte[Dictionary.ID_BYTES], "c", dataKey, 0, 0, 500, new byte[] {1});
    }

    @Test
    void theFirstSampleIsSmallAndAWholeOneFollows() {
        untilHanded(FIRST);
        assertThat(write(null, KEY)).isNull();
        watch.use(dictionary(KEY));
        untilHanded(SAMPLES);
        watch.use(dictionary(KEY));
        for (int i = 0; i < 10 * SAMPLES; i++) {
            assertThat(write(watch.current(), KEY)).isNull();
        }
        assertThat(held).hasValue(0);
    }

    @Test
    void aSmallSampleThatIsNotWorthADictionaryIsNotTheLastWord() {
        untilHanded(FIRST);
        watch.keep(900);
        untilHanded(SAMPLES);
        watch.keep(900);
        assertThat(write(null, KEY)).isNull();
        assertThat(watch.gatheredBytes()).isZero();
    }

    @Test
    void valuesThatWereUnderWayWhenTheDictionaryCameAreNoReasonForAnother() {
        untilHanded(FIRST);
        watch.use(dictionary(KEY));
        untilHanded(SAMPLES);
        watch.use(dictionary(KEY));
        for (int i = 0; i < 10 * SAMPLES; i++) {
            assertThat(write(null, KEY)).isNull();
        }
        assertThat(watch.gatheredBytes()).isZero();
    }

    @Test
    void anotherDataKeyNeedsAnotherDictionary() {
        untilHanded(FIRST);
        watch.use(dictionary(KEY));
        untilHanded(SAMPLES);
        watch.use(dictionary(KEY));
        assertThat(write(null, KEY + 1)).isNull();
        for (int i = 1; i < SAMPLES; i++) {
            assertThat(write(null, KEY + 1)).isNull();
        }
        assertThat(write(null, KEY + 1)).hasSize(SAMPLES);
    }

    @Test
    void aDictionaryThatIsThereAtTheStartIsTheOneToGoOnWith() {
        watch.use(dictionary(KEY));
        for (int i = 0; i < 10 * SAMPLES; i++) {
            assertThat(write(watch.current(), KEY)).isNull();
        }
        assertThat(held).hasValue(0);
    }
}
