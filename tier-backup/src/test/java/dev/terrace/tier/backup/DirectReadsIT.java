package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which reads are answered on the caller's thread. */
class DirectReadsIT {
    private static final String LONG = "0123456789abcdef".repeat(4 << 10);

    @TempDir
    Path folder;

    private final ManualClock clock = ManualClock.startingNow();
    private TestContext context;
    private RocksTier tier;
    private int counter;

    @BeforeEach
    void open() {
        context = new TestContext(clock, Backups.settings(folder, true, null, Backups.PASSPHRASE, Duration.ofHours(8)));
        tier = Backups.open(context);
    }

    @AfterEach
    void close() {
        tier.close();
    }

    private void store(String key, String value) {
        Backups.store(tier, Backups.entry(key, clock.millis(), ++counter, value));
    }

    private long direct() {
        return context.metrics().counter("l3.reads.direct").getCount();
    }

    private CompletableFuture<Lookup> ask(String key) {
        return tier.get(Backups.entry(key, clock.millis(), ++counter, "").key()).toCompletableFuture();
    }

    @Test
    void whatIsInMemoryIsAnsweredAtOnce() {
        store("a", "1");
        store("a", "2");
        CompletableFuture<Lookup> asked = ask("a");
        assertThat(asked).isCompleted();
        assertThat(asked.join()).isInstanceOf(Lookup.Hit.class);
        assertThat(Backups.read(tier, "a")).isEqualTo("2");
        assertThat(ask("nobody")).isCompletedWithValue(Lookup.MISS);
        assertThat(direct()).isEqualTo(3);
    }

    @Test
    void whatIsOnTheDiskOnlyIsLeftToTheReadersUntilItHasBeenRead() {
        for (int i = 0; i < 300; i++) {
            store("key" + i, "value" + i);
        }
        tier.close();
        open();
        assertThat(Backups.read(tier, "key7")).isEqualTo("value7");
        assertThat(direct()).as("of a file that nobody has read").isZero();
        assertThat(Backups.read(tier, "key7")).isEqualTo("value7");
        assertThat(direct()).isEqualTo(1);
        store("key7", "another");
        assertThat(Backups.read(tier, "key7")).isEqualTo("another");
        for (int i = 0; i < 300; i++) {
            assertThat(Backups.read(tier, "key" + i)).isEqualTo(i == 7 ? "another" : "value" + i);
        }
    }

    @Test
    void whatTakesLongToReadIsLeftToTheReaders() {
        store("long", LONG);
        assertThat(Backups.read(tier, "long")).isEqualTo(LONG);
        assertThat(direct()).isZero();
    }

    @Test
    void aClosedTierSaysSo() {
        store("a", "1");
        tier.close();
        assertThat(Backups.await(tier.get(CacheKey.of("quotes", "a")))).isInstanceOf(Lookup.Unavailable.class);
        assertThat(direct()).isZero();
    }
}
