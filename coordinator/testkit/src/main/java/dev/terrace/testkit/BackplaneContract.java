package dev.terrace.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Resumable;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What every {@link Backplane} keeps, whatever it is made of. Extend it and say how to open one. */
public abstract class BackplaneContract {
    /** How long anything may take that is bound to happen. */
    protected static final Duration SOON = Duration.ofSeconds(30);

    private final List<Node> nodes = new ArrayList<>();
    private final AtomicLong beats = new AtomicLong();

    /** Opens one more node's end of the channel. */
    protected abstract Backplane openBackplane();

    /** Cuts a node off from the channel, or skips the test if that cannot be done. */
    protected void cut(Backplane backplane) {
        Assumptions.abort("this backplane cannot be cut off in a test");
    }

    /** Ends the cut. */
    protected void mend(Backplane backplane) {}

    /** Makes the channel forget everything that was published so far, or skips the test if it keeps nothing. */
    protected void forgetAll() {
        Assumptions.abort("this backplane cannot be made to forget in a test");
    }

    /** The longest that a stage may take. */
    protected Duration deadline() {
        return Duration.ofSeconds(2);
    }

    /** A node that takes part. */
    protected record Node(long id, Backplane backplane, HeardNotices heard) {}

    /** A node that hears itself. */
    protected final Node join() {
        Node node = new Node(nodes.size() + 1L, openBackplane(), new HeardNotices());
        nodes.add(node);
        node.backplane().start(node.id(), node.heard());
        awaitEcho(node);
        return node;
    }

    /** Waits until the node hears a beat that it sends now. */
    protected final void awaitEcho(Node node) {
        await().atMost(SOON).pollInterval(Duration.ofMillis(50)).until(() -> {
            Notice beat = new Notice.Beat(node.id(), beats.incrementAndGet(), 0, 0, false);
            answer(node.backplane().publish(List.of(beat)));
            return node.heard().hears(beat, Duration.ofMillis(500));
        });
    }

    @AfterEach
    void leave() {
        nodes.forEach(node -> node.backplane().close());
        assertThat(nodes).noneMatch(node -> node.heard().overlapped());
        nodes.clear();
    }

    /** A change that is told from others by its number. */
    protected static Notice change(long node, long number) {
        return new Notice.Changed(node, CacheKey.of("contract", "k" + number), new Version(number, node), false);
    }

    private static List<Notice> changes(long node, long from, long to) {
        return LongStream.range(from, to).mapToObj(n -> change(node, n)).toList();
    }

    private static List<Long> numbers(long from, long to) {
        return LongStream.range(from, to).boxed().toList();
    }

    /** What the stage says, which it must say normally and in time. */
    protected final long answer(CompletionStage<Long> stage) {
        return Stages.await(stage, deadline().plusSeconds(3));
    }

    private static void awaitChanges(Node node, List<Long> expected) {
        await().atMost(SOON)
                .untilAsserted(() -> assertThat(node.heard().changes().size()).isGreaterThanOrEqualTo(expected.size()));
        assertThat(node.heard().changes()).isEqualTo(expected);
    }

    @Test
    void everyOtherNodeHearsNoticesInOrderAndOnce() {
        Node a = join();
        Node b = join();
        Node c = join();
        long seed = Long.getLong("terrace.seed", System.nanoTime());
        SplittableRandom random = new SplittableRandom(seed);
        long next = 0;
        List<CompletionStage<Long>> published = new ArrayList<>();
        while (next < 3_000) {
            long to = next + 1 + random.nextInt(random.nextInt(20) == 0 ? 200 : 5);
            List<Notice> notices = changes(a.id(), next, to);
            // Now and then a pause, so that what nobody waits for is kept back for others.
            boolean soon = random.nextInt(3) > 0;
            published.add(
                    soon ? a.backplane().publishSoon(notices) : a.backplane().publish(notices));
            if (random.nextInt(30) == 0) {
                answer(published.get(published.size() - 1));
            }
            next = to;
        }
        long last = 0;
        for (CompletionStage<Long> stage : published) {
            long position = answer(stage);
            assertThat(position).as("seed %s", seed).isGreaterThan(last);
            last = position;
        }
        awaitChanges(b, numbers(0, next));
        awaitChanges(c, numbers(0, next));
        assertThat(a.heard().changes()).isEmpty();
        assertThat(b.heard().gaps() + c.heard().gaps()).isZero();
    }

