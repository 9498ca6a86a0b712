package dev.terrace.testkit.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Stat;
import dev.terrace.spi.BlobStore.Written;
import dev.terrace.testkit.ManualClock;
import java.io.InputStream;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeapBlobStoreTest extends BlobStoreContract {
    private final ManualClock clock = new ManualClock(1_000_000);
    private final HeapBucket bucket = new HeapBucket(clock);

    @Override
    protected BlobStore open() {
        return bucket.open("some");
    }

    @Override
    protected boolean leaveUnfinished() {
        HeapBlobStore dying = bucket.open("some").crashingAt(1, false);
        assertThatThrownBy(() -> dying.write("half", new byte[10], false)).isInstanceOf(SimulatedCrash.class);
        return true;
    }

    @Test
    void diesAtAStepBeforeOrAfterItsEffect() throws Exception {
        HeapBlobStore before = bucket.open().crashingAt(2, false);
        before.write("a", new byte[1], false);
        assertThatThrownBy(() -> before.write("b", new byte[1], false)).isInstanceOf(SimulatedCrash.class);
        assertThatThrownBy(() -> before.stat("a")).isInstanceOf(SimulatedCrash.class);
        assertThat(bucket.names()).containsExactly("a");
        assertThat(bucket.unfinished()).isEqualTo(1);

        HeapBlobStore after = bucket.open().crashingAt(2, true);
        assertThatThrownBy(() -> after.delete(List.of("x", "a", "y"))).isInstanceOf(SimulatedCrash.class);
        assertThat(bucket.names()).isEmpty();
        assertThat(after.steps()).isEqualTo(2);
    }

    @Test
    void failsWithAndWithoutEffect() throws Exception {
        HeapBlobStore store = bucket.open();
        assertFails(
                Kind.UNAVAILABLE,
                () -> store.withFaults(step -> BlobFault.FAILS).write("a", new byte[1], true));
        assertThat(bucket.names()).isEmpty();
        assertFails(
                Kind.UNAVAILABLE,
                () -> store.withFaults(step -> BlobFault.TAKES_EFFECT_AND_FAILS).write("a", new byte[] {7}, true));
        assertThat(bucket.bytes("a")).containsExactly(7);
        store.withFaults(step -> BlobFault.NONE);
        assertThat(store.write("a", new byte[1], true)).isEqualTo(Written.EXISTED);
    }

    @Test
    void aStreamBreaksHalfway() throws Exception {
        HeapBlobStore store = bucket.open();
        store.write("a", new byte[100], false);
        store.withFaults(step -> BlobFault.BREAKS_HALFWAY);
        try (InputStream in = store.open("a", 0, 100)) {
            assertThat(in.readNBytes(50)).hasSize(50);
            assertThatThrownBy(in::read).hasCauseInstanceOf(BlobException.class);
        }
    }

    @Test
    void listingsLagBehindReadsByName() throws Exception {
        HeapBlobStore store = bucket.open();
        store.write("old", new byte[1], false);
        clock.advance(Duration.ofSeconds(60));
        bucket.listingsLag(Duration.ofSeconds(30));
        store.write("new", new byte[1], false);
        store.delete(List.of("old"));
        assertThat(store.stat("new")).isPresent();
        assertThat(names(store)).containsExactly("old");
        clock.advance(Duration.ofSeconds(30));
        assertThat(names(store)).containsExactly("new");
    }

    @Test
    void someIgnoreConditionsAndAreFoundOut() throws Exception {
        HeapBlobStore trusting = bucket.open();
        bucket.ignoreConditions();
        trusting.write("a", new byte[] {1}, true);
        assertThat(trusting.write("a", new byte[] {2}, true)).isEqualTo(Written.STORED);
        assertThat(bucket.open().capabilities().createsIfAbsent()).isFalse();
    }

    @Test
    void losesFlipsAndRollsBack() throws Exception {
        HeapBlobStore store = bucket.open();
        store.write("a", new byte[] {0, 0}, false);
        HeapBucket.State then = bucket.state();
        bucket.flip("a", 9);
        assertThat(store.read("a", 2)).hasValue(new byte[] {0, 2});
        store.write("b", new byte[1], false);
        bucket.lose("a");
        assertThat(names(store)).containsExactly("b");
        bucket.rollBack(then);
        assertThat(names(store)).containsExactly("a");
        assertThat(bucket.bytes()).isEqualTo(2);
        assertThatThrownBy(() -> store.write("a/c", new byte[1], false)).isInstanceOf(IllegalArgumentException.class);
    }

    private static List<String> names(BlobStore store) throws BlobException {
        return store.list("", null, 10).blobs().stream().map(Stat::name).toList();
    }
}
