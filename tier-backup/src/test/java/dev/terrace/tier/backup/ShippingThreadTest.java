package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.BlobException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What the thread that ships lives through. */
class ShippingThreadTest {
    @Test
    void anErrorMakesTheBackupLateAndDoesNotEndIt() {
        AtomicInteger tries = new AtomicInteger();
        ShippingThread.Start start = new ShippingThread.Start() {
            @Override
            public Shipping open() throws BlobException {
                if (tries.incrementAndGet() == 1) {
                    throw new OutOfMemoryError("as the test says");
                }
                throw new BlobException(BlobException.Kind.UNAVAILABLE, "away", null);
            }

            @Override
            public void close() {}
        };
        try (ShippingThread thread =
                new ShippingThread(start, Duration.ofHours(1).toMillis(), new MetricRegistry()).begin()) {
            assertThat(Backups.await(thread.snapshot())).contains("as the test says");
            assertThat(Backups.await(thread.snapshot())).isEqualTo("away");
            assertThat(thread.trouble()).isEqualTo("away");
        }
    }
}
