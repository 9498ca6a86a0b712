package dev.terrace.blob.s3;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.terrace.spi.BlobException;
import dev.terrace.spi.BlobException.Kind;
import dev.terrace.spi.BlobSource;
import dev.terrace.spi.BlobStore;
import dev.terrace.spi.BlobStore.Written;
import dev.terrace.testkit.s3.FaultyS3;
import dev.terrace.testkit.s3.S3Fault;
import dev.terrace.testkit.s3.S3Fault.Request;
import dev.terrace.testkit.s3.S3Server;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Bad days of a real S3 server and of the way to it. */
class S3FaultsIT {
    private static final Duration PATIENT = Duration.ofSeconds(60);
    private static final Duration HASTY = Duration.ofMillis(900);
    /** Far above any deadline here, far below a hang. */
    private static final long SOON_SECONDS = 30;

    private static S3Server server;
    private FaultyS3 proxy;
    private URI url;
    private BlobStore store;

    @BeforeAll
    static void start() throws Exception {
        server = S3Server.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void open() throws Exception {
        proxy = FaultyS3.before(server.port());
        url = URI.create("s3://" + Buckets.create(server.endpoint()) + "/p");
        store = open(PATIENT);
    }

    @AfterEach
    void close() throws Exception {
        store.close();
        proxy.close();
    }

    private BlobStore open(Duration timeout) throws Exception {
        return Buckets.open(Buckets.settings(url, proxy.endpoint(), timeout));
    }

    /** One that gives up soon; opening it may take a few tries where the machine is busy. */
    private BlobStore hasty(Duration timeout) {
        return Awaitility.await()
                .atMost(SOON_SECONDS, TimeUnit.SECONDS)
                .ignoreExceptions()
                .until(() -> open(timeout), Objects::nonNull);
    }

    private static byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        new Random(length).nextBytes(bytes);
        return bytes;
    }

    private static boolean all(Request request) {
        return true;
    }

    @ParameterizedTest
    @EnumSource(
            value = S3Fault.class,
            names = {"ERROR", "SLOW_DOWN", "RESET", "ANSWER_LOST"})
    @Tag("F48")
    void isTriedAgain(S3Fault fault) throws Exception {
        int times = 2;
        List<ThrowingCallable> calls = List.of(
                () -> assertThat(store.write("one", bytes(1_000), true)).isEqualTo(Written.STORED),
                () -> assertThat(store.write("one", bytes(1_000), false)).isEqualTo(Written.STORED),
                () -> assertThat(store.read("one", 1_000)).hasValue(bytes(1_000)),
                () -> assertThat(store.stat("one")).isPresent(),
                () -> assertThat(read("one", 1_000)).isEqualTo(bytes(1_000)),
                () -> assertThat(store.list("", null, 9).blobs()).hasSize(1),
                () -> store.delete(List.of("one", "two")));
        for (ThrowingCallable call : calls) {
            proxy.next(times, fault, S3FaultsIT::all);
            long before = proxy.faults();
            assertThat(catchThrowable(call))
                    .as(fault + " at " + calls.indexOf(call))
                    .isNull();
            assertThat(proxy.faults() - before).isEqualTo(times);
        }
        assertThat(store.stat("one")).isEmpty();
    }

    @Test
    @Tag("F48")
    void aClockThatIsOffIsAllowedFor() throws Exception {
        proxy.next(1, S3Fault.SKEWED_CLOCK, request -> request.method().equals("PUT"));
        assertThat(store.write("one", bytes(10), true)).isEqualTo(Written.STORED);
        proxy.next(1, S3Fault.SKEWED_CLOCK, request -> request.method().equals("GET"));
        assertThat(store.read("one", 10)).hasValue(bytes(10));
        assertThat(proxy.faults()).isEqualTo(2);
    }

    @Test
    @Tag("F48")
    void whoDoesNotKnowWhetherItWasTheOneFindsOut() throws Exception {
        proxy.next(1, S3Fault.ANSWER_LOST, request -> request.method().equals("PUT"));
        assertThat(store.write("one", bytes(10), true)).isEqualTo(Written.STORED);
        // The same bytes by somebody else are somebody else's.
        try (BlobStore other = open(PATIENT)) {
            assertThat(other.write("one", bytes(10), true)).isEqualTo(Written.EXISTED);
        }
    }

    @Test
    @Tag("F48")
    void aStoreThatIsDownIsSaidAndNotStormed() throws Exception {
        try (BlobStore hasty = hasty(Duration.ofSeconds(3))) {
            proxy.plan(request -> S3Fault.ERROR);
            long before = proxy.requests();
            assertFails(Kind.UNAVAILABLE, () -> hasty.write("one", bytes(10), false));
            assertThat(proxy.requests() - before).isBetween(1L, (long) S3Opening.ATTEMPTS);
            assertFails(Kind.UNAVAILABLE, () -> hasty.stat("one"));
            assertThat(catchThrowableOfType(BlobException.class, () -> open(Duration.ofSeconds(3)))
                            .kind())
                    .isEqualTo(Kind.UNAVAILABLE);
        }
    }

