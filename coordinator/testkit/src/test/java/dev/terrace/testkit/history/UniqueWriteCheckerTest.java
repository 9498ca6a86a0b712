package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class UniqueWriteCheckerTest {
    /** Two million operations are within seconds on slow machines too; the figure is printed. */
    @Test
    void judgesAMillionOperationsInSeconds() {
        int each = 100_000;
        List<Operation> operations = new ArrayList<>();
        int id = 0;
        for (int key = 0; key < 10; key++) {
            String held = null;
            for (int i = 0; i < each; i++) {
                // Operation i takes effect at 10 i and overlaps the five before and after it.
                boolean write = i % 3 == 0;
                String value = write ? Integer.toString(i) : held;
                held = value;
                Op op = write ? Op.put("k" + key, value) : Op.get("k" + key);
                Observed told = write ? Observed.DONE : Observed.found(value, null);
                String process = "p" + i % 11;
                operations.add(new Operation(++id, process, process, op, 10L * i - 50, 10L * i + 50, Outcome.OK, told));
            }
        }
        History history = History.of(operations);

        long begin = System.nanoTime();
        Verdict verdict = new UniqueWriteChecker().check(history);
        long took = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
        System.out.println("unique writes: " + history.size() + " operations in " + took + " ms");
        verdict.require();
        assertThat(took).isLessThan(20_000);

        // One read in the middle that is late by eleven writes.
        operations.set(
                555_558,
                new Operation(
                        555_559,
                        "late",
                        "late",
                        Op.get("k5"),
                        10L * 55_600,
                        10L * 55_600 + 5,
                        Outcome.OK,
                        Observed.found("55554", null)));
        Verdict bad = new UniqueWriteChecker().check(History.of(operations));
        assertThat(bad.violations()).hasSize(1);
        assertThat(bad.violations().get(0).evidence().size()).isLessThanOrEqualTo(6);
        assertThat(bad.toString()).contains("late get(k5) -> 55554");
    }

    @Test
    void tellsInvalidationsApartByTheirVersions() {
        assertThat(new UniqueWriteChecker()
                        .check(Histories.of(
                                "A put 1 #1 @0-1",
                                "A inv #2 @2-3",
                                "B get=- #2 @4-5",
                                "A put 2 #3 @6-7",
                                "A inv #4 @8-9")))
                .isInstanceOf(Verdict.Holds.class);
        assertThat(new UniqueWriteChecker()
                        .check(Histories.of(
                                "A put 1 #1 @0-1",
                                "A inv #2 @2-3",
                                "A put 2 #3 @4-5",
                                "B get=2 #3 @6-7",
                                "B get=- #2 @8-9",
                                "A inv #4 @10-11"))
                        .isViolated())
                .isTrue();
    }

    @Test
    void saysWhatItDoesNotUnderstand() {
        UniqueWriteChecker checker = new UniqueWriteChecker();
        assertThat(checker.check(Histories.of("A inc 1=1 @0-1")).toString()).contains("undecided", "increment(k, 1)");
        assertThat(checker.check(Histories.of("A put 1 @0-1", "A put 1 @2-3")).toString())
                .contains("value '1' is written twice");
        assertThat(checker.check(Histories.of("A inv @0-1", "A inv @2-3", "B get=- @4-5"))
                        .toString())
                .contains("several invalidations could explain");
    }
}
