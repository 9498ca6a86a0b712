package dev.terrace.testkit.blob;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Page;
import dev.terrace.spi.BlobStore.Stat;
import dev.terrace.spi.BlobStore.Written;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What every {@link BlobStore} promises. A store's test class extends this and says how to open one; where it must be empty before each test.
 */
public abstract class BlobStoreContract {
    private static final int THREADS = 8;

    private final List<BlobStore> opened = new ArrayList<>();
    private BlobStore store = new HeapBucket(() -> Instant.EPOCH).open();

    /** Opens another client of the same place; what one has written the others read. */
    protected abstract BlobStore open() throws Exception;

    /** Begins an upload and dies, so that something is left behind; false when nothing can be. */
    protected abstract boolean leaveUnfinished() throws Exception;

    /** A length that takes several parts. */
    protected int largeBytes() {
        return 1 << 20;
    }

    /** How many rounds a race has. */
    protected int races() {
        return 10;
    }

    /** The store under test. */
    protected final BlobStore store() {
        return store;
    }

    /** Another client, closed after the test. */
    protected final BlobStore another() throws Exception {
        BlobStore another = open();
        opened.add(another);
        return another;
    }

    @BeforeEach
    final void openOne() throws Exception {
        store = another();
    }

    @AfterEach
    final void closeAll() {
        Thread.interrupted(); // A test that failed must not fail the cleaning, too.
        opened.forEach(BlobStore::close);
    }

