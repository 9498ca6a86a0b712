package dev.terrace.testkit.nemesis;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class NemesisTest {
    private static final Duration SHORT = Duration.ofMillis(200);
    private static final Duration LONG = Duration.ofMillis(900);

    private final List<String> done = new CopyOnWriteArrayList<>();

    private List<Fault> faults(Duration shortest, Duration longest) {
        List<Fault> faults = new ArrayList<>();
        for (int zone = 1; zone <= 3; zone++) {
            String target = "zone-" + zone;
            faults.add(Fault.of("freeze", target, shortest, longest, () -> done.add("freeze"), () -> done.add("thaw")));
            faults.add(Fault.of("empty", target, shortest, longest, () -> done.add("empty"), () -> done.add("fill"))
                    .in("amnesia", Duration.ofMillis(500)));
            faults.add(Fault.momentary("reset", target, () -> done.add("reset")));
        }
        return faults;
    }

    @Test
    void oneSeedIsOneSchedule() {
        Schedule schedule = Schedule.draw(42, faults(SHORT, LONG), Duration.ofMinutes(2), Duration.ofMillis(300), 2);
        Schedule again = Schedule.draw(42, faults(SHORT, LONG), Duration.ofMinutes(2), Duration.ofMillis(300), 2);
        assertThat(again).hasToString(schedule.toString());
        assertThat(Schedule.draw(43, faults(SHORT, LONG), Duration.ofMinutes(2), Duration.ofMillis(300), 2)
                        .toString())
                .isNotEqualTo(schedule.toString());
        assertThat(schedule.toString()).startsWith("seed 42, ").contains(" ms: freeze zone-");
    }

    @Test
    void keepsItsLimitsForEverySeed() {
        for (long seed = 0; seed < 200; seed++) {
            List<Schedule.Strike> strikes = Schedule.draw(
                            seed, faults(SHORT, LONG), Duration.ofMinutes(1), Duration.ofMillis(200), 2)
                    .strikes();
            assertThat(strikes).isNotEmpty();
            for (Schedule.Strike strike : strikes) {
                assertThat(strike.endMillis()).isLessThanOrEqualTo(60_000);
                List<Schedule.Strike> others = strikes.stream()
                        .filter(other -> other != strike
                                && other.beginMillis() <= strike.beginMillis()
                                && other.endMillis() > strike.beginMillis())
                        .toList();
                assertThat(others).hasSizeLessThan(2);
                assertThat(others)
                        .noneMatch(other ->
                                other.fault().target().equals(strike.fault().target()));
                assertThat(strikes)
                        .filteredOn(other -> other != strike
                                && "amnesia".equals(other.fault().group()))
                        .noneMatch(other -> "amnesia".equals(strike.fault().group())
                                && other.beginMillis() <= strike.beginMillis()
                                && other.endMillis() + 500 > strike.beginMillis());
            }
        }
    }

    @Test
    void carriesOutAndUndoesEverything() throws Exception {
        Schedule schedule = Schedule.draw(
                7,
                faults(Duration.ofMillis(5), Duration.ofMillis(30)),
                Duration.ofMillis(400),
                Duration.ofMillis(10),
                3);
        try (Nemesis nemesis = new Nemesis(schedule).start()) {
            assertThat(nemesis.awaitEnd(30, TimeUnit.SECONDS)).isTrue();
            assertThat(nemesis.failures()).isEmpty();
            assertThat(nemesis.log()).hasSize(2 * schedule.strikes().size());
        }
        assertThat(done.stream().filter("freeze"::equals))
                .hasSameSizeAs(done.stream().filter("thaw"::equals).toList());
        assertThat(done.stream().filter("empty"::equals))
                .hasSameSizeAs(done.stream().filter("fill"::equals).toList());
    }

    @Test
    void stoppedHalfWayItUndoesWhatItDid() {
        Fault endless = Fault.of(
                "freeze",
                "zone-1",
                Duration.ofMinutes(5),
                Duration.ofMinutes(5),
                () -> done.add("freeze"),
                () -> done.add("thaw"));
        Schedule schedule = new Schedule(1, List.of(new Schedule.Strike(endless, 0, 300_000)));
        try (Nemesis nemesis = new Nemesis(schedule).start()) {
            org.awaitility.Awaitility.await().until(() -> nemesis.log().size() == 1);
        }
        assertThat(done).containsExactly("freeze", "thaw");
    }

    @Test
    void tellsWhatItCouldNotDoAndGoesOn() throws Exception {
        Fault broken = Fault.momentary("break", "zone-1", () -> {
            throw new IllegalStateException("no such zone");
        });
        Fault worse = Fault.momentary("ruin", "zone-2", () -> {
            throw new AssertionError("not even that");
        });
        Fault reset = Fault.momentary("reset", "zone-3", () -> done.add("reset"));
        List<Schedule.Strike> strikes = List.of(
                new Schedule.Strike(broken, 0, 0), new Schedule.Strike(worse, 1, 1), new Schedule.Strike(reset, 2, 2));
        try (Nemesis nemesis = new Nemesis(new Schedule(1, strikes)).start()) {
            assertThat(nemesis.awaitEnd(30, TimeUnit.SECONDS)).isTrue();
            assertThat(nemesis.failures())
                    .hasSize(2)
                    .anyMatch(line -> line.contains("begin break zone-1") && line.contains("no such zone"))
                    .anyMatch(line -> line.contains("begin ruin zone-2") && line.contains("not even that"));
        }
        assertThat(done).containsExactly("reset");
    }
}