    @Test
    @Tag("F48")
    void nothingWaitsForeverForOneWhoSaysNothing() throws Exception {
        store.write("one", bytes(1_000), false);
        try (BlobStore hasty = hasty(HASTY)) {
            proxy.plan(request -> S3Fault.SILENCE);
            for (ThrowingCallable call : List.<ThrowingCallable>of(
                    () -> hasty.stat("one"),
                    () -> hasty.read("one", 1_000),
                    () -> hasty.open("one", 0, 1_000),
                    () -> hasty.write("one", bytes(10), false),
                    () -> hasty.list("", null, 1),
                    () -> hasty.delete(List.of("one")),
                    () -> hasty.discardUnfinished(0))) {
                long before = System.nanoTime();
                assertFails(Kind.UNAVAILABLE, call);
                assertThat(System.nanoTime() - before).isLessThan(TimeUnit.SECONDS.toNanos(SOON_SECONDS));
            }
        }
    }

    @Test
    void anInterruptAndAClosingEndACallThatWaits() throws Exception {
        proxy.plan(request -> S3Fault.SILENCE);
        CompletableFuture<Throwable> interrupted = new CompletableFuture<>();
        Thread thread = new Thread(() -> {
            Throwable thrown = catchThrowable(() -> store.read("one", 10));
            interrupted.complete(Thread.currentThread().isInterrupted() ? thrown : new AssertionError("no flag"));
        });
        thread.start();
        Awaitility.await().until(() -> proxy.faults() > 0);
        thread.interrupt();
        assertThat(kind(interrupted.get(SOON_SECONDS, TimeUnit.SECONDS))).isEqualTo(Kind.INTERRUPTED);

        long before = proxy.faults();
        CompletableFuture<Throwable> closed =
                CompletableFuture.supplyAsync(() -> catchThrowable(() -> store.read("one", 10)));
        Awaitility.await().until(() -> proxy.faults() > before);
        store.close();
        assertThat(kind(closed.get(SOON_SECONDS, TimeUnit.SECONDS))).isEqualTo(Kind.CLOSED);
    }

    @Test
    @Tag("F49")
    void anErrorBehindA200DoesNotCountAsStored() throws Exception {
        proxy.next(1, S3Fault.ERROR_IN_200, request -> request.method().equals("PUT"));
        assertThat(store.write("one", bytes(10), true)).isEqualTo(Written.STORED);
        assertThat(store.read("one", 10)).hasValue(bytes(10));

        proxy.plan(request -> request.method().equals("PUT") ? S3Fault.ERROR_IN_200 : S3Fault.NONE);
        assertFails(Kind.UNAVAILABLE, () -> store.write("two", bytes(10), false));
        assertFails(Kind.UNAVAILABLE, () -> store.write("two", large(), false));
        proxy.plan(request -> request.isCompletion() ? S3Fault.ERROR_IN_200 : S3Fault.NONE);
        assertFails(Kind.UNAVAILABLE, () -> store.write("two", large(), false));
        assertThat(store.stat("two")).isEmpty();

        proxy.next(1, S3Fault.ERROR_IN_200, request -> request.isPart() || request.isCompletion());
        store.write("two", large(), false);
        assertThat(store.stat("two")).isPresent();
    }

    @Test
    @Tag("F49")
    void aTruncatedAnswerIsNeverTakenForTheWhole() throws Exception {
        store.write("one", bytes(10_000), false);
        proxy.next(1, S3Fault.TRUNCATED_ANSWER, request -> request.method().equals("GET"));
        assertThat(store.read("one", 10_000)).hasValue(bytes(10_000));
        proxy.next(1, S3Fault.TRUNCATED_ANSWER, request -> request.method().equals("GET"));
        assertThat(read("one", 10_000)).isEqualTo(bytes(10_000));
        assertThat(proxy.faults()).isEqualTo(2);

        proxy.plan(request -> request.method().equals("GET") ? S3Fault.TRUNCATED_ANSWER : S3Fault.NONE);
        assertFails(Kind.UNAVAILABLE, () -> store.read("one", 10_000));
        // Half of what is left comes each time; the last byte never does.
        assertThat(catchThrowable(() -> read("one", 10_000)))
                .isInstanceOf(IOException.class)
                .hasCauseInstanceOf(BlobException.class);
    }

