package dev.terrace.failover;

import static dev.terrace.failover.Signal.State.ABSENT;
import static dev.terrace.failover.Signal.State.DOWN;
import static dev.terrace.failover.Signal.State.UNKNOWN;
import static dev.terrace.failover.Signal.State.UP;
import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Rung;
import dev.terrace.failover.Signal.State;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** The ladder, step by step, and over every combination of what it may be told. */
class LadderTest {
    private static final LadderRules RULES = new LadderRules(true, 2_000, 60_000, 300_000, 10_000);
    private static final LadderRules ALONE = new LadderRules(false, 2_000, 60_000, 300_000, 10_000);

    private final Ladder ladder = new Ladder(RULES);
    private Position at = Position.start(RULES, 0);
    private long now;

    @Test
    void a_node_goes_down_at_once_and_as_far_as_it_must() {
        tell(Parts.WELL.l2(DOWN));
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
        assertThat(at.cause()).isEqualTo("l2 down: test");

        at = Position.start(RULES, 0);
        tell(Parts.WELL.l2(DOWN).l1(DOWN).l3(DOWN).origin(DOWN));
        assertThat(at.rung()).isEqualTo(Rung.REJECT);
        assertThat(at.cause()).contains("l1 down", "l2 down", "l3 down", "origin down");
    }

    @Test
    void a_node_climbs_one_rung_per_hold_down() {
        tell(Parts.WELL.l2(DOWN).l1(DOWN).l3(DOWN).origin(DOWN));
        for (Rung next : new Rung[] {Rung.DIRECT, Rung.READ_ONLY, Rung.LOCAL_ONLY, Rung.NORMAL}) {
            Rung before = at.rung();
            tell(Parts.WELL);
            now += 1_999;
            tell(Parts.WELL);
            assertThat(at.rung()).isEqualTo(before);
            now += 1;
            tell(Parts.WELL);
            assertThat(at.rung()).isEqualTo(next);
        }
    }

    @Test
    void one_bad_moment_starts_the_hold_down_anew() {
        tell(Parts.WELL.l2(DOWN));
        tell(Parts.WELL);
        now += 1_900;
        tell(Parts.WELL.l2(UNKNOWN));
        tell(Parts.WELL);
        now += 1_900;
        tell(Parts.WELL);
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
    }

    @Test
    void what_is_not_known_brings_nobody_down_and_nobody_up() {
        tell(Parts.WELL.l2(UNKNOWN).l3(UNKNOWN).l1(UNKNOWN).origin(UNKNOWN));
        assertThat(at.rung()).isEqualTo(Rung.NORMAL);
        tell(Parts.WELL.l2(DOWN));
        tell(Parts.WELL.l2(UNKNOWN));
        now += 1_000_000;
        tell(Parts.WELL.l2(UNKNOWN));
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
    }

    @Test
    void normal_waits_for_what_was_missed_but_not_for_ever() {
        tell(Parts.WELL.l2(DOWN));
        tell(Parts.WELL.behind());
        now += 2_000;
        tell(Parts.WELL.behind());
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
        assertThat(at.rejoining()).isTrue();
        assertThat(ladder.lift(at, Parts.WELL.behind().signals(), now)).contains("handing over");
        now += 9_999;
        tell(Parts.WELL.behind());
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
        now += 1;
        tell(Parts.WELL.behind());
        assertThat(at.rung()).isEqualTo(Rung.NORMAL);
    }

    @Test
    void a_climb_that_does_not_last_doubles_the_hold_down() {
        long hold = 2_000;
        for (int fall = 0; fall < 4; fall++) {
            tell(Parts.WELL.l2(DOWN));
            assertThat(at.holdMillis()).isEqualTo(hold);
            tell(Parts.WELL);
            now += hold;
            tell(Parts.WELL);
            assertThat(at.rung()).isEqualTo(Rung.NORMAL);
            now += 100;
            hold *= 2;
        }
        now += 10 * hold;
        tell(Parts.WELL.l2(DOWN));
        assertThat(at.holdMillis()).as("after a long time that was well").isEqualTo(2_000);
    }

