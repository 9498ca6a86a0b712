package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.core.WarmupShares.Next;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapTier;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** Nodes share the parts of a warm-up, and none is done twice or left out, whoever dies. */
class WarmupSharesTest {
    private final ManualClock clock = ManualClock.startingNow();
    private final HeapTier remote = new HeapTier(TierLevel.L2, clock);

    private WarmupShares node(long id, String layout) {
        return new WarmupShares(
                remote.leases(),
                remote,
                layout,
                Set.of(),
                new HybridClock(clock, id, Duration.ofSeconds(5)),
                () -> TimeUnit.MILLISECONDS.toNanos(clock.millis()));
    }

    private static Set<Integer> copy(WarmupShares node, int parts, boolean finish) {
        Set<Integer> copied = new TreeSet<>();
        while (copied.size() < parts && node.next() instanceof Next.Copy copy) {
            assertThat(copied.add(copy.part())).isTrue();
            if (finish) {
                node.finish(copy.part());
            }
        }
        return copied;
    }

    @Test
    void twoNodesCopyEachPartOnce() {
        WarmupShares one = node(1, "a");
        WarmupShares other = node(2, "a");
        Set<Integer> all = new TreeSet<>();
        for (int i = 0; i < WarmupShares.PARTS / 2; i++) {
            assertThat(all.addAll(copy(one, 1, true))).isTrue();
            assertThat(all.addAll(copy(other, 1, true))).isTrue();
        }
        assertThat(all).hasSize(WarmupShares.PARTS);
        // What the other had done is looked through once, and then there is nothing left.
        int completed = 0;
        Next next = one.next();
        for (; next instanceof Next.Complete; next = one.next()) {
            completed++;
        }
        assertThat(completed).isEqualTo(WarmupShares.PARTS / 2);
        assertThat(next).isInstanceOf(Next.Finished.class);
        assertThat(one.finished()).isEqualTo(WarmupShares.PARTS);
    }

    @Test
    void whatADeadNodeHadBegunIsTakenOverWhenItsLeaseIsOver() {
        Set<Integer> begun = copy(node(1, "a"), 3, false);
        WarmupShares other = node(2, "a");
        Set<Integer> rest = copy(other, WarmupShares.PARTS, true);
        assertThat(rest).hasSize(WarmupShares.PARTS - 3).doesNotContainAnyElementsOf(begun);
        assertThat(other.next()).isInstanceOf(Next.Wait.class);
        clock.advance(WarmupShares.LEASE.plusSeconds(1));
        assertThat(copy(other, 3, true)).isEqualTo(begun);
        assertThat(other.next()).isInstanceOf(Next.Finished.class);
    }

    @Test
    void aLeaseThatIsRenewedIsKept() {
        WarmupShares one = node(1, "a");
        Set<Integer> begun = copy(one, 1, false);
        WarmupShares other = node(2, "a");
        copy(other, WarmupShares.PARTS, true);
        for (int i = 0; i < 10; i++) {
            clock.advance(WarmupShares.LEASE.dividedBy(3));
            one.renew();
            assertThat(other.next()).isInstanceOf(Next.Wait.class);
        }
        begun.forEach(one::finish);
        clock.advance(Duration.ofSeconds(1));
        assertThat(other.next()).isInstanceOf(Next.Complete.class);
    }

    @Test
    void aNodeThatIsRestartedGoesOnUnlessL2HasLostWhatWasCopied() {
        copy(node(1, "a"), 100, true);
        assertThat(copy(node(1, "a"), WarmupShares.PARTS, true)).hasSize(WarmupShares.PARTS - 100);
        remote.wipe();
        assertThat(copy(node(1, "a"), WarmupShares.PARTS, true)).hasSize(WarmupShares.PARTS);
    }

    @Test
    void sourcesThatSpreadKeysOtherwiseDoNotShare() {
        copy(node(1, "a"), WarmupShares.PARTS, true);
        assertThat(copy(node(2, "b"), WarmupShares.PARTS, true)).hasSize(WarmupShares.PARTS);
    }

    @Test
    void whoGivesBackLeavesOthersNothingToWaitFor() {
        WarmupShares one = node(1, "a");
        copy(one, 2, false);
        one.giveBack();
        assertThat(copy(node(2, "a"), WarmupShares.PARTS, true)).hasSize(WarmupShares.PARTS);
    }

    @Test
    void whileL2DoesNotAnswerThatIsSaid() {
        remote.leases().setAway(true);
        assertThat(node(1, "a").next()).isInstanceOf(Next.Away.class);
    }
}
