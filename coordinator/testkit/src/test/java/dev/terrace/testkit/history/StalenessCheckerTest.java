package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class StalenessCheckerTest {
    private final StalenessChecker checker = new StalenessChecker();

    private static final String[] OLD_AFTER_NEW = {"A@n1 put 1 #1 @0-10", "A@n1 put 2 #2 @20-30", "B@n2 get=1 #1 @50-60"
    };

    @Test
    void strictRefusesAnOlderVersionAfterTheWriteReturned() {
        Verdict verdict = checker.strict(Histories.of(OLD_AFTER_NEW));
        assertThat(verdict.violations()).hasSize(1);
        assertThat(verdict.toString()).contains("stale by 0 us", "B@n2 get(k) -> 1", "put(k, 2)");
        // During the write either is right.
        checker.strict(Histories.of("A put 1 #1 @0-10", "A put 2 #2 @20-60", "B get=1 #1 @50-60"))
                .require();
    }

    @Test
    void strictRefusesAnOlderVersionAfterAnInvalidation() {
        assertThat(checker.strict(Histories.of("A put 1 #1 @0-10", "A inv #2 @20-30", "B get=1 #1 @50-60"))
                        .isViolated())
                .isTrue();
        checker.strict(Histories.of("A put 1 #1 @0-10", "A inv #2 @20-30", "B get=- #2 @50-60"))
                .require();
    }

    @Test
    void aMissIsNotStaleAndWhatWasFlaggedIsNotJudged() {
        Verdict verdict = checker.strict(
                Histories.of("A put 1 #1 @0-10", "A put 2 #2 @20-30", "B get=- @50-60", "B get=1~ #1 @70-80"));
        assertThat(verdict).isEqualTo(new Verdict.Holds(0, 1));
    }

    @Test
    void anAbsenceIsAsGoodAsANewerAbsence() {
        checker.strict(Histories.of("A inv #1 @0-10", "A inv #2 @20-30", "B get=- #1 @50-60"))
                .require();
        assertThat(checker.strict(Histories.of("A inv #1 @0-10", "A put 2 #2 @20-30", "B get=- #1 @50-60"))
                        .isViolated())
                .isTrue();
    }

    @Test
    void withoutVersionsTheTimeOfTheWritesDecides() {
        assertThat(checker.strict(Histories.of("A put 1 @0-10", "A put 2 @20-30", "B get=1 @50-60"))
                        .isViolated())
                .isTrue();
        checker.strict(Histories.of("A put 1 @0-25", "C put 2 @20-30", "B get=1 @50-60"))
                .require();
    }

    @Test
    void anUnknownWriteMayBeOldOrNew() {
        checker.strict(Histories.of(
                        "A put 1 @0-10", "C put 2 @20-?", "B get=1 @50-60", "B get=2 @70-80", "B get=1 @90-91"))
                .require();
    }

    @Test
    void boundedAllowsAnAgeUpToEpsilon() {
        History history = Histories.of(OLD_AFTER_NEW);
        checker.bounded(history, Duration.ofNanos(20), Duration.ZERO).require();
        checker.bounded(history, Duration.ofNanos(10), Duration.ofNanos(10)).require();
        assertThat(checker.bounded(history, Duration.ofNanos(19), Duration.ZERO).isViolated())
                .isTrue();
    }

    @Test
    void eventualLooksOnlyAtWhatComesLongEnoughAfterWriteAndFault() {
        History history = Histories.of(OLD_AFTER_NEW);
        checker.eventual(history, Duration.ofNanos(20), 0).require();
        checker.eventual(history, Duration.ofNanos(5), 46).require();
        assertThat(checker.eventual(history, Duration.ofNanos(5), 40).isViolated())
                .isTrue();
    }

    @Test
    void eventualAsksThatNodesAgreeEvenOnUnknownWrites() {
        History split =
                Histories.of("A put 1 #1 @0-10", "C put 2 @20-?", "B@n1 get=2 #2 @100-110", "B@n2 get=1 #1 @200-210");
        checker.strict(split).require();
        assertThat(checker.eventual(split, Duration.ofNanos(50), 0).isViolated())
                .isTrue();
    }

    @Test
    void readsOfANodeNeverGoBack() {
        History back = Histories.of(
                "A@n1 put 1 #1 @0-10", "A@n1 put 2 #2 @20-90", "B@n2 get=2 #2 @30-40", "C@n2 get=1 #1 @50-60");
        checker.strict(back).require();
        assertThat(checker.monotonicReadsPerNode(back).isViolated()).isTrue();
        checker.monotonicReadsPerNode(Histories.of(
                        "A@n1 put 1 #1 @0-10", "A@n1 put 2 #2 @20-90", "B@n2 get=2 #2 @30-40", "C@n3 get=1 #1 @50-60"))
                .require();
    }

    @Test
    void sessionsReadTheirOwnWritesAlsoAfterALostAnswer() {
        History own = Histories.of(
                "A@n1 put 1 #1 @0-10", "A@n1 put 2 #2 @20-30", "A@n1 put 3 @40-?", "A#2@n1 get=1 #1 @50-60");
        assertThat(checker.readYourWrites(own).isViolated()).isTrue();
        checker.readYourWrites(Histories.of(OLD_AFTER_NEW)).require();
    }

    @Test
    void aSessionIsNoNode() {
        History others = Histories.of("A@n1 put 1 #1 @0-10", "A@n1 put 2 #2 @20-30", "B@n1 get=1 #1 @50-60");
        checker.readYourWrites(others).require();
        assertThat(checker.strict(others).isViolated()).isTrue();
    }
}
