package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * Both checkers of linearizability and one that tries everything say the same of many random histories. Replay one with {@code
 * -Dterrace.seed}.
 */
class CheckersAgreeTest {
    private static final int HISTORIES = 12_000;

    private static long firstSeed() {
        long seed = Long.getLong("terrace.seed", new Random().nextLong());
        System.out.println("CheckersAgreeTest: -Dterrace.seed=" + seed);
        return seed;
    }

    @Test
    void onPlainWritesOfUniqueValues() {
        int bad = 0;
        long first = firstSeed();
        for (int i = 0; i < HISTORIES; i++) {
            long seed = first + i;
            Random random = new Random(seed);
            RandomHistories histories = new RandomHistories(random);
            History good = histories.good(
                    "k",
                    2 + random.nextInt(3),
                    3 + random.nextInt(8),
                    random.nextInt(3) * 0.15,
                    true,
                    random.nextBoolean());
            assertThat(agreed(good, seed, true))
                    .as("good, seed %s\n%s", seed, good)
                    .isTrue();
            bad += agreed(histories.mutated(good), seed, true) ? 0 : 1;
        }
        assertThat(bad).isGreaterThan(HISTORIES / 4);
    }

    @Test
    void onEverythingElse() {
        int bad = 0;
        long first = firstSeed();
        for (int i = 0; i < HISTORIES; i++) {
            long seed = first + i;
            Random random = new Random(seed);
            RandomHistories histories = new RandomHistories(random);
            History good = histories.good(
                    "k",
                    2 + random.nextInt(3),
                    3 + random.nextInt(7),
                    random.nextInt(3) * 0.15,
                    false,
                    random.nextBoolean());
            assertThat(agreed(good, seed, false))
                    .as("good, seed %s\n%s", seed, good)
                    .isTrue();
            // The one that tries everything knows nothing of versions.
            bad += agreed(histories.mutated(good).withoutVersions(), seed, false) ? 0 : 1;
        }
        assertThat(bad).isGreaterThan(HISTORIES / 5);
    }

    /** What all say; versions are left to the search where the others do not know them. */
    private static boolean agreed(History history, long seed, boolean plain) {
        boolean byTrying = RandomHistories.legalByTrying(history.operations());
        Verdict searched = new LinearizabilityChecker().check(history);
        assertThat(searched.holds())
                .as("search, seed %s\n%s%s", seed, history, searched)
                .isEqualTo(byTrying);
        if (searched.isViolated()) {
            History least = searched.violations().get(0).evidence();
            assertThat(RandomHistories.legalByTrying(least.operations()))
                    .as("counter-example, seed %s\n%s", seed, history)
                    .isFalse();
        }
        Verdict quick = new UniqueWriteChecker().check(history);
        if (plain) {
            assertThat(quick.holds())
                    .as("clusters, seed %s\n%s%s", seed, history, quick)
                    .isEqualTo(byTrying);
            assertThat(quick.isViolated()).isEqualTo(!byTrying);
            if (quick.isViolated()) {
                assertThat(RandomHistories.legalByTrying(
                                quick.violations().get(0).evidence().operations()))
                        .as("evidence, seed %s\n%s%s", seed, history, quick)
                        .isFalse();
            }
        } else if (!(quick instanceof Verdict.Undecided)) {
            assertThat(quick.holds())
                    .as("clusters, seed %s\n%s%s", seed, history, quick)
                    .isEqualTo(byTrying);
        }
        return byTrying;
    }

    @Test
    void onLongHistoriesTooAndBothInTime() {
        long seed = firstSeed();
        RandomHistories histories = new RandomHistories(new Random(seed));
        List<Operation> plain = new ArrayList<>();
        for (int key = 0; key < 4; key++) {
            plain.addAll(histories.good("k" + key, 8, 5_000, 0.01, true, true).operations());
        }
        History history = History.of(plain);
        long begin = System.nanoTime();
        LinearizabilityChecker search = new LinearizabilityChecker(new CheckLimits(Duration.ofSeconds(60), 512L << 20));
        search.check(history).require();
        System.out.println(
                "search: " + history.size() + " operations in " + (System.nanoTime() - begin) / 1_000_000 + " ms");
        new UniqueWriteChecker().check(history).require();

        History bad = histories.mutated(history);
        Verdict quick = new UniqueWriteChecker().check(bad);
        Verdict searched = search.check(bad);
        assertThat(searched.isViolated())
                .as("seed %s %s %s", seed, quick, searched)
                .isEqualTo(quick.isViolated());
    }
}
