package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Histories whose verdict was found by hand, for both checkers of linearizability. */
class LinearizabilityCheckerTest {
    private static Arguments good(String name, String... lines) {
        return Arguments.of(name, true, lines);
    }

    private static Arguments bad(String name, String... lines) {
        return Arguments.of(name, false, lines);
    }

    static Stream<Arguments> histories() {
        return Stream.of(
                good("nothing happened"),
                good("one write, read later", "A put 1 @0-10", "B get=1 @11-12"),
                good("a read that overlaps the write sees the old", "A put 1 @0-10", "B get=- @1-9"),
                good("a read that overlaps the write sees the new", "A put 1 @0-10", "B get=1 @1-9"),
                good("touching ends overlap", "A put 1 @0-10", "B get=- @10-12"),
                bad("a read after the write sees the old", "A put 1 @0-10", "B get=- @11-12"),
                bad("a value that nobody wrote", "A put 1 @0-10", "B get=7 @11-12"),
                bad("a value from the future", "B get=1 @0-1", "A put 1 @2-10"),
                bad("new, then old", "A put 1 @0-1", "B put 2 @2-20", "C get=2 @3-4", "D get=1 @5-6"),
                good("old, then new", "A put 1 @0-1", "B put 2 @2-20", "C get=1 @3-4", "D get=2 @5-6"),
                bad(
                        "two readers disagree on the order of two writes",
                        "A put 1 @0-100",
                        "B put 2 @0-100",
                        "C get=1 @10-20",
                        "C get=2 @30-40",
                        "D get=2 @10-20",
                        "D get=1 @30-40"),
                good(
                        "two readers agree",
                        "A put 1 @0-100",
                        "B put 2 @0-100",
                        "C get=1 @10-20",
                        "C get=2 @30-40",
                        "D get=1 @10-20",
                        "D get=2 @30-40"),
                good("an unknown write was lost", "A put 1 @0-1", "B put 2 @2-?", "C get=1 @50-60"),
                good(
                        "an unknown write took place late",
                        "A put 1 @0-1",
                        "B put 2 @2-?",
                        "C get=1 @50-60",
                        "C get=2 @70-80"),
                bad(
                        "an unknown write took place twice",
                        "A put 1 @0-1",
                        "B put 2 @2-?",
                        "C get=2 @10-11",
                        "A put 3 @12-13",
                        "C get=3 @14-15",
                        "C get=2 @16-17"),
                bad("a failed write was seen", "A put 1 @0-x10", "B get=1 @5-6"),
                good("a failed write was not seen", "A put 1 @0-x10", "B get=- @5-6"),
                bad(
                        "an acknowledged write vanished under a slow one",
                        "A put 1 @0-1",
                        "B put 2 @2-3",
                        "C get=1 @4-5",
                        "C get=2 @6-7"),
                bad("a write between two equal reads", "A put 1 @0-1", "B get=1 @2-3", "A put 2 @4-5", "B get=1 @6-7"),
                bad("version told twice for one value", "A put 1 #5 @0-1", "B get=1 #6 @2-3"),
                good("version told once", "A put 1 #5 @0-1", "B get=1 #5 @2-3"));
    }

