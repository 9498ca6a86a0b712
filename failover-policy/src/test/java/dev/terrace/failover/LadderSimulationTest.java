package dev.terrace.failover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.terrace.api.Rung;
import dev.terrace.failover.LadderTest.Parts;
import dev.terrace.failover.Signal.State;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Hours of breaking and mending on virtual time, with a decision every 100 ms. Rules, after every decision: nothing moves up
 * within the hold-down; no rung is skipped upwards; it is never on a better rung than the worst that is certain, and never on
 * a worse one than all that is certain asks for, for longer than stated; a stay is pinned exactly as long as ordered; L2 is not
 * read before it has what it missed.
 */
class LadderSimulationTest {
    private static final long TICK_MILLIS = 100;
    private static final LadderRules RULES = new LadderRules(true, 2_000, 16_000, 60_000, 10_000);
    private static final LadderRules ALONE = new LadderRules(false, 2_000, 16_000, 60_000, 10_000);

    @Test
    void rules_hold_over_many_seeds_and_every_rung_is_reached_and_left() {
        long first = Long.getLong("terrace.seed", new Random().nextLong());
        Set<Rung> reached = EnumSet.noneOf(Rung.class);
        Set<Rung> left = EnumSet.noneOf(Rung.class);
        for (int i = 0; i < 60; i++) {
            World world = new World(first + i, i % 4 == 3 ? ALONE : RULES, LadderMutant.NONE);
            String broken = world.run(20_000);
            assertThat(broken).as("-Dterrace.seed=" + (first + i)).isNull();
            reached.addAll(world.reached);
            left.addAll(world.left);
        }
        assertThat(reached).containsExactlyInAnyOrder(Rung.values());
        assertThat(left).containsExactlyInAnyOrder(Rung.values());
    }

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void faults_built_in_are_found(LadderMutant mutant) {
        for (long seed = 0; seed < 60; seed++) {
            if (new World(seed, seed % 4 == 3 ? ALONE : RULES, mutant).run(20_000) != null) {
                return;
            }
        }
        throw new AssertionError("nothing found " + mutant);
    }

    @Test
    @Tag("F66")
    void a_tier_that_flaps_once_a_second_moves_the_node_once() {
        Ladder ladder = new Ladder(RULES);
        Position at = Position.start(RULES, 0);
        int moves = 0;
        for (long now = 0; now < 600_000; now += TICK_MILLIS) {
            Position next = ladder.next(
                    at,
                    Parts.WELL.l2(now / 500 % 2 == 0 ? State.DOWN : State.UP).signals(),
                    now);
            moves += next.rung() == at.rung() ? 0 : 1;
            at = next;
        }
        assertThat(moves).isEqualTo(1);
        assertThat(at.rung()).isEqualTo(Rung.LOCAL_ONLY);
    }

    @Test
    @Tag("F66")
    void a_tier_that_flaps_slower_than_the_hold_down_is_tried_less_and_less_often() {
        Ladder ladder = new Ladder(RULES);
        Position at = Position.start(RULES, 0);
        List<Long> climbs = new ArrayList<>();
        for (long now = 0; now < 600_000; now += TICK_MILLIS) {
            Position next = ladder.next(
                    at,
                    Parts.WELL.l2(now / 3_000 % 2 == 0 ? State.DOWN : State.UP).signals(),
                    now);
            if (at.rung().isWorseThan(next.rung())) {
                climbs.add(now);
            }
            at = next;
        }
        assertThat(climbs)
                .as("3 s of health do not satisfy a hold-down that has doubled")
                .hasSize(1);
    }

    /** One node, and chance. */
    private static final class World {
        private final Random random;
        private final LadderRules rules;
        private final Ladder ladder;
        private final boolean fallback;
        private final Map<Kind, State> parts = new EnumMap<>(Kind.class);
        private final Set<Rung> reached = EnumSet.noneOf(Rung.class);
        private final Set<Rung> left = EnumSet.noneOf(Rung.class);
        private boolean replayed = true;
        private boolean caughtUp = true;

        private enum Kind {
            L1,
            L2,
            L3,
            DISK,
            ORIGIN,
            HINTS,
            JOURNAL
        }

        World(long seed, LadderRules rules, LadderMutant mutant) {
            this.random = new Random(seed);
            this.rules = rules;
            this.fallback = rules.fallback();
            this.ladder = new Ladder(rules, mutant);
            for (Kind kind : Kind.values()) {
                parts.put(kind, State.UP);
            }
            if (random.nextInt(4) == 0) {
                parts.put(Kind.L3, State.ABSENT);
                parts.put(Kind.DISK, State.ABSENT);
            }
        }

        private Parts told() {
            return new Parts(
                    parts.getOrDefault(Kind.L1, State.UP),
                    parts.getOrDefault(Kind.L2, State.UP),
                    parts.getOrDefault(Kind.L3, State.UP),
                    parts.getOrDefault(Kind.DISK, State.UP),
                    parts.getOrDefault(Kind.ORIGIN, State.UP),
                    parts.getOrDefault(Kind.HINTS, State.UP),
                    parts.getOrDefault(Kind.JOURNAL, State.UP),
                    replayed,
                    caughtUp);
        }

