package dev.terrace.failover;

import static dev.terrace.failover.Signal.State.ABSENT;
import static dev.terrace.failover.Signal.State.DOWN;
import static dev.terrace.failover.Signal.State.UNKNOWN;

import dev.terrace.api.Rung;

/**
 * The ladder as a pure function: where a node stood, what it is told of its surroundings, and the time, to where it stands.
 *
 * <pre>
 *                       what signals ask for                          climbs, one rung a decision, when they have
 *                                                                     asked for better for a hold-down, and ...
 *   NORMAL       ---    L2 up (or none), or some tier left   &lt;-----+
 *      |                                                           |  L2 was handed what it missed, and the
 *      |  L2 down                                                  |  backplane is heard (or that took too long)
 *      v                                                           |
 *   LOCAL_ONLY   ---    writes can be kept                   ------+ &lt;--+
 *      |                                                                |
 *      |  hints or journal full, L3 or its disk down                    |
 *      v                                                                |
 *   READ_ONLY    ---    writes cannot be kept                -----------+ &lt;--+
 *      |                                                                     |
 *      |  longer than readonly_mode_timeout and the origin not down,         |
 *      |  or no tier left that may be used                                   |
 *      v                                                                     |
 *   DIRECT       ---    the origin is all there is           ----------------+ &lt;--+
 *      |                                                                          |
 *      |  no tier left that may be used, and the origin down                      |
 *      v                                                                          |
 *   REJECT                                                   ---------------------+
 * </pre>
 *
 * <p>Down it goes at once, and as far as it must. Up it goes one rung a decision, each after a hold-down, which doubles when
 * the last climb did not last. A part of which nobody can say neither brings a node down nor lets it climb. Without {@code
 * fallback_to_local} LOCAL_ONLY and READ_ONLY are left out.
 *
 * <p>An origin that is down does not end READ_ONLY: an old answer beats none. So REJECT is for when no tier is left.
 * Immutable, thread-safe.
 */
public final class Ladder {
    private final LadderRules rules;
    private final LadderMutant mutant;

    /** Follows {@code rules}. */
    public Ladder(LadderRules rules) {
        this(rules, LadderMutant.NONE);
    }

    Ladder(LadderRules rules, LadderMutant mutant) {
        this.rules = rules;
        this.mutant = mutant;
    }

    /** What signals ask for, and why. */
    record Demand(Rung rung, String cause) {}

    /** Where to stand now. The result is {@code from} itself when nothing at all changed. */
    public Position next(Position from, HealthSignals signals, long nowMillis) {
        Position.Pin pin = from.pin();
        if (pin != null) {
            if (nowMillis < pin.untilMillis() || mutant == LadderMutant.PIN_NEVER_ENDS) {
                return from.rung() == pin.rung()
                        ? from
                        : moved(from, pin.rung(), "pinned by " + pin.by() + ": " + pin.why(), false, nowMillis);
            }
            return next(from.pinned(null), signals, nowMillis);
        }
        // Nobody is brought down by what is not known, and nobody climbs on it.
        Demand goal = demanded(signals, from.readOnlySpent(), mutant != LadderMutant.TRUSTS_THE_UNKNOWN);
        boolean spent = isReadOnlySpent(from, signals, goal, nowMillis);
        goal = demanded(signals, spent, mutant != LadderMutant.TRUSTS_THE_UNKNOWN);
        Demand floor = demanded(signals, spent, mutant == LadderMutant.BLAMES_THE_UNKNOWN);
        if (floor.rung().isWorseThan(from.rung())) {
            Rung to = mutant == LadderMutant.FALLS_STEP_BY_STEP ? below(from.rung()) : floor.rung();
            return moved(from, to, floor.cause(), spent, nowMillis);
        }
        if (!from.rung().isWorseThan(goal.rung())) {
            return from.betterSinceMillis() == Position.NEVER && spent == from.readOnlySpent() && !from.rejoining()
                    ? from
                    : from.watching(Position.NEVER, spent, false);
        }
        return climb(from, goal.rung(), signals, spent, nowMillis);
    }

