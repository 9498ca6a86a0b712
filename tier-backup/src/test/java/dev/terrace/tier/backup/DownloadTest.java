package dev.terrace.tier.backup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.Throttle;
import dev.terrace.testkit.ManualClock;
import dev.terrace.testkit.blob.HeapBucket;
import dev.terrace.tier.backup.repo.BlobRef;
import dev.terrace.tier.backup.repo.Sha256;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DownloadTest {
    @TempDir
    Path temp;

    private final byte[] content = new byte[500_000];
    private final BlobStore heap = new HeapBucket(new ManualClock(0)).open();
    private final List<Object> offsets = new ArrayList<>();
    private final AtomicLong told = new AtomicLong();
    private BlobRef blob;
    private Path target;

    DownloadTest() {
        new Random(4711).nextBytes(content);
        blob = new BlobRef("data/one", content.length, Sha256.of(content));
        target = Path.of("");
    }

    @BeforeEach
    void store() throws Exception {
        heap.write(blob.name(), content, true);
        target = temp.resolve("000012.sst");
    }

    private Download download(long bytesPerSecond) {
        BlobStore watched = (BlobStore) Proxy.newProxyInstance(
                BlobStore.class.getClassLoader(), new Class<?>[] {BlobStore.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("open")) {
                        offsets.add(arguments[1]);
                    }
                    try {
                        return method.invoke(heap, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
        return new Download(
                watched,
                new Unsealing(temp.resolve("unsealed"), null),
                new Throttle(bytesPerSecond, System::nanoTime),
                told::set);
    }

    @Test
    @Tag("F61")
    void whatWasBrokenOffGoesOnWhereItStopped() throws Exception {
        Files.write(Download.part(target), Arrays.copyOf(content, 300_000));
        download(0).file(blob, target);
        assertThat(offsets).containsExactly(300_000L);
        assertThat(target).hasBinaryContent(content);
        assertThat(Download.part(target)).doesNotExist();
        assertThat(told).hasValue(content.length);
        download(0).file(blob, target);
        assertThat(offsets).as("what is whole is not fetched again").hasSize(1);
    }

    @Test
    void whatIsThereOfItAndIsNotTheSameIsFetchedAgain() throws Exception {
        byte[] torn = Arrays.copyOf(content, 300_000);
        torn[1_000] ^= 1;
        Files.write(Download.part(target), torn);
        download(0).file(blob, target);
        assertThat(offsets).containsExactly(300_000L, 0L);
        assertThat(target).hasBinaryContent(content);
        assertThat(told).hasValue(content.length);
        Files.write(Download.part(target), new byte[600_000]);
        Files.write(target, new byte[content.length]);
        download(0).file(blob, target);
        assertThat(target).hasBinaryContent(content);
    }

    @Test
    void bytesThatWereNotStoredAreRefusedAndNotKept() throws Exception {
        BlobRef other = new BlobRef(blob.name(), content.length, Sha256.of(new byte[1]));
        BlobException wrong =
                catchThrowableOfType(BlobException.class, () -> download(0).file(other, target));
        assertThat(wrong.kind()).isEqualTo(BlobException.Kind.CORRUPT);
        assertThat(wrong).hasMessageContaining("data/one is not what was stored");
        assertThat(target).doesNotExist();
        assertThat(Download.part(target)).doesNotExist();
        heap.delete(List.of(blob.name()));
        BlobException gone =
                catchThrowableOfType(BlobException.class, () -> download(0).file(blob, target));
        assertThat(gone.kind()).isEqualTo(BlobException.Kind.ABSENT);
    }

    @Test
    void aRateIsKept() throws Exception {
        long begin = System.nanoTime();
        download(1_000_000).file(blob, target);
        // Nothing is saved up, and only the last piece is not waited for.
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin)).isGreaterThanOrEqualTo(350);
    }
}