    @Test
    @Tag("F49")
    void aChangedBitOfASmallBlobIsSeen() throws Exception {
        store.write("one", bytes(1_000), false);
        proxy.next(1, S3Fault.FLIPPED_BIT, request -> request.method().equals("GET"));
        assertThat(store.read("one", 1_000)).hasValue(bytes(1_000));
        proxy.plan(request -> request.method().equals("GET") ? S3Fault.FLIPPED_BIT : S3Fault.NONE);
        assertFails(Kind.CORRUPT, () -> store.read("one", 1_000));
    }

    @Test
    @Tag("F48")
    void anAnswerThatIsLostAfterTheLastStepOfALargeBlobDoesNotLoseIt() throws Exception {
        proxy.next(1, S3Fault.ANSWER_LOST, Request::isCompletion);
        store.write("large", large(), false);
        assertThat(store.stat("large").orElseThrow().bytes()).isEqualTo(large().length());
    }

    @Test
    @Tag("F50")
    void halfAnUploadIsDoneAgainOrLeavesNothing() throws Exception {
        proxy.next(2, S3Fault.HALF_UPLOAD, Request::isPart);
        store.write("large", large(), false);
        assertThat(read("large", (int) large().length())).isEqualTo(bytes((int) large().length()));
        store.delete(List.of("large"));

        try (BlobStore hasty = hasty(Duration.ofSeconds(5))) {
            proxy.plan(request -> request.isPart() ? S3Fault.HALF_UPLOAD : S3Fault.NONE);
            assertFails(Kind.UNAVAILABLE, () -> hasty.write("large", large(), false));
            proxy.plan(request -> S3Fault.NONE);
            assertThat(store.stat("large")).isEmpty();
            // It was given up; had it died, it would be found by age.
            assertThat(store.discardUnfinished(Long.MAX_VALUE)).isZero();
        }
    }

    @Test
    @Tag("F52")
    void aStaleListingDoesNotHideWhatHasAName() throws Exception {
        store.write("one", bytes(10), false);
        proxy.plan(request -> request.isListing() ? S3Fault.STALE_LISTING : S3Fault.NONE);
        assertThat(store.list("", null, 10).blobs()).isEmpty();
        assertThat(store.stat("one")).isPresent();
        assertThat(store.read("one", 10)).hasValue(bytes(10));
        assertThat(store.write("one", bytes(9), true)).isEqualTo(Written.EXISTED);
    }

    @ParameterizedTest
    @EnumSource(
            value = S3Fault.class,
            names = {"CONDITION_STRIPPED", "NOT_IMPLEMENTED"})
    @Tag("F53")
    void whoIgnoresOrRefusesConditionsIsFoundOut(S3Fault fault) throws Exception {
        proxy.plan(request -> request.method().equals("PUT") ? fault : S3Fault.NONE);
        try (BlobStore weak = open(PATIENT)) {
            assertThat(weak.capabilities().createsIfAbsent()).isFalse();
            assertFails(Kind.UNSUPPORTED, () -> weak.write("one", bytes(10), true));
            proxy.plan(request -> S3Fault.NONE);
            assertThat(weak.write("one", bytes(10), false)).isEqualTo(Written.STORED);
        }
    }

    @Test
    void manyAreRemovedOneByOneWhereItMustBe() throws Exception {
        store.write("one", bytes(1), false);
        store.write("two", bytes(1), false);
        proxy.plan(request -> request.method().equals("POST") ? S3Fault.NOT_IMPLEMENTED : S3Fault.NONE);
        store.delete(List.of("one", "two", "three"));
        assertThat(store.list("", null, 10).blobs()).isEmpty();
    }

    @Test
    void aReplacedBlobIsNotReadInPieces() throws Exception {
        store.write("one", bytes(10_000), false);
        proxy.next(1, S3Fault.TRUNCATED_ANSWER, request -> request.method().equals("GET"));
        try (InputStream in = store.open("one", 0, 10_000)) {
            store.write("one", bytes(10_001), false);
            Throwable thrown = catchThrowable(in::readAllBytes);
            assertThat(thrown).isInstanceOf(IOException.class);
            assertThat(kind(thrown.getCause())).isEqualTo(Kind.CORRUPT);
        }
    }

    private static BlobSource large() {
        return BlobSource.of(bytes((5 << 20) + 100));
    }

    private byte[] read(String name, int length) throws Exception {
        try (InputStream in = store.open(name, 0, length)) {
            return in.readAllBytes();
        }
    }

    private static Object kind(Throwable thrown) {
        return thrown instanceof BlobException blob ? blob.kind() : thrown;
    }

    private static void assertFails(Kind kind, ThrowingCallable call) {
        assertThat(kind(catchThrowable(call))).isEqualTo(kind);
    }
}