    private Position climb(Position from, Rung goal, HealthSignals signals, boolean spent, long nowMillis) {
        long since = from.betterSinceMillis() == Position.NEVER ? nowMillis : from.betterSinceMillis();
        long held = Math.min(nowMillis - since, nowMillis - from.sinceMillis());
        boolean lasting = held >= from.holdMillis() || mutant == LadderMutant.CLIMBS_WITHOUT_HOLD;
        if (!lasting) {
            return from.watching(since, spent, from.rejoining());
        }
        Rung to = mutant == LadderMutant.CLIMBS_TO_THE_GOAL ? goal : above(from.rung());
        if (to == Rung.NORMAL && !hasRejoined(signals) && !isLate(held, from)) {
            return from.watching(since, spent, true);
        }
        String cause = to == Rung.NORMAL && !hasRejoined(signals)
                ? "healthy for " + held + " ms; what L2 missed is still being handed over"
                : "healthy for " + held + " ms";
        return moved(from, to, cause, spent, nowMillis);
    }

    private boolean hasRejoined(HealthSignals signals) {
        return mutant == LadderMutant.FORGETS_MISSED_WRITES || signals.replayed() && signals.caughtUp();
    }

    private boolean isLate(long held, Position from) {
        return held >= from.holdMillis() + rules.rejoinMillis() && mutant != LadderMutant.WAITS_FOR_EVER;
    }

    private Position moved(Position from, Rung to, String cause, boolean spent, long nowMillis) {
        boolean up = from.rung().isWorseThan(to);
        long hold = from.holdMillis();
        if (!up && from.pin() == null) {
            boolean relapse = nowMillis - from.climbedMillis() < LadderRules.LASTING_HOLDS * hold;
            hold = relapse && mutant != LadderMutant.FORGETS_RELAPSES
                    ? Math.min(2 * hold, rules.longestHoldMillis())
                    : rules.holdMillis();
        }
        // A climb goes on where the last step ended: signals have asked for better all the time.
        return new Position(
                to,
                nowMillis,
                cause,
                up ? from.betterSinceMillis() : Position.NEVER,
                hold,
                up && from.pin() == null ? nowMillis : from.climbedMillis(),
                spent,
                false,
                from.pin());
    }

    private boolean isReadOnlySpent(Position from, HealthSignals signals, Demand goal, long nowMillis) {
        if (Rung.READ_ONLY.isWorseThan(goal.rung())) {
            return false;
        }
        if (from.readOnlySpent()) {
            return true;
        }
        boolean tooLong = from.rung() == Rung.READ_ONLY
                && nowMillis - from.sinceMillis() >= rules.readOnlyMillis()
                && mutant != LadderMutant.STAYS_READ_ONLY;
        return tooLong && mayAskOrigin(signals);
    }

    /** What these signals ask for. */
    private Demand demanded(HealthSignals signals, boolean readOnlySpent, boolean unknownIsDown) {
        Judge judge = new Judge(unknownIsDown);
        boolean remoteLost = judge.lost(signals.l2());
        boolean fallback = rules.fallback() || mutant == LadderMutant.IGNORES_FALLBACK;
        boolean othersLeft = judge.serves(signals.l1()) || judge.serves(signals.l3());
        boolean nothingLeft = !judge.serves(signals.l2())
                && !(othersLeft && (fallback || signals.l2().is(ABSENT)));
        boolean noTiers = signals.l1().is(ABSENT)
                && signals.l2().is(ABSENT)
                && signals.l3().is(ABSENT);
        if (nothingLeft && !noTiers) {
            String why = fallback || !remoteLost
                    ? "no tier is left: " + causes(judge, signals)
                    : "l2 " + signals.l2().text() + ", and fallback_to_local is off";
            return judge.lost(signals.origin())
                    ? new Demand(
                            Rung.REJECT, why + "; origin " + signals.origin().text())
                    : new Demand(Rung.DIRECT, why);
        }
        if (!remoteLost) {
            return new Demand(Rung.NORMAL, "");
        }
        String unsafe = mutant == LadderMutant.WRITES_ARE_ALWAYS_SAFE ? "" : unsafe(judge, signals);
        String away = "l2 " + signals.l2().text();
        if (unsafe.isEmpty()) {
            return new Demand(Rung.LOCAL_ONLY, away);
        }
        return readOnlySpent && mayAskOrigin(signals)
                ? new Demand(Rung.DIRECT, "read-only for too long: " + away + "; " + unsafe)
                : new Demand(Rung.READ_ONLY, away + "; " + unsafe);
    }

