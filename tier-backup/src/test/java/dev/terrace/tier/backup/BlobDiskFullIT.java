package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Stat;
import dev.terrace.spi.BlobStore.Written;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.TestContext;
import dev.terrace.tier.backup.blob.FileBlobStoreProvider;
import java.net.URI;
import java.util.List;
import org.junit.jupiter.api.Test;

class BlobDiskFullIT extends SmallDisk {
    BlobDiskFullIT() {
        super(2);
    }

    @Test
    void aFullDiskIsSaidAndNothingHalfIsLeft() throws Exception {
        URI folder = URI.create("file:" + mountPoint.resolve("blobs"));
        try (BlobStore store = new FileBlobStoreProvider().open(folder, new TestContext(new ManualClock(0)))) {
            store.write("kept", new byte[500_000], false);
            for (boolean onlyIfAbsent : new boolean[] {false, true}) {
                BlobException full = catchThrowableOfType(
                        BlobException.class, () -> store.write("new", new byte[3_000_000], onlyIfAbsent));
                assertThat(full.kind()).as(full.getMessage()).isEqualTo(BlobException.Kind.FULL);
            }
            assertThat(store.list("", null, 10).blobs()).extracting(Stat::name).containsExactly("kept");
            assertThat(store.discardUnfinished(Long.MAX_VALUE)).isZero();
            store.delete(List.of("kept"));
            assertThat(store.write("new", new byte[1_000_000], true)).isEqualTo(Written.STORED);
        }
    }
}