    static Stream<Arguments> historiesOfMore() {
        return Stream.of(
                good("invalidated", "A put 1 @0-1", "A inv @2-3", "B get=- @4-5"),
                bad("back from the dead", "A put 1 @0-1", "A inv @2-3", "B get=- @4-5", "C get=1 @6-7"),
                bad("still there", "A put 1 @0-1", "A inv @2-3", "C get=1 @6-7"),
                good(
                        "an unknown invalidation worked late",
                        "A put 1 @0-1",
                        "A inv @2-?",
                        "C get=1 @6-7",
                        "C get=- @8-9"),
                bad(
                        "one unknown invalidation cannot explain two absences",
                        "A put 1 @0-1",
                        "A inv @2-?",
                        "C get=- @6-7",
                        "B put 2 @8-9",
                        "C get=2 @10-11",
                        "C get=- @12-13"),
                good(
                        "two unknown invalidations can",
                        "A put 1 @0-1",
                        "A inv @2-?",
                        "D inv @2-?",
                        "C get=- @6-7",
                        "B put 2 @8-9",
                        "C get=2 @10-11",
                        "C get=- @12-13"),
                good("the first putIfAbsent wins", "A pia 1 @0-10", "B pia! 2 @0-10", "C get=1 @11-12"),
                bad("both putIfAbsent win", "A pia 1 @0-10", "B pia 2 @0-10"),
                bad("no putIfAbsent wins", "A pia! 1 @0-10", "B pia! 2 @0-10"),
                good("putIfAbsent after an invalidation", "A put 1 @0-1", "B inv @2-3", "A pia 2 @4-5"),
                bad("putIfAbsent over a value", "A put 1 @0-1", "A pia 2 @4-5"),
                good(
                        "compare and set in a chain",
                        "A put 1 @0-1",
                        "B cas 2 3 @2-9",
                        "C cas 1 2 @2-9",
                        "A get=3 @10-11"),
                bad("two win with the same expectation", "A put 1 @0-1", "B cas 1 2 @2-9", "C cas 1 3 @2-9"),
                good("one wins, one is refused", "A put 1 @0-1", "B cas 1 2 @2-9", "C cas! 1 3 @2-9"),
                bad("refused without a reason", "A put 1 @0-1", "C cas! 1 3 @2-9"),
                good("refused because of an unknown write", "A put 1 @0-1", "B put 9 @2-?", "C cas! 1 3 @2-9"),
                bad(
                        "an unknown compare and set took place after its expectation was gone",
                        "A put 1 @0-1",
                        "B cas 1 2 @2-?",
                        "A put 3 @4-5",
                        "C get=3 @6-7",
                        "C get=2 @8-9"),
                good("replaced by version", "A put 1 #1 @0-1", "B rep #1 2 #2 @2-3", "C get=2 #2 @4-5"),
                bad("replaced by a version that was gone", "A put 1 #1 @0-1", "A put 3 #3 @2-3", "B rep #1 2 #4 @4-5"),
                good("refused by version", "A put 1 #1 @0-1", "A put 3 #3 @2-3", "B rep! #1 2 @4-5"),
                bad("refused although it was the version", "A put 1 #1 @0-1", "B rep! #1 2 @4-5"),
                good("increments", "A inc 1=1 @0-10", "B inc 1=2 @0-10", "C get=2 @11-12"),
                bad("an increment was lost", "A inc 1=1 @0-1", "B inc 1=1 @2-3"),
                good("an unknown increment counted", "A inc 1=1 @0-1", "B inc 1 @2-?", "A inc 1=3 @5-6"),
                bad("an unknown increment counted twice", "A inc 1=1 @0-1", "B inc 1 @2-?", "A inc 1=4 @5-6"),
                good("a value written twice", "A put 1 @0-1", "A put 2 @2-3", "A put 1 @4-5", "B get=1 @6-7"),
                bad("a value written twice, too late", "A put 1 @0-1", "A put 1 @2-3", "A put 2 @4-5", "B get=1 @6-7"));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource({"histories", "historiesOfMore"})
    void theSearchIsRight(String name, boolean legal, String[] lines) {
        Verdict verdict = new LinearizabilityChecker().check(Histories.of(lines));
        assertThat(verdict.holds()).as("%s", verdict).isEqualTo(legal);
        assertThat(verdict.isViolated()).isEqualTo(!legal);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("histories")
    void theCheckerOfUniqueWritesIsRight(String name, boolean legal, String[] lines) {
        Verdict verdict = new UniqueWriteChecker().check(Histories.of(lines));
        assertThat(verdict.holds()).as("%s", verdict).isEqualTo(legal);
        assertThat(verdict.isViolated()).isEqualTo(!legal);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("historiesOfMore")
    void theCheckerOfUniqueWritesIsNeverWrongAboutMore(String name, boolean legal, String[] lines) {
        Verdict verdict = new UniqueWriteChecker().check(Histories.of(lines));
        assertThat(verdict.holds() && !legal || verdict.isViolated() && legal)
                .as("%s", verdict)
                .isFalse();
    }

    @Test
    void aCounterExampleIsMinimalAndReadable() {
        RandomHistories random = new RandomHistories(new Random(7));
        List<Operation> operations =
                new ArrayList<>(random.good("k", 4, 400, 0.05, true, false).operations());
        long end = operations.stream()
                .mapToLong(o -> o.returnNanos() == Operation.OPEN ? o.invokeNanos() : o.returnNanos())
                .max()
                .orElseThrow();
        History tail = Histories.of(
                "X put new @" + (end + 1) + "-" + (end + 2),
                "Y put newer @" + (end + 3) + "-" + (end + 4),
                "Z get=new @" + (end + 5) + "-" + (end + 6),
                "Z get=newer @" + (end + 7) + "-" + (end + 8));
        operations.addAll(tail.operations());

        Verdict verdict = new LinearizabilityChecker().check(History.of(operations));

        assertThat(verdict.violations()).hasSize(1);
        Violation violation = verdict.violations().get(0);
        assertThat(violation.evidence().operations())
                .extracting(operation -> operation.op().toString())
                .containsExactly("put(k, new)", "put(k, newer)", "get(k)");
        assertThat(violation.toString())
                .contains("key 'k': not linearizable", "Z get(k) -> new", "|-|")
                .contains("these 3 operations");
    }

    @Test
    void keysAreJudgedEachByItself() {
        Verdict verdict = new LinearizabilityChecker()
                .check(Histories.of("A/x put 1 @0-1", "B/y get=- @2-3", "A/y put 2 @4-5", "B/y get=- @6-7"));
        assertThat(verdict.violations()).extracting(Violation::key).containsExactly("y");
    }

    @Test
    void givesUpAtItsLimitsAndSaysSo() {
        // Thirty unknown increments of different sizes, and a sum that no subset of them makes.
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < 30; i++) {
            lines.add("P" + i + " inc " + 2 * (1L << i) + " @0-?");
        }
        lines.add("Q get=3 @100-101");
        History hard = Histories.of(lines.toArray(String[]::new));
        assertThat(new LinearizabilityChecker(new CheckLimits(Duration.ofMillis(200), 1L << 40)).check(hard))
                .isInstanceOf(Verdict.Undecided.class)
                .asString()
                .contains("31 operations", "PT0.2S");
        assertThat(new LinearizabilityChecker(new CheckLimits(Duration.ofMinutes(1), 1L << 20)).check(hard))
                .isInstanceOf(Verdict.Undecided.class)
                .asString()
                .contains("1048576 bytes");
    }
}
