package dev.terrace.node.drill;

import java.util.LinkedHashSet;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every drill but those of {@link LossDrillIT}; with somebody's settings, those with the drill's own. */
class DrillIT extends DrillRuns {
    static Set<String> drills() {
        Set<String> others = new LinkedHashSet<>(Drills.all().keySet());
        others.removeAll(LossDrillIT.drills());
        return others;
    }

    @ParameterizedTest
    @MethodSource("drills")
    void whatWasAcknowledgedAsDurableIsBack(String name) throws Exception {
        succeeds(name, "--config", given());
    }
}