        /** What was broken, or null. */
        @Nullable
        String run(int ticks) {
            Position at = Position.start(rules, 0);
            long worseSince = Position.NEVER;
            long lastClimb = Position.NEVER;
            long readOnlySince = Position.NEVER;
            boolean stormy = true;
            int frozenUntil = 0;
            for (int tick = 0; tick < ticks; tick++) {
                long now = tick * TICK_MILLIS;
                if (tick % 1_500 == 0) {
                    stormy = random.nextInt(3) > 0;
                }
                if (tick >= frozenUntil) {
                    chance(stormy);
                    if (stormy && random.nextInt(1_200) == 0) {
                        // Nothing gets better, and nothing worse, for longer than anything here waits.
                        frozenUntil = tick + 700 + random.nextInt(700);
                    }
                }
                if (at.pin() == null && random.nextInt(4_000) == 0) {
                    Rung rung = Rung.values()[random.nextInt(Rung.values().length)];
                    at = at.pinned(new Position.Pin(rung, now + 1 + random.nextInt(30_000), "test", "test"));
                } else if (at.pin() != null && random.nextInt(2_000) == 0) {
                    at = at.pinned(null);
                }
                Parts parts = told();
                Position next = ladder.next(at, parts.signals(), now);
                String broken = judge(at, next, parts, now, lastClimb);
                Rung best = parts.bySight(fallback, next.readOnlySpent(), true);
                if (next.pin() != null || !next.rung().isWorseThan(best)) {
                    worseSince = Position.NEVER;
                } else {
                    worseSince = worseSince == Position.NEVER ? now : worseSince;
                    if (now - worseSince > rules.longestClimbMillis()) {
                        broken = "on " + next.rung() + " for too long, " + best + " would do";
                    }
                }
                readOnlySince = next.rung() != Rung.READ_ONLY
                                || next.pin() != null
                                || parts.origin() == State.DOWN
                                || parts.bySight(fallback, false, false) != Rung.READ_ONLY
                        ? Position.NEVER
                        : readOnlySince == Position.NEVER ? now : readOnlySince;
                if (readOnlySince != Position.NEVER && now - readOnlySince > rules.readOnlyMillis()) {
                    broken = "read-only for too long";
                }
                if (broken != null) {
                    return "at " + now + " ms: " + broken + " (" + at + " -> " + next + ", " + parts + ")";
                }
                if (next.rung() != at.rung()) {
                    left.add(at.rung());
                    if (at.rung().isWorseThan(next.rung()) && next.pin() == null) {
                        lastClimb = now;
                    }
                }
                reached.add(next.rung());
                at = next;
            }
            return null;
        }

        private void chance(boolean stormy) {
            for (Kind kind : Kind.values()) {
                State now = parts.getOrDefault(kind, State.UP);
                if (now == State.ABSENT) {
                    continue;
                }
                int every = now == State.UP ? (stormy ? 300 : 100_000) : stormy ? (kind == Kind.L2 ? 300 : 120) : 20;
                if (random.nextInt(every) == 0) {
                    State[] bad = {State.DOWN, State.DOWN, State.DOWN, State.SLOW, State.UNKNOWN};
                    parts.put(kind, now == State.UP ? bad[random.nextInt(bad.length)] : State.UP);
                }
            }
            boolean away = parts.get(Kind.L2) == State.DOWN;
            replayed = away ? random.nextInt(20) > 0 && replayed : replayed || random.nextInt(60) == 0;
            caughtUp = away ? random.nextInt(20) > 0 && caughtUp : caughtUp || random.nextInt(60) == 0;
        }

        private @Nullable String judge(Position at, Position next, Parts parts, long now, long lastClimb) {
            Position.Pin pin = at.pin();
            if (pin != null && now < pin.untilMillis()) {
                return next.rung() == pin.rung() ? null : "left the rung it is pinned to";
            }
            if (next.pin() != null) {
                return "a pin that is over";
            }
            Rung floor = parts.bySight(fallback, next.readOnlySpent(), false);
            if (floor.isWorseThan(next.rung())) {
                return "on " + next.rung() + " though only " + floor + " is left";
            }
            if (next.rung().isWorseThan(at.rung()) && next.rung() != floor) {
                return "fell to " + next.rung() + ", " + floor + " would do";
            }
            if (!at.rung().isWorseThan(next.rung())) {
                return null;
            }
            Rung best = parts.bySight(fallback, next.readOnlySpent(), true);
            if (best.isWorseThan(next.rung())) {
                return "climbed past what is certain";
            }
            int steps = at.rung().compareTo(next.rung());
            if (fallback && steps != 1) {
                return "skipped a rung";
            }
            if (now - lastClimb < rules.holdMillis() || now - at.sinceMillis() < rules.holdMillis()) {
                return "climbed within the hold-down";
            }
            if (at.climbedMillis() != Position.NEVER && pin == null && now - at.sinceMillis() < at.holdMillis()) {
                return "climbed within a hold-down that had grown";
            }
            boolean grew = at.sinceMillis() - lastClimb < rules.holdMillis() && at.sinceMillis() > lastClimb;
            if (grew && at.cause().startsWith("l2 ") && now - at.sinceMillis() < 2 * rules.holdMillis()) {
                return "the last climb did not last, and it tried again as soon";
            }
            boolean waited = now - at.betterSinceMillis() >= at.holdMillis() + rules.rejoinMillis();
            return next.rung() == Rung.NORMAL && !(parts.replayed() && parts.caughtUp()) && !waited
                    ? "reads L2 before it has what it missed"
                    : null;
        }
    }
}