    @Test
    void read_only_ends_after_its_time_but_not_for_a_dead_origin() {
        Parts unsafe = Parts.WELL.l2(DOWN).hints(DOWN);
        tell(unsafe);
        assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        now += 300_000;
        tell(unsafe.origin(DOWN));
        assertThat(at.rung()).as("an old answer beats none").isEqualTo(Rung.READ_ONLY);
        tell(unsafe);
        assertThat(at.rung()).isEqualTo(Rung.DIRECT);
        now += 1_000_000;
        tell(unsafe);
        assertThat(at.rung()).as("its time is over until something improves").isEqualTo(Rung.DIRECT);
        tell(unsafe.hints(UP));
        now += 2_000;
        tell(unsafe.hints(UP));
        assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        now += 2_000;
        tell(unsafe.hints(UP));
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
    }

    @Test
    void writes_are_safe_only_where_all_that_keeps_them_works() {
        for (Parts unsafe : new Parts[] {
            Parts.WELL.l3(DOWN), Parts.WELL.disk(DOWN), Parts.WELL.hints(DOWN), Parts.WELL.journal(DOWN)
        }) {
            at = Position.start(RULES, 0);
            tell(unsafe);
            assertThat(at.rung()).as("while L2 is there").isEqualTo(Rung.NORMAL);
            tell(unsafe.l2(DOWN));
            assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        }
    }

    @Test
    void a_pin_holds_whatever_happens_and_ends_by_itself() {
        at = at.pinned(new Position.Pin(Rung.READ_ONLY, 60_000, "anna", "maintenance"));
        tell(Parts.WELL);
        assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        assertThat(at.cause()).contains("anna", "maintenance");
        now = 59_999;
        tell(Parts.WELL.l2(DOWN).l1(DOWN).l3(DOWN).origin(DOWN));
        assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        now = 60_000;
        tell(Parts.WELL);
        assertThat(at.pin()).isNull();
        assertThat(at.rung()).isEqualTo(Rung.READ_ONLY);
        now += 2_000;
        tell(Parts.WELL);
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
    }

    @Test
    void without_fallback_the_rungs_that_rest_on_local_tiers_are_left_out() {
        Ladder alone = new Ladder(ALONE);
        Position position = Position.start(ALONE, 0);
        position = alone.next(position, Parts.WELL.l2(DOWN).signals(), 1);
        assertThat(position.rung()).isEqualTo(Rung.DIRECT);
        position = alone.next(position, Parts.WELL.l2(DOWN).origin(DOWN).signals(), 2);
        assertThat(position.rung()).isEqualTo(Rung.REJECT);
        position = alone.next(position, Parts.WELL.signals(), 3);
        position = alone.next(position, Parts.WELL.signals(), 4_003);
        assertThat(position.rung()).isEqualTo(Rung.DIRECT);
        position = alone.next(position, Parts.WELL.signals(), 8_003);
        assertThat(position.rung()).isEqualTo(Rung.NORMAL);
    }

    @Test
    void every_combination_of_signals_from_every_rung_keeps_the_rules() {
        long combinations = 0;
        Set<Rung> reached = EnumSet.noneOf(Rung.class);
        for (LadderRules rules : new LadderRules[] {RULES, ALONE}) {
            Ladder any = new Ladder(rules);
            for (State l1 : State.values()) {
                for (State l2 : State.values()) {
                    for (State l3 : State.values()) {
                        for (State origin : State.values()) {
                            for (State hints : new State[] {UP, DOWN, UNKNOWN}) {
                                for (int flags = 0; flags < 4; flags += 3) {
                                    Parts parts =
                                            new Parts(l1, l2, l3, UP, origin, hints, UP, (flags & 1) == 0, flags < 2);
                                    combinations += fromEveryRung(any, rules, parts, reached);
                                }
                            }
                        }
                    }
                }
            }
        }
        assertThat(combinations).isGreaterThan(70_000);
        assertThat(reached).containsExactlyInAnyOrder(Rung.values());
    }

    private static long fromEveryRung(Ladder ladder, LadderRules rules, Parts parts, Set<Rung> reached) {
        long count = 0;
        for (Rung rung : Rung.values()) {
            for (boolean spent : new boolean[] {false, true}) {
                Position from = new Position(
                        rung, 0, "", Position.NEVER, rules.holdMillis(), Position.NEVER, spent, false, null);
                check(ladder, rules, parts, from);
                reached.add(ladder.next(from, parts.signals(), 1).rung());
                count++;
            }
        }
        return count;
    }