    @Test
    void allKindsArriveAsTheyWereSent() {
        Node a = join();
        Node b = join();
        Version version = new Version(-2, 77);
        List<Notice> kinds = List.of(
                new Notice.Changed(a.id(), CacheKey.of("c", new byte[] {0, (byte) 0x80, '\r', '\n'}), version, true),
                new Notice.Changed(a.id(), CacheKey.of("c", new byte[CacheKey.MAX_KEY_BYTES]), version, false),
                new Notice.Marker(a.id(), "c", null, version, true),
                new Notice.Marker(a.id(), "c", "t\u00e4g", version, false),
                new Notice.Beat(a.id(), 1_000_001, Long.MAX_VALUE, 5, false),
                new Notice.Beat(a.id(), 1_000_002, 0, 0, true));
        assertThat(answer(a.backplane().publish(kinds))).isNotEqualTo(Backplane.NOT_KNOWN);
        await().atMost(SOON).untilAsserted(() -> assertThat(b.heard().notices()).containsSubsequence(kinds));
        await().atMost(SOON).untilAsserted(() -> assertThat(a.heard().notices()).contains(kinds.get(4), kinds.get(5)));
        assertThat(a.heard().notices()).noneMatch(notice -> !(notice instanceof Notice.Beat));
    }

    @Test
    void positionsAgreeBetweenNodesAndWithThePublisher() {
        Node a = join();
        Node b = join();
        for (int i = 0; i < 50; i++) {
            int number = i;
            long position = answer(a.backplane().publish(List.of(change(a.id(), i))));
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> b.heard().changes().contains((long) number));
            HeardNotices.Heard call = b.heard().calls().stream()
                    .filter(heard -> heard.notices().contains(change(a.id(), number)))
                    .findFirst()
                    .orElseThrow();
            assertThat(call.position()).isEqualTo(position);
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> a.heard().position() >= position);
        }
        long before = answer(a.backplane().publish(List.of(change(a.id(), 1_000))));
        assertThat(answer(b.backplane().publish(changes(b.id(), 0, 7)))).isEqualTo(before + 7);
    }

    /** The ground of all coherence: see docs/adr/0006. */
    @Test
    void whoHearsItsOwnBeatHasHeardEverythingPublishedBeforeItWasSent() {
        Node a = join();
        Node b = join();
        for (int i = 0; i < 200; i++) {
            Notice change = change(b.id(), i);
            assertThat(answer(b.backplane().publish(List.of(change)))).isNotEqualTo(Backplane.NOT_KNOWN);
            Notice beat = new Notice.Beat(a.id(), 5_000_000 + i, 0, 0, false);
            assertThat(answer(a.backplane().publish(List.of(beat)))).isNotEqualTo(Backplane.NOT_KNOWN);
            await().atMost(SOON)
                    .pollInterval(Duration.ofMillis(1))
                    .until(() -> a.heard().notices().contains(beat));
            List<Notice> heard = a.heard().notices();
            assertThat(heard.subList(0, heard.indexOf(beat))).contains(change);
            a.heard().clear();
        }
    }

    @Test
    void manyCallersAtOnceKeepTheirOwnOrderAndNothingIsLostOrTwice() throws InterruptedException {
        Node a = join();
        Node b = join();
        long begin = b.heard().position();
        int callers = 16;
        int each = 200;
        List<CompletableFuture<Long>> published = new ArrayList<>();
        List<Thread> threads = new ArrayList<>();
        for (int t = 0; t < callers; t++) {
            long first = t * 1_000L;
            Thread caller = new Thread(() -> {
                for (long n = first; n < first + each; n++) {
                    CompletableFuture<Long> stage =
                            a.backplane().publish(List.of(change(a.id(), n))).toCompletableFuture();
                    synchronized (published) {
                        published.add(stage);
                    }
                }
            });
            threads.add(caller);
            caller.start();
        }
        for (Thread caller : threads) {
            caller.join();
        }
        for (CompletableFuture<Long> stage : published) {
            assertThat(answer(stage)).isNotEqualTo(Backplane.NOT_KNOWN);
        }
        await().atMost(SOON).until(() -> b.heard().changes().size() >= callers * each);
        List<Long> heard = b.heard().changes();
        for (int t = 0; t < callers; t++) {
            long first = t * 1_000L;
            assertThat(heard.stream().filter(n -> n >= first && n < first + 1_000))
                    .containsExactlyElementsOf(numbers(first, first + each));
        }
        assertThat(published.stream().map(CompletableFuture::join)).doesNotHaveDuplicates();
        assertThat(b.heard().position()).isGreaterThanOrEqualTo(begin + (long) callers * each);
    }

    @Test
    void aLotAtOnceArrivesWhole() {
        Node a = join();
        Node b = join();
        assertThat(answer(a.backplane().publish(changes(a.id(), 0, 10_000)))).isNotEqualTo(Backplane.NOT_KNOWN);
        awaitChanges(b, numbers(0, 10_000));
    }

    @Test
    void aNodeThatWasCutOffHearsWhatItMissedOrThatItMissedSomething() {
        Node a = join();
        Node b = join();
        Node c = join();
        assertThat(answer(a.backplane().publish(changes(a.id(), 0, 5)))).isNotEqualTo(Backplane.NOT_KNOWN);
        awaitChanges(b, numbers(0, 5));
        cut(b.backplane());
        await().atMost(SOON)
                .until(() -> answer(a.backplane().publish(List.of(change(a.id(), 5)))) != Backplane.NOT_KNOWN);
        await().atMost(SOON).until(() -> c.heard().changes().contains(5L));
        assertThat(b.heard().changes()).doesNotContain(5L);
        mend(b.backplane());
        await().atMost(SOON)
                .until(() -> b.heard().changes().contains(5L) || b.heard().gaps() > 0);
        await().atMost(SOON).until(() -> {
            answer(a.backplane().publish(List.of(change(a.id(), 6))));
            return b.heard().changes().contains(6L);
        });
        List<HeardNotices.Heard> calls = b.heard().calls();
        int later = indexOf(calls, change(a.id(), 6));
        assertThat(calls.subList(0, later + 1))
                .as("what was missed, or a gap, comes before what is later")
                .anyMatch(call -> !call.gap().isEmpty() || call.notices().contains(change(a.id(), 5)));
        awaitEcho(b);
    }

    private static int indexOf(List<HeardNotices.Heard> calls, Notice notice) {
        for (int i = 0; i < calls.size(); i++) {
            if (calls.get(i).notices().contains(notice)) {
                return i;
            }
        }
        return -1;
    }

    @Test
    @Tag("F26")
    void whatIsGoneWhileANodeIsCutOffIsAGapBeforeAnythingLater() {
        Node a = join();
        Node b = join();
        cut(b.backplane());
        await().atMost(SOON).until(() -> answer(a.backplane().publish(changes(a.id(), 0, 50))) != Backplane.NOT_KNOWN);
        forgetAll();
        assertThat(answer(a.backplane().publish(List.of(change(a.id(), 50))))).isNotEqualTo(Backplane.NOT_KNOWN);
        mend(b.backplane());
        await().atMost(SOON).until(() -> b.heard().changes().contains(50L));
        List<HeardNotices.Heard> calls = b.heard().calls();
        assertThat(calls.subList(0, indexOf(calls, change(a.id(), 50))))
                .anyMatch(call -> !call.gap().isEmpty());
        assertThat(a.heard().gaps()).as("who missed nothing is not told so").isZero();
    }

    @Test
    void whoIsCutOffIsAnsweredInTimeHoweverMuchItPublishes() {
        Node a = join();
        cut(a.backplane());
        long begin = System.nanoTime();
        List<CompletionStage<Long>> stages = new ArrayList<>();
        for (int i = 0; i < 200_000; i++) {
            stages.add(a.backplane().publish(List.of(change(a.id(), i))));
        }
        CompletableFuture.allOf(stages.stream()
                        .map(CompletionStage::toCompletableFuture)
                        .toArray(CompletableFuture[]::new))
                .orTimeout(30, TimeUnit.SECONDS)
                .join();
        assertThat(Duration.ofNanos(System.nanoTime() - begin))
                .isLessThan(deadline().plusSeconds(10));
        assertThat(answer(stages.get(stages.size() - 1))).isEqualTo(Backplane.NOT_KNOWN);
        mend(a.backplane());
        awaitEcho(a);
    }

    @Test
    void afterClosingNothingIsTakenAndNothingHeard() {
        Node a = join();
        Node b = join();
        a.backplane().close();
        a.backplane().close();
        int heard = a.heard().calls().size();
        assertThat(answer(a.backplane().publish(List.of(change(a.id(), 0))))).isEqualTo(Backplane.NOT_KNOWN);
        await().atMost(SOON)
                .until(() -> answer(b.backplane().publish(List.of(change(b.id(), 1)))) != Backplane.NOT_KNOWN);
        awaitEcho(b);
        assertThat(a.heard().calls()).hasSize(heard);
        assertThat(b.heard().changes()).doesNotContain(0L);
    }

    @Test
    void theLastWordIsHandedOverOnClosing() {
        Node a = join();
        Node b = join();
        Notice leaving = new Notice.Beat(a.id(), 9_000_000, 0, 0, true);
        a.backplane().publish(List.of(leaving));
        a.backplane().close();
        await().atMost(SOON).until(() -> b.heard().notices().contains(leaving));
    }

    /** A process of the same node that begins where an earlier one stopped. */
    private Node resumed(Node earlier, String place) {
        Node again = new Node(earlier.id(), openBackplane(), new HeardNotices());
        nodes.add(again);
        ((Resumable) again.backplane()).resumeFrom(place);
        again.backplane().start(again.id(), again.heard());
        awaitEcho(again);
        return again;
    }

    private static String place(Node node) {
        Assumptions.assumeTrue(node.backplane() instanceof Resumable, "this backplane keeps nothing");
        String place = ((Resumable) node.backplane()).bookmark();
        assertThat(place).isNotNull();
        return place;
    }

    @Test
    void whoGoesOnWhereAnEarlierProcessStoppedHearsWhatWasSaidMeanwhileAndWhatItSaidItself() {
        Node a = join();
        Node b = join();
        answer(a.backplane().publish(changes(a.id(), 0, 5)));
        awaitEcho(b);
        assertThat(b.heard().changes()).isEqualTo(numbers(0, 5));
        String place = place(b);
        answer(b.backplane().publish(List.of(change(b.id(), 100))));
        b.backplane().close();
        answer(a.backplane().publish(changes(a.id(), 5, 12)));
        Node again = resumed(b, place);
        assertThat(again.heard().gaps()).isZero();
        List<Long> missed = new ArrayList<>(List.of(100L));
        missed.addAll(numbers(5, 12));
        assertThat(again.heard().changes()).containsSequence(missed);
        answer(again.backplane().publish(List.of(change(again.id(), 200))));
        awaitEcho(again);
        assertThat(again.heard().changes())
                .as("what it says from now on it does not hear")
                .doesNotContain(200L);
    }

    @Test
    @Tag("F26")
    void whoGoesOnInALogThatHasForgottenHearsAGap() {
        Node a = join();
        Node b = join();
        awaitEcho(b);
        String place = place(b);
        b.backplane().close();
        answer(a.backplane().publish(changes(a.id(), 0, 12)));
        forgetAll();
        assertThat(resumed(b, place).heard().gaps()).isPositive();
    }
}
