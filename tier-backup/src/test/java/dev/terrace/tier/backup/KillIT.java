package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.time.InstantSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KillIT {
    @TempDir
    Path temp;

    @Test
    void whatWasAcknowledgedSurvivesAKillInMidWrite() throws Exception {
        for (int round = 1; round <= 3; round++) {
            Path folder = temp.resolve("killed-" + round);
            ChildWriter child = ChildWriter.start(folder);
            int acknowledged = -1;
            try {
                int enough = round * 2_000;
                for (String line = child.line(); line != null && acknowledged < enough; line = child.line()) {
                    acknowledged = Integer.parseInt(line);
                }
            } finally {
                child.kill();
            }
            assertThat(acknowledged).isGreaterThanOrEqualTo(round * 2_000);
            TestContext context = new TestContext(InstantSource.system(), Backups.plain(folder));
            RocksTier tier = Backups.open(context);
            try {
                for (int i = 0; i <= acknowledged; i++) {
                    assertThat(Backups.read(tier, "k" + i)).as("k%d", i).isEqualTo("value " + i);
                }
                assertThat(context.metrics().counter("l3.lost_estimate").getCount())
                        .isZero();
                assertThat(context.metrics().counter("l3.salvaged").getCount()).isZero();
            } finally {
                tier.close();
            }
        }
    }
}