    private static void check(Ladder ladder, LadderRules rules, Parts parts, Position from) {
        Position next = ladder.next(from, parts.signals(), 1);
        Rung floor = parts.bySight(rules.fallback(), next.readOnlySpent(), false);
        Rung goal = parts.bySight(rules.fallback(), next.readOnlySpent(), true);
        expect(!floor.isWorseThan(goal), "asks for two things at once", from, parts);
        expect(
                next.rung() == (floor.isWorseThan(from.rung()) ? floor : from.rung()),
                "goes to " + next.rung() + ", not " + floor,
                from,
                parts);
        // Told the same for long enough, it ends between what is asked for at least and at most, one rung at a time.
        Position moving = next;
        long now = 1;
        for (int i = 0; i < 40; i++) {
            now += 8_000;
            Position after = ladder.next(moving, parts.signals(), now);
            boolean skips = moving.rung().compareTo(after.rung()) > 1;
            expect(!skips || !rules.fallback(), "skips a rung upwards", from, parts);
            moving = after;
        }
        Rung best = parts.bySight(rules.fallback(), moving.readOnlySpent(), true);
        expect(!moving.rung().isWorseThan(best), "is stuck on " + moving.rung() + " below " + best, from, parts);
        Rung least = parts.bySight(rules.fallback(), moving.readOnlySpent(), false);
        expect(!least.isWorseThan(moving.rung()), "stays on " + moving.rung() + " above " + least, from, parts);
    }

    /** Millions of times, so without the means that make a message of every one. */
    private static void expect(boolean holds, String fault, Position from, Parts parts) {
        if (!holds) {
            throw new AssertionError("from " + from + " told " + parts + " it " + fault);
        }
    }

    private void tell(Parts parts) {
        at = ladder.next(at, parts.signals(), now);
    }

    /** What the parts are; and what rung that asks for, written down a second time, as the table of the rungs reads. */
    record Parts(
            State l1,
            State l2,
            State l3,
            State disk,
            State origin,
            State hints,
            State journal,
            boolean replayed,
            boolean caughtUp) {
        static final Parts WELL = new Parts(UP, UP, UP, UP, UP, UP, UP, true, true);

        Parts l1(State state) {
            return new Parts(state, l2, l3, disk, origin, hints, journal, replayed, caughtUp);
        }

        Parts l2(State state) {
            return new Parts(l1, state, l3, disk, origin, hints, journal, replayed, caughtUp);
        }

        Parts l3(State state) {
            return new Parts(l1, l2, state, disk, origin, hints, journal, replayed, caughtUp);
        }

        Parts disk(State state) {
            return new Parts(l1, l2, l3, state, origin, hints, journal, replayed, caughtUp);
        }

        Parts origin(State state) {
            return new Parts(l1, l2, l3, disk, state, hints, journal, replayed, caughtUp);
        }

        Parts hints(State state) {
            return new Parts(l1, l2, l3, disk, origin, state, journal, replayed, caughtUp);
        }

        Parts journal(State state) {
            return new Parts(l1, l2, l3, disk, origin, hints, state, replayed, caughtUp);
        }

        Parts behind() {
            return new Parts(l1, l2, l3, disk, origin, hints, journal, false, caughtUp);
        }

        HealthSignals signals() {
            return new HealthSignals(
                    signal(l1),
                    signal(l2),
                    Map.of(),
                    signal(l3),
                    signal(disk),
                    signal(origin),
                    Signal.ABSENT,
                    signal(hints),
                    signal(journal),
                    replayed,
                    caughtUp);
        }

        private static Signal signal(State state) {
            return new Signal(state, state == UP ? "" : "test", 0);
        }

        Rung bySight(boolean fallback, boolean spent, boolean pessimist) {
            if (l1 == ABSENT && l2 == ABSENT && l3 == ABSENT) {
                return Rung.NORMAL;
            }
            boolean remote = works(l2, pessimist);
            boolean others = works(l1, pessimist) || works(l3, pessimist);
            boolean usable = remote || others && (fallback || l2 == ABSENT);
            if (!usable) {
                return lost(origin, pessimist) ? Rung.REJECT : Rung.DIRECT;
            }
            if (remote || l2 == ABSENT) {
                return Rung.NORMAL;
            }
            boolean kept = !lost(l3, pessimist)
                    && !lost(disk, pessimist)
                    && !lost(hints, pessimist)
                    && !lost(journal, pessimist);
            if (kept) {
                return Rung.LOCAL_ONLY;
            }
            return spent && origin != DOWN ? Rung.DIRECT : Rung.READ_ONLY;
        }

        private static boolean works(State state, boolean pessimist) {
            return state != ABSENT && !lost(state, pessimist);
        }

        private static boolean lost(State state, boolean pessimist) {
            return state == DOWN || pessimist && state == UNKNOWN;
        }
    }
}
