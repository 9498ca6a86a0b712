package dev.terrace.testkit.history;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EndStateCheckersTest {
    private static Held held(String value, int version) {
        return new Held(value, Histories.version(version));
    }

    private static Verdict durable(Held end, String... lines) {
        return new DurabilityChecker().check(Histories.of(lines), Map.of("k", end));
    }

    @Test
    void anAcknowledgedWriteIsReadableAtTheEnd() {
        durable(held("1", 1), "A put 1 #1 @0-10").require();
        Verdict lost = durable(Held.NOTHING, "A put 1 #1 @0-10");
        assertThat(lost.isViolated()).isTrue();
        assertThat(lost.toString()).contains("it holds absent", "1 acknowledged and newer write is lost", "put(k, 1)");
    }

    @Test
    void orSupersededByAHigherVersionThatWasIssued() {
        durable(held("2", 2), "A put 1 #1 @0-10", "B put 2 #2 @5-20").require();
        durable(held("2", 2), "A put 1 #1 @0-10", "B put 2 @5-?").require();
        assertThat(durable(held("1", 1), "A put 1 #1 @0-10", "B put 2 #2 @5-20").isViolated())
                .isTrue();
        assertThat(durable(held("9", 9), "A put 1 #1 @0-10").toString()).contains("which nobody wrote");
        assertThat(durable(held("2", 2), "A put 1 #1 @0-10", "B put 2 @5-x6").isViolated())
                .isTrue();
    }

    @Test
    void aLowerVersionThatLostToAHigherOneIsNotLost() {
        // B's clock was behind: it was acknowledged later, with the lower version.
        durable(held("1", 5), "A put 1 #5 @0-10", "B put 2 #2 @20-30").require();
    }

    @Test
    void anInvalidationIsDurableToo() {
        durable(Held.NOTHING, "A put 1 #1 @0-10", "A inv #2 @20-30").require();
        durable(new Held(null, Histories.version(2)), "A put 1 #1 @0-10", "A inv #2 @20-30")
                .require();
        assertThat(durable(held("1", 1), "A put 1 #1 @0-10", "A inv #2 @20-30").isViolated())
                .isTrue();
        durable(Held.NOTHING, "A put 1 #1 @0-10", "A inv #2 @20-30").require();
        assertThat(durable(Held.NOTHING, "A put 1 #1 @0-10", "A inv #2 @20-30", "B put 2 #3 @40-50")
                        .isViolated())
                .isTrue();
    }

    @Test
    void anUnknownInvalidationMayHaveWorked() {
        durable(Held.NOTHING, "A put 1 #1 @0-10", "A inv @20-?").require();
        // It may also work later than what was written after it was sent.
        durable(Held.NOTHING, "A put 1 #1 @0-10", "A inv @20-?", "B put 2 #3 @40-50")
                .require();
    }

    @Test
    void withoutVersionsTheTimeOfTheWritesDecides() {
        assertThat(durable(new Held("1", null), "A put 1 @0-10", "A put 2 @20-30")
                        .isViolated())
                .isTrue();
        durable(new Held("1", null), "A put 1 @0-25", "B put 2 @20-30").require();
    }

    @Test
    void anInvalidationBeforeAWriteDoesNotExplainThatItIsGone() {
        assertThat(durable(Held.NOTHING, "A inv @0-10", "A put 1 @20-30").isViolated())
                .isTrue();
        durable(Held.NOTHING, "A inv @0-25", "B put 1 @20-30").require();
    }

    @Test
    void everyZoneThatShouldHoldAKeyHoldsTheNewest() {
        PlacementChecker checker = new PlacementChecker();
        Map<String, Map<String, Held>> holdings =
                Map.of("k", Map.of("z1", held("2", 2), "z2", held("2", 2), "z3", held("1", 1)));
        checker.check(holdings, key -> Set.of("z1", "z2")).require();
        Verdict behind = checker.check(holdings, key -> Set.of("z1", "z2", "z3", "z4"));
        assertThat(behind.toString())
                .contains("newest is 2", "z3=1", "z4=absent")
                .doesNotContain("z1=");
        checker.check(
                        Map.of("k", Map.of("z1", new Held(null, Histories.version(3)), "z2", Held.NOTHING)),
                        key -> Set.of("z1", "z2"))
                .require();
    }
}
