package dev.terrace.core;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.terrace.api.BadInputException;
import dev.terrace.api.Cache;
import dev.terrace.api.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** A warm-up brings L3 back into L2 and L1, and nothing older over anything newer. */
class WarmupTest {
    @Test
    void refillsTheTiersAboveAndTellsItsProgress() {
        try (Stack stack = Stack.of("123s")) {
            Cache<String, String> cache = stack.quotes();
            for (int i = 0; i < 1_200; i++) {
                cache.put("k" + i, "v" + i);
            }
            cache.invalidate("k7");
            stack.local.wipe();
            stack.remoteHeap.wipe();
            cache.put("k1", "newer");
            List<WarmupProgress> told = new ArrayList<>();
            WarmupReport report = stack.coordinator.warmUp(
                    new WarmupPlan(Set.of("quotes"), Long.MAX_VALUE, 1_000_000, true), told::add);
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.EXHAUSTED);
            assertThat(report.progress().read()).isEqualTo(1_199);
            assertThat(told).hasSizeGreaterThanOrEqualTo(2);
            assertThat(told.get(told.size() - 1)).isEqualTo(report.progress());
            assertThat(cache.read("k500").source()).isEqualTo(Source.L1);
            assertThat(stack.heldBy(stack.remoteHeap, "k500")).isEqualTo("v500");
            assertThat(cache.get("k1")).isEqualTo("newer");
            assertThat(cache.get("k7")).isNull();
        }
    }

    @Test
    void stopsAtItsLimitAndLeavesOtherAndClearedCachesAlone() {
        try (Stack stack = Stack.of("123s")) {
            Cache<String, String> quotes = stack.quotes();
            Cache<String, String> plain = stack.cache("plain");
            for (int i = 0; i < 20; i++) {
                quotes.put("k" + i, "v");
                plain.put("k" + i, "v");
            }
            stack.remoteHeap.wipe();
            stack.local.wipe();
            WarmupReport limited =
                    stack.coordinator.warmUp(new WarmupPlan(Set.of("plain"), 5, 1_000_000, true), progress -> {});
            assertThat(limited.outcome()).isEqualTo(WarmupReport.Outcome.REACHED_LIMIT);
            assertThat(stack.remoteHeap.status().entries()).isEqualTo(5);
            plain.clear();
            quotes.clear();
            WarmupReport nothing = stack.coordinator.warmUp(WarmupPlan.everything(), progress -> {});
            assertThat(nothing.progress().copied()).isZero();
        }
    }

    @Test
    void anInterruptStopsItAndKeepsTheFlag() {
        try (Stack stack = Stack.of("123s")) {
            for (int i = 0; i < 2_000; i++) {
                stack.quotes().put("k" + i, "v");
            }
            WarmupReport report = stack.coordinator.warmUp(
                    new WarmupPlan(Set.of(), Long.MAX_VALUE, 1_000_000, true),
                    progress -> Thread.currentThread().interrupt());
            assertThat(Thread.interrupted()).isTrue();
            assertThat(report.outcome()).isEqualTo(WarmupReport.Outcome.STOPPED);
        }
    }

    @Test
    void withoutL3ThereIsNothingToWarmUpFrom() {
        try (Stack stack = Stack.of("12")) {
            assertThatThrownBy(() -> stack.coordinator.warmUp(WarmupPlan.everything(), progress -> {}))
                    .isInstanceOf(BadInputException.class)
                    .hasMessageContaining("backup_storage");
        }
    }
}
