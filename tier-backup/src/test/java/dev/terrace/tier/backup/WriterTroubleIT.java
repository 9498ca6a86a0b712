package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.testkit.TestContext;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the thread that writes lives through. */
class WriterTroubleIT {
    @TempDir
    Path temp;

    @Test
    void aMomentWithoutMemoryDuringChoresDoesNotEndTheWriter() {
        AtomicInteger failing = new AtomicInteger();
        InstantSource clock = () -> {
            if (Thread.currentThread().getName().equals("terrace-l3-writer")
                    && failing.getAndUpdate(left -> Math.max(0, left - 1)) > 0) {
                throw new OutOfMemoryError("as the test says");
            }
            return Instant.now();
        };
        RocksTier tier = Backups.open(new TestContext(clock, Backups.plain(temp.resolve("l3"))));
        try {
            failing.set(1);
            Awaitility.await().until(() -> failing.get() == 0); // Only chores look at the clock meanwhile.
            Backups.store(tier, Backups.entry("k", clock.millis(), 0, "v"));
            assertThat(Backups.read(tier, "k")).isEqualTo("v");
        } finally {
            tier.close();
        }
    }
}
