package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class LogSyncTest {
    private final AtomicInteger syncs = new AtomicInteger();

    private static CompletableFuture<Void> heldBack(LogSync log) {
        return CompletableFuture.runAsync(() -> {
            try {
                log.holdBack();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void itSyncsAgainAndAgainAlsoAfterABug() {
        LogSync log = new LogSync(
                () -> {
                    if (syncs.incrementAndGet() == 2) {
                        throw new IllegalStateException("a bug, as the test says");
                    }
                },
                1,
                60_000);
        log.start();
        await().until(() -> syncs.get() > 4);
        assertThat(log.end()).isTrue();
        int then = syncs.get();
        assertThat(heldBack(log)).succeedsWithin(10, TimeUnit.SECONDS);
        assertThat(syncs).hasValue(then);
    }

    @Test
    void writesGoOnBesideASyncThatTakesItsTime() throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        LogSync log = stuck(disk, 60_000);
        assertThat(heldBack(log)).succeedsWithin(10, TimeUnit.SECONDS);
        disk.countDown();
        assertThat(log.end()).isTrue();
    }

    @Test
    void writesWaitForADiskThatIsTooFarBehind() throws Exception {
        CountDownLatch disk = new CountDownLatch(1);
        LogSync log = stuck(disk, 0);
        CompletableFuture<Void> write = heldBack(log);
        assertThat(write).as("held back while the sync is under way").failsWithin(100, TimeUnit.MILLISECONDS);
        disk.countDown();
        assertThat(write).succeedsWithin(10, TimeUnit.SECONDS);
        assertThat(log.end()).isTrue();
    }

    /** One whose first sync is under way when this returns, until {@code disk} lets it go on. */
    private LogSync stuck(CountDownLatch disk, long longestMillis) {
        LogSync log = new LogSync(
                () -> {
                    syncs.incrementAndGet();
                    awaitDisk(disk);
                },
                1,
                longestMillis);
        log.start();
        await().until(() -> syncs.get() > 0);
        return log;
    }

    private static void awaitDisk(CountDownLatch disk) {
        try {
            assertThat(disk.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