    @Test
    void anEmptyStoreHasNothing() throws Exception {
        assertThat(store.stat("a/b")).isEmpty();
        assertThat(store.read("a/b", 10)).isEmpty();
        assertThat(store.list("", null, 10)).isEqualTo(new Page(List.of(), null));
        store.delete(List.of("a/b", "c"));
        store.delete(List.of());
        assertThat(store.discardUnfinished(Long.MAX_VALUE)).isZero();
        assertFails(Kind.ABSENT, () -> store.open("a/b", 0, 0));
        assertFails(Kind.ABSENT, () -> store.open("a/b", 0, 1));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1_000, 70_000})
    void givesBackExactlyWhatWasWritten(int length) throws Exception {
        byte[] bytes = bytes(length, length);
        assertThat(store.write("w/one", bytes, false)).isEqualTo(Written.STORED);

        BlobStore other = another();
        assertThat(other.read("w/one", length))
                .hasValueSatisfying(read -> assertThat(read).isEqualTo(bytes));
        Stat stat = other.stat("w/one").orElseThrow();
        assertThat(stat.name()).isEqualTo("w/one");
        assertThat(stat.bytes()).isEqualTo(length);
        assertThat(read(other, "w/one", 0, length)).isEqualTo(bytes);
        List<Stat> listed = other.list("w/", null, 10).blobs();
        assertThat(listed).hasSize(1);
        assertThat(listed.get(0).name()).isEqualTo("w/one");
        assertThat(listed.get(0).bytes()).isEqualTo(length);
        // Some stores keep seconds only, and not in both places.
        assertThat(listed.get(0).modifiedMillis())
                .isBetween(stat.modifiedMillis() - 1_000, stat.modifiedMillis() + 1_000);
    }

    @Test
    void aWriteReplacesWhatWasThere() throws Exception {
        store.write("one", bytes(1, 5_000), false);
        store.write("one", bytes(2, 10), false);
        assertThat(store.read("one", 10)).hasValue(bytes(2, 10));
        assertThat(store.stat("one").orElseThrow().bytes()).isEqualTo(10);
        store.write("one", new byte[0], false);
        assertThat(store.read("one", 0)).hasValue(new byte[0]);
    }

    @Test
    void createsOnlyWhatIsAbsent() throws Exception {
        assumeConditions();
        assertThat(store.write("one", bytes(1, 100), true)).isEqualTo(Written.STORED);
        assertThat(store.write("one", bytes(2, 100), true)).isEqualTo(Written.EXISTED);
        assertThat(store.write("one", bytes(1, 100), true)).isEqualTo(Written.EXISTED);
        assertThat(store.read("one", 100)).hasValue(bytes(1, 100));
        store.delete(List.of("one"));
        assertThat(store.write("one", bytes(3, 100), true)).isEqualTo(Written.STORED);
        assertThat(store.read("one", 100)).hasValue(bytes(3, 100));
    }

    @Test
    void ofManyThatCreateTheSameOneWins() throws Exception {
        assumeConditions();
        BlobStore second = another();
        for (int round = 0; round < races(); round++) {
            String name = "race/" + round;
            List<Written> outcomes = atOnce(
                    THREADS,
                    thread -> (thread % 2 == 0 ? store : second).write(name, bytes(thread, 200 + thread), true));
            assertThat(outcomes).as(name).containsOnlyOnce(Written.STORED);
            int winner = outcomes.indexOf(Written.STORED);
            assertThat(second.read(name, 1_000)).as(name).hasValue(bytes(winner, 200 + winner));
        }
    }

    @Test
    @Tag("F53")
    void refusesConditionsThatItCannotKeep() throws Exception {
        if (!store.capabilities().createsIfAbsent()) {
            assertFails(Kind.UNSUPPORTED, () -> store.write("one", new byte[1], true));
            assertThat(store.stat("one")).isEmpty();
        }
        BlobSource tooLong = source(BlobStore.MOST_BYTES_IF_ABSENT + 1L, offset -> InputStream.nullInputStream());
        assertThat(kind(catchThrowable(() -> store.write("one", tooLong, true))))
                .isIn(Kind.TOO_LARGE, Kind.UNSUPPORTED);
    }

    @Test
    void readsRanges() throws Exception {
        byte[] bytes = bytes(7, 3_000);
        store.write("one", bytes, false);
        int[][] ranges = {{0, 3_000}, {0, 1}, {2_999, 1}, {1_000, 1_000}, {3_000, 0}, {17, 0}};
        for (int[] range : ranges) {
            assertThat(read(store, "one", range[0], range[1]))
                    .as("%d+%d", range[0], range[1])
                    .isEqualTo(Arrays.copyOfRange(bytes, range[0], range[0] + range[1]));
        }
        assertThatThrownBy(() -> read(store, "one", 2_999, 2)).isNotInstanceOf(RuntimeException.class);
        assertThatThrownBy(() -> read(store, "one", 3_001, 1)).isNotInstanceOf(RuntimeException.class);
        assertThatThrownBy(() -> store.open("one", -1, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.open("one", 0, -1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void streamsMayBeClosedEarlyAndBesideEachOther() throws Exception {
        byte[] bytes = bytes(8, 300_000);
        store.write("one", bytes, false);
        for (int i = 0; i < 40; i++) { // More than there are connections.
            InputStream in = store.open("one", 0, bytes.length);
            assertThat(in.read()).isEqualTo(bytes[0] & 0xff);
            in.close();
            in.close();
        }
        try (InputStream first = store.open("one", 0, bytes.length);
                InputStream second = store.open("one", 1, bytes.length - 1)) {
            assertThat(second.readAllBytes()).hasSize(bytes.length - 1);
            assertThat(first.readAllBytes()).isEqualTo(bytes);
            assertThat(first.read()).isEqualTo(-1);
        }
    }

    @Test
    void refusesToReadMoreThanWasAsked() throws Exception {
        store.write("one", new byte[101], false);
        assertFails(Kind.TOO_LARGE, () -> store.read("one", 100));
        assertThat(store.read("one", 101)).isPresent();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "/",
                "/a",
                "a/",
                "a//b",
                ".",
                "..",
                "a/../b",
                "a/./b",
                "a b",
                "a\\b",
                "ä",
                "a\u0000b",
                "a*b",
                "!x"
            })
    void refusesNames(String name) {
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> store.stat(name),
                () -> store.read(name, 1),
                () -> store.open(name, 0, 1),
                () -> store.write(name, new byte[1], false),
                () -> store.delete(List.of(name)))) {
            assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void takesTheLongestNames() throws Exception {
        String name = ("w/" + "x".repeat(200) + "/" + "y".repeat(200) + "/").concat("z".repeat(108));
        assertThat(name).hasSize(512);
        store.write(name, new byte[1], false);
        assertThat(store.list("w/", null, 10).blobs()).extracting(Stat::name).containsExactly(name);
        assertThatThrownBy(() -> store.stat(name + "z")).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.list(name + "z", null, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.list("a b", null, 1)).isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> store.list("", null, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void listsInOrderOfBytesPageByPage() throws Exception {
        // The separator sorts between the others: what is in folders must not be sorted by folder.
        List<String> names = List.of("a-b", "a.b", "a/b", "a/b-c", "a/b.d/e", "a/c/d", "aB", "a_b", "ab", "b/1", "B/2");
        for (String name : names) {
            store.write(name, new byte[1], false);
        }
        for (int most : new int[] {1, 3, 100}) {
            for (String prefix : List.of("", "a", "a/", "a/b", "a/c/", "b/1", "x", "a/c/d/e")) {
                assertThat(all(prefix, null, most))
                        .as("%s by %d", prefix, most)
                        .containsExactlyElementsOf(names.stream()
                                .filter(name -> name.startsWith(prefix))
                                .sorted()
                                .toList());
            }
        }
        for (String after : List.of("a/b", "a/bb", "A", "a/c/d", "a/", "z")) {
            assertThat(all("a/", after, 2))
                    .as("after " + after)
                    .containsExactlyElementsOf(names.stream()
                            .filter(name -> name.startsWith("a/") && name.compareTo(after) > 0)
                            .sorted()
                            .toList());
        }
    }

    @Test
    void deletesManyAtOnce() throws Exception {
        List<String> names = new ArrayList<>();
        for (int i = 0; i < 1_100; i++) { // More than some stores take in one request.
            names.add("d/" + i);
        }
        for (int i = 0; i < names.size(); i += 100) {
            store.write(names.get(i), new byte[1], false);
        }
        store.write("kept", new byte[1], false);
        store.delete(names);
        assertThat(all("", null, 1_000)).containsExactly("kept");
        assertThat(store.stat("d/0")).isEmpty();
    }

    @Test
    void writesAndReadsLargeBlobs() throws Exception {
        byte[] bytes = bytes(9, largeBytes());
        assertThat(store.write("large", BlobSource.of(bytes), false)).isEqualTo(Written.STORED);
        assertThat(store.stat("large").orElseThrow().bytes()).isEqualTo(bytes.length);
        assertThat(Arrays.equals(read(another(), "large", 0, bytes.length), bytes))
                .isTrue();
        assertThat(read(store, "large", bytes.length / 2 - 3, 7))
                .isEqualTo(Arrays.copyOfRange(bytes, bytes.length / 2 - 3, bytes.length / 2 + 4));
        assertThat(store.discardUnfinished(Long.MAX_VALUE)).isZero();
        assertThat(all("", null, 10)).containsExactly("large");
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void nothingIsStoredWhenTheSourceIsNotAsPromised(boolean large) throws Exception {
        int length = large ? largeBytes() : 1_000;
        byte[] bytes = bytes(3, length);
        store.write("one", bytes(1, 10), false);
        // Two thirds: where several parts are sent, some have gone before it shows.
        int end = length / 3 * 2;
        assertFails(
                Kind.CORRUPT,
                () -> store.write(
                        "one",
                        source(length, from -> new ByteArrayInputStream(bytes, from, Math.max(0, end - from))),
                        false));
        assertFails(
                Kind.CORRUPT, () -> store.write("one", source(length, from -> new Failing(bytes, from, end)), false));
        assertThat(store.read("one", length)).hasValue(bytes(1, 10));
        assertThat(all("", null, 10)).containsExactly("one");
    }

    @Test
    void readersSeeWholeBlobsWhileOthersWrite() throws Exception {
        store.write("one", filled(0), false);
        AtomicBoolean over = new AtomicBoolean();
        BlobStore other = another();
        List<Boolean> whole = atOnce(4, thread -> {
            if (thread == 0) {
                for (int i = 1; i <= 20; i++) {
                    store.write("one", filled(i), false);
                }
                over.set(true);
                return true;
            }
            do {
                byte[] read = other.read("one", 1 << 20).orElseThrow();
                if (!Arrays.equals(read, filled(read[0]))) {
                    return false;
                }
            } while (!over.get());
            return true;
        });
        assertThat(whole).containsOnly(true);
    }

    @Test
    void anInterruptEndsACallAndStaysSet() throws Exception {
        store.write("one", new byte[100], false);
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> store.write("two", new byte[1], false),
                () -> store.read("one", 100),
                () -> store.open("one", 0, 100).close(),
                () -> store.delete(List.of("one")))) {
            Thread.currentThread().interrupt();
            assertFails(Kind.INTERRUPTED, call);
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(store.read("one", 100)).isPresent();
    }

    @Test
    void aClosedStoreSaysSo() throws Exception {
        store.write("one", new byte[1], false);
        store.close();
        store.close();
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> store.stat("one"),
                () -> store.read("one", 1),
                () -> store.open("one", 0, 1),
                () -> store.write("two", new byte[1], false),
                () -> store.list("", null, 1),
                () -> store.delete(List.of("one")),
                () -> store.discardUnfinished(0))) {
            assertFails(Kind.CLOSED, call);
        }
        assertThat(another().read("one", 1)).isPresent();
    }

    @Test
    @Tag("F50")
    void whatUploadsThatDiedLeftBehindIsDiscardedByAge() throws Exception {
        assumeTrue(leaveUnfinished(), "this store leaves nothing behind");
        assertThat(all("", null, 10)).isEmpty();
        assertThat(store.discardUnfinished(0)).isZero();
        assertThat(store.discardUnfinished(Long.MAX_VALUE)).isEqualTo(1);
        assertThat(store.discardUnfinished(Long.MAX_VALUE)).isZero();
    }

    @Test
    void doesWhatASimpleMapDoes() throws Exception {
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        System.out.println(getClass().getSimpleName() + " seed=" + seed + " (replay with -Dterrace.seed=" + seed + ")");
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L ^ seed >>> 17);
        Map<String, byte[]> model = new TreeMap<>();
        for (int i = 0; i < 150; i++) {
            String name = "abc".charAt(random.nextInt(3)) + "/" + random.nextInt(6);
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    byte[] bytes = bytes(random.nextInt(), random.nextInt(2_000));
                    boolean absent = store.capabilities().createsIfAbsent() && random.nextBoolean();
                    Written written = store.write(name, bytes, absent);
                    assertThat(written).isEqualTo(absent && model.containsKey(name) ? Written.EXISTED : Written.STORED);
                    if (written == Written.STORED) {
                        model.put(name, bytes);
                    }
                }
                case 2 -> {
                    store.delete(List.of(name));
                    model.remove(name);
                }
                case 3 ->
                    assertThat(all(name.substring(0, 2), null, 1 + random.nextInt(5)))
                            .containsExactlyElementsOf(model.keySet().stream()
                                    .filter(other -> other.startsWith(name.substring(0, 2)))
                                    .toList());
                case 4 ->
                    assertThat(store.stat(name).map(Stat::bytes))
                            .isEqualTo(
                                    model.containsKey(name)
                                            ? Optional.of((long) model.get(name).length)
                                            : Optional.empty());
                default -> assertThat(store.read(name, 2_000).orElse(null)).isEqualTo(model.get(name));
            }
        }
    }

    /** Skips what needs conditions, and says so. */
    private void assumeConditions() {
        assumeTrue(
                store.capabilities().createsIfAbsent(),
                store.location() + " was found not to create only what is absent");
    }

    private List<String> all(String prefix, @Nullable String after, int most) throws BlobException {
        List<String> names = new ArrayList<>();
        String from = after;
        do {
            Page page = store.list(prefix, from, most);
            assertThat(page.blobs()).hasSizeLessThanOrEqualTo(most);
            page.blobs().forEach(blob -> names.add(blob.name()));
            from = page.next();
        } while (from != null);
        return names;
    }

    /** What one of several threads does. */
    protected interface Part<T> {
        /** Done by the thread of this number, from 0. */
        T by(int thread) throws Exception;
    }

    /** Runs it on several threads that begin together. */
    protected static <T> List<T> atOnce(int threads, Part<T> part) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CyclicBarrier start = new CyclicBarrier(threads);
            List<Callable<T>> calls = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int thread = i;
                calls.add(() -> {
                    start.await(30, TimeUnit.SECONDS);
                    return part.by(thread);
                });
            }
            List<T> results = new ArrayList<>();
            for (Future<T> future : pool.invokeAll(calls, 100, TimeUnit.SECONDS)) {
                results.add(future.get());
            }
            return results;
        } catch (ExecutionException e) {
            throw e.getCause() instanceof Exception cause ? cause : e;
        } finally {
            pool.shutdownNow();
        }
    }

    /** All bytes of a range. */
    protected static byte[] read(BlobStore from, String name, long offset, long length) throws Exception {
        try (InputStream in = from.open(name, offset, length)) {
            return in.readAllBytes();
        }
    }

    /** The call ends with a {@link BlobException} of this kind, with a message. */
    protected static void assertFails(Kind kind, ThrowingCallable call) {
        Throwable thrown = catchThrowable(call);
        assertThat(thrown).isInstanceOf(BlobException.class);
        assertThat(kind(thrown)).as(thrown.getMessage()).isEqualTo(kind);
        assertThat(thrown).message().isNotBlank();
    }

    private static @Nullable Kind kind(@Nullable Throwable thrown) {
        return thrown instanceof BlobException blob ? blob.kind() : null;
    }

    /** Bytes that look random and are the same for the same seed. */
    protected static byte[] bytes(long seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    private static byte[] filled(int value) {
        byte[] bytes = new byte[20_000 + value * 100];
        Arrays.fill(bytes, (byte) value);
        return bytes;
    }

    /** A source that need not have what it promises. */
    protected static BlobSource source(long length, Opening opening) {
        return new BlobSource() {
            @Override
            public long length() {
                return length;
            }

            @Override
            public InputStream open(long offset) throws IOException {
                return opening.from((int) offset);
            }
        };
    }

    /** Opens a source. */
    protected interface Opening {
        /** From there on. */
        InputStream from(int offset) throws IOException;
    }

    /** Some bytes and then a broken disk. */
    private static final class Failing extends InputStream {
        private final byte[] bytes;
        private final int end;
        private int at;

        Failing(byte[] bytes, int from, int end) {
            this.bytes = bytes;
            this.end = end;
            at = from;
        }

        @Override
        public int read() throws IOException {
            if (at >= end) {
                throw new IOException("the disk broke, as the test says");
            }
            return bytes[at++] & 0xff;
        }

        @Override
        public int read(byte[] into, int offset, int length) throws IOException {
            if (length == 0) {
                return 0;
            }
            into[offset] = (byte) read();
            int more = Math.min(length - 1, end - at);
            System.arraycopy(bytes, at, into, offset + 1, more);
            at += more;
            return 1 + more;
        }
    }
}
