package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Envelope;
import dev.terrace.testkit.Entries;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class ScratchTest {
    private static final int MANY = 12_800;

    /** Whether the thread's view still has its array after so many uses of it. */
    private static boolean keeps(int bytes, int uses) {
        byte[] envelope = Envelope.encode(
                Entries.value(CacheKey.of("c", "k"), Entries.version(1, 1), 1, Duration.ofHours(1), new byte[bytes]));
        Scratch scratch = Scratch.take();
        assertThat(scratch.view.wrap(envelope, envelope.length)).isNull();
        scratch.giveBack();
        for (int use = 1; use < uses; use++) {
            Scratch.take().giveBack();
        }
        return Scratch.take().view.array() == envelope;
    }

    private static void onAThreadOfItsOwn(Runnable test) throws InterruptedException {
        Throwable[] failed = new Throwable[1];
        Thread thread = new Thread(test);
        thread.setUncaughtExceptionHandler((one, failure) -> failed[0] = failure);
        thread.start();
        thread.join();
        assertThat(failed[0]).isNull();
    }

    @Test
    void aThreadKeepsNoArrayOfALargeValue() throws Exception {
        onAThreadOfItsOwn(() -> assertThat(keeps(2 << 20, 1)).isFalse());
        onAThreadOfItsOwn(() -> assertThat(keeps(200 << 10, 2)).isTrue());
        onAThreadOfItsOwn(() -> assertThat(keeps(200 << 10, 256)).isFalse());
        onAThreadOfItsOwn(() -> assertThat(keeps(10 << 10, 1_000)).isTrue());
    }

    @Test
    void theFirstReadOfAThreadIsAsLikelyToBeSampledAsAnyOther() {
        int sampled = 0;
        Scratch outer = Scratch.take();
        for (int i = 0; i < MANY; i++) {
            // While the thread's own is taken, each is a new one.
            sampled += Scratch.take().isSampled() ? 1 : 0;
        }
        outer.giveBack();
        assertThat(sampled).isBetween(1, 10 * MANY / Scratch.SAMPLED_ONE_IN);
    }
}