    /** Only a verdict counts here, whichever way it is asked: else what is not known would ask for two things at once. */
    private boolean mayAskOrigin(HealthSignals signals) {
        return !signals.origin().is(DOWN) || mutant == LadderMutant.LEAVES_READ_ONLY_FOR_A_DEAD_ORIGIN;
    }

    private static String unsafe(Judge judge, HealthSignals signals) {
        if (judge.lost(signals.l3())) {
            return "l3 " + signals.l3().text();
        }
        if (judge.lost(signals.disk())) {
            return "disk " + signals.disk().text();
        }
        if (judge.lost(signals.hints())) {
            return "hints " + signals.hints().text();
        }
        return judge.lost(signals.journal()) ? "journal " + signals.journal().text() : "";
    }

    private static String causes(Judge judge, HealthSignals signals) {
        StringBuilder causes = new StringBuilder();
        add(causes, judge, "l1", signals.l1());
        add(causes, judge, "l2", signals.l2());
        add(causes, judge, "l3", signals.l3());
        return causes.toString();
    }

    private static void add(StringBuilder causes, Judge judge, String name, Signal signal) {
        if (judge.lost(signal)) {
            causes.append(causes.length() == 0 ? "" : ", ")
                    .append(name)
                    .append(' ')
                    .append(signal.text());
        }
    }

    /** What is not known counts as {@code unknownIsDown} says. */
    private record Judge(boolean unknownIsDown) {
        boolean lost(Signal signal) {
            return signal.is(DOWN) || unknownIsDown && signal.is(UNKNOWN);
        }

        boolean serves(Signal signal) {
            return !signal.is(ABSENT) && !lost(signal);
        }
    }

    private Rung above(Rung rung) {
        return switch (rung) {
            case NORMAL, LOCAL_ONLY -> Rung.NORMAL;
            case READ_ONLY -> rules.fallback() ? Rung.LOCAL_ONLY : Rung.NORMAL;
            case DIRECT -> rules.fallback() ? Rung.READ_ONLY : Rung.NORMAL;
            case REJECT -> Rung.DIRECT;
        };
    }

    private static Rung below(Rung rung) {
        return switch (rung) {
            case NORMAL -> Rung.LOCAL_ONLY;
            case LOCAL_ONLY -> Rung.READ_ONLY;
            case READ_ONLY -> Rung.DIRECT;
            case DIRECT, REJECT -> Rung.REJECT;
        };
    }

    /** What would bring a node up from where it stands, for people; empty where nothing would. */
    public String lift(Position at, HealthSignals signals, long nowMillis) {
        Position.Pin pin = at.pin();
        if (pin != null) {
            return "the end of the pin in " + (pin.untilMillis() - nowMillis) / 1_000 + " s, or removing it";
        }
        if (at.rung() == Rung.NORMAL) {
            return "";
        }
        Demand goal = demanded(signals, at.readOnlySpent(), true);
        if (!at.rung().isWorseThan(goal.rung())) {
            return "an end of: " + goal.cause();
        }
        if (at.rejoining()) {
            return (signals.replayed() ? "" : "handing over to L2 what it missed")
                    + (signals.replayed() || signals.caughtUp() ? "" : ", and ")
                    + (signals.caughtUp() ? "" : "hearing what other nodes wrote");
        }
        long left = at.holdMillis() - Math.min(nowMillis - at.betterSinceMillis(), nowMillis - at.sinceMillis());
        return "staying healthy for another " + Math.max(0, left) + " ms";
    }
}
