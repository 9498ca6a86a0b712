package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import dev.terrace.api.SetupException;
import dev.terrace.spi.Entry;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class DiskFullIT extends SmallDisk {
    private static final int VALUE_BYTES = 32 << 10;

    private final ManualClock clock = ManualClock.startingNow();

    DiskFullIT() {
        super(48);
    }

    private TestContext context() {
        return new TestContext(clock, Backups.plain(mountPoint.resolve("backup")));
    }

    @Test
    @Tag("F44")
    void aFullDiskRefusesWritesKeepsReadingAndHealsByItself() throws Exception {
        RocksTier tier = Backups.open(context());
        try {
            SplittableRandom random = new SplittableRandom(7);
            Path ballast = mountPoint.resolve("ballast");
            Files.write(ballast, new byte[20 << 20]);
            int stored = 0;
            StoreOutcome last = StoreOutcome.APPLIED;
            while (last instanceof StoreOutcome.Applied && stored < 5_000) {
                last = Backups.await(tier.put(entry(stored, random), WriteCondition.IF_NEWER));
                stored++;
            }
            int kept = stored - 1;
            assertThat(last).isInstanceOfSatisfying(StoreOutcome.Unavailable.class, no -> {
                assertThat(no.cause()).isEqualTo(Unavailability.STORAGE);
                assertThat(no.detail()).contains("full").contains(mountPoint.toString());
            });
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.READ_ONLY);
            for (int i = 0; i < kept; i += 7) {
                assertThat(Backups.read(tier, "k" + i)).as("k%d of %d", i, kept).isNotNull();
            }
            Files.delete(ballast);
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(Backups.await(tier.put(
                                    Backups.entry("after", clock.millis(), 60_000, "freed"), WriteCondition.IF_NEWER)))
                            .isInstanceOf(StoreOutcome.Applied.class));
            assertThat(tier.status().state()).isEqualTo(TierStatus.State.READY);
            assertThat(Backups.read(tier, "after")).isEqualTo("freed");
            assertThat(Backups.read(tier, "k0")).isNotNull();
        } finally {
            tier.close();
        }
        RocksTier again = Backups.open(context());
        try {
            assertThat(Backups.read(again, "after")).isEqualTo("freed");
        } finally {
            again.close();
        }
    }

    private Entry entry(int i, SplittableRandom random) {
        byte[] value = new byte[VALUE_BYTES];
        random.nextBytes(value);
        return Entries.value(
                Backups.key("k" + i), Entries.version(clock.millis(), i), clock.millis(), Backups.TTL, value);
    }

    @Test
    @Tag("F44")
    void aDiskThatIsFullAtOpeningIsNamed() throws IOException {
        Path ballast = mountPoint.resolve("ballast");
        try (var out = Files.newOutputStream(ballast)) {
            byte[] block = new byte[4096];
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            assertThat(full).hasMessageContaining("No space");
        }
        assertThat(catchThrowable(() -> Backups.open(context())))
                .isInstanceOf(SetupException.class)
                .hasMessageContaining(mountPoint.toString())
                .hasMessageContaining("free space");
    }
}
