package dev.terrace.node.replay;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Source;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A report says so when the numbers do not add up. */
class ReportTest {
    private static Report report(long requests, Report.Counters counters, long originCalls) {
        Tally tally = new Tally();
        for (int i = 0; i < 6; i++) {
            tally.answered(Source.L1, 1_000);
        }
        tally.answered(Source.L2, 2_000);
        tally.answered(Source.L3, 3_000);
        tally.answered(Source.LOADER, 4_000);
        tally.answered(Source.LOADER, 4_000);
        return new Report("a trace", new Replay.Outcome(requests, tally, 1_000_000, ""), originCalls, counters);
    }

    @Test
    void agreeingCountsAddUp() {
        Report report = report(10, new Report.Counters(6, 1, 1, 2, 1, 1), 1);
        assertThat(report.discrepancies()).isEmpty();
        List<String> lines = new ArrayList<>();
        report.print(lines::add);
        assertThat(lines)
                .contains("adds up: 6 (L1) + 1 (L2) + 1 (L3) + 1 (loads) + 1 (shared) = 10 requests")
                .anyMatch(line -> line.contains("origin calls 1 (10.00 %), saved 9 (90.00 %)"));
        assertThat(report.json()).contains("\"adds_up\" : true");
    }

    @Test
    void everyDisagreementIsNamed() {
        assertThat(report(11, new Report.Counters(6, 1, 1, 2, 1, 1), 1).discrepancies())
                .containsExactly("hits + misses = requests: 10 against 11");
        assertThat(report(10, new Report.Counters(5, 1, 1, 2, 1, 1), 1).discrepancies())
                .containsExactly("hits of L1, counted by reader and coordinator: 6 against 5");
        assertThat(report(10, new Report.Counters(6, 1, 1, 2, 1, 1), 2).discrepancies())
                .containsExactly("loads, counted by coordinator and origin: 1 against 2");
        assertThat(report(10, new Report.Counters(6, 1, 1, 2, 2, 1), 2).discrepancies())
                .containsExactly("loads + shared = misses: 3 against 2");
    }
}
