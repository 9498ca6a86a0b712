package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.WriteJournal;
import dev.terrace.spi.WriteJournal.Outcome;
import dev.terrace.testkit.TestContext;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

class JournalDiskFullIT extends SmallDisk {
    JournalDiskFullIT() {
        super(32);
    }

    @Test
    @Tag("F75")
    void aFullDiskRefusesWritesLosesNothingAcknowledgedAndHealsByItself() throws Exception {
        TestContext context = Journals.context(mountPoint.resolve("journal"));
        Map<String, String> kept = new TreeMap<>();
        SplittableRandom random = new SplittableRandom(7);
        Path ballast = mountPoint.resolve("ballast");
        Files.write(ballast, new byte[16 << 20]);
        try (WriteJournal journal = Journals.open(context)) {
            Outcome last = Outcome.KEPT;
            for (int i = 0; last == Outcome.KEPT && i < 5_000; i++) {
                byte[] value = new byte[32 << 10];
                for (int b = 0; b < value.length; b++) {
                    value[b] = (byte) random.nextInt(32, 127);
                }
                String text = new String(value, StandardCharsets.US_ASCII);
                last = Backups.await(journal.take(List.of(Journals.waits("k" + i, i + 1, text))));
                if (last == Outcome.KEPT) {
                    kept.put("k" + i, text);
                }
            }
            assertThat(last).isEqualTo(Outcome.FAILED);
            assertThat(journal.trouble()).contains("full").contains(mountPoint.toString());
            Files.delete(ballast);
            await().atMost(Duration.ofSeconds(60))
                    .untilAsserted(() -> assertThat(
                                    Backups.await(journal.take(List.of(Journals.waits("after", 9_999, "freed")))))
                            .isEqualTo(Outcome.KEPT));
            assertThat(journal.trouble()).isNull();
            kept.put("after", "freed");
        }
        try (WriteJournal again = Journals.open(context)) {
            assertThat(Journals.waiting(again)).containsAllEntriesOf(kept);
        }
    }
}
