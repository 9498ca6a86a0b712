package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.Counter;
import dev.terrace.config.BackupStorageSettings;
import dev.terrace.spi.KeyReport;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KeyRotationIT {
    @TempDir
    Path temp;

    private final ManualClock clock = ManualClock.startingNow();

    private static long count(TestContext context, String name) {
        Counter counter = context.metrics().counter(name);
        return counter.getCount();
    }

    @Test
    @Tag("F56")
    void aRunningTierRotatesAndWhatADestroyedKeySealedIsAMissThatSaysSo() throws IOException {
        Path key = Files.writeString(temp.resolve("kek"), "ab".repeat(32));
        BackupStorageSettings settings =
                Backups.withPassphrase(temp.resolve("folder")).withKey(null, "terrace", null, "file", key.toString());
        RocksTier tier = Backups.open(new TestContext(clock, settings));
        Backups.store(tier, Backups.entry("old", clock.millis(), 1, "one"));
        assertThat(Backups.await(tier.rotateKey("data", "me"))).isEmpty();
        assertThat(Backups.await(tier.rotateKey("index", "me"))).contains("data and signing");
        Backups.store(tier, Backups.entry("new", clock.millis(), 2, "two"));
        assertThat(Backups.read(tier, "old")).isEqualTo("one");
        KeyReport report = tier.keys();
        assertThat(report).isNotNull();
        assertThat(report.keys())
                .filteredOn(each -> each.purpose().equals("data"))
                .extracting(KeyReport.Key::state)
                .containsExactly("retired", "active");
        tier.close();
        try (FolderKeys keys = FolderKeys.open(settings, clock)) {
            keys.destroy(1, "me");
        }
        TestContext context = new TestContext(clock, settings);
        RocksTier again = Backups.open(context);
        assertThat(Backups.read(again, "old")).isNull();
        assertThat(Backups.read(again, "new")).isEqualTo("two");
        assertThat(count(context, "l3.destroyed")).isEqualTo(1);
        assertThat(count(context, "l3.corrupt")).isZero();
        again.close();
    }
}
