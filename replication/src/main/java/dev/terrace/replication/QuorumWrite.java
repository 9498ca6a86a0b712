package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Ballot;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes above everything a majority knows: in two rounds, or in one while this node was the last to write the key. See the ADR
 * for why the one round is safe without keeping anybody out.
 */
final class QuorumWrite extends Operation<Replicated> {
    private final Function<Version, Entry> make;
    private final int required;
    private @Nullable Attempt attempt;

    /** One version on its way to the zones. Zones are told apart by their numbers. */
    private static final class Attempt {
        final Entry entry;

        /** Have it, or something newer that does not speak against it. */
        final Set<Integer> acked = new LinkedHashSet<>();

        /** Have taken it. */
        final Set<Integer> applied = new LinkedHashSet<>();

        /** Have said that they have not taken it. */
        final Set<Integer> refused = new LinkedHashSet<>();

        /** Of those that refused it, the ones that hold something older, or nothing: they have missed earlier writes, too. */
        final Set<Integer> behind = new LinkedHashSet<>();

        /** Have not said. */
        final Set<Integer> failed = new LinkedHashSet<>();

        /** The one round of which this is the second, with the same entry: zones may have taken it there, too. */
        @Nullable
        Attempt before;

        /** The highest version that stood against it. */
        Version against = Version.ZERO;

        boolean superseded;
        String why = "";

        Attempt(Entry entry) {
            this.entry = entry;
        }

        void against(@Nullable Version version) {
            if (version != null && version.isNewerThan(against)) {
                against = version;
            }
        }

        /** True when it is proven that no zone has taken the entry or ever will. */
        boolean isNowhere(int zones) {
            boolean here = acked.isEmpty() && failed.isEmpty() && answered() == zones;
            Attempt first = before;
            return here && (first == null || first.applied.isEmpty() && first.isNowhere(zones));
        }

        int answered() {
            return acked.size() + refused.size() + failed.size();
        }
    }

    /**
     * @param make makes the entry for a version
     * @param all whether every zone must have it, or a majority
     */
    QuorumWrite(Context context, CacheKey key, Function<Version, Entry> make, boolean all) {
        super(context, key);
        this.make = make;
        this.required = context.is(Mutation.ONE_ACK) ? 1 : all ? zones.size() : majority;
    }

    QuorumWrite start() {
        step(() -> {
            Version last = context.lastWritten().of(key);
            if (context.is(Mutation.STAMPED_BY_THE_CLOCK)) {
                store();
            } else if (last != null) {
                oneRound(last);
            } else {
                query();
            }
        });
        return this;
    }

    static StoreOutcome bug(Throwable failure) {
        return new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.ERROR, String.valueOf(failure));
    }

    /** True when {@code outcome} says that the zone has {@code version}, or something before which it may have happened. */
    static boolean acknowledges(Context context, StoreOutcome outcome, Version version) {
        if (outcome instanceof StoreOutcome.Applied) {
            return true;
        }
        if (!(outcome instanceof StoreOutcome.Superseded superseded) || superseded.current() == null) {
            return false;
        }
        Version current = superseded.current();
        // Just before a conditional write nothing can have happened, because its condition would not have held; and a
        // conditional write cannot have happened just before something else, but only when its own condition held.
        boolean plain = !current.isConditional() && !version.isConditional();
        return current.equals(version)
                || current.isNewerThan(version) && (plain || context.is(Mutation.SUPERSEDED_BY_CONDITION_COUNTS));
    }

    private void oneRound(Version last) {
        Attempt mine = new Attempt(make.apply(context.clock().next()));
        attempt = mine;
        for (int i = 0; i < zones.size(); i++) {
            int zone = i;
            ask(
                    zone,
                    replica -> replica.put(mine.entry, new WriteCondition.IfVersion(last)),
                    outcome -> storedIfUnchanged(mine, zone, outcome),
                    QuorumWrite::bug);
        }
    }

    private void storedIfUnchanged(Attempt mine, int zone, StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Superseded superseded
                && mine.entry.version().equals(superseded.current())) {
            note(mine, zone, StoreOutcome.APPLIED);
        } else {
            note(mine, zone, outcome);
        }
        if (isOver()) {
            afterwards(mine, zone);
            return;
        }
        Attempt now = attempt;
        if (now != mine) {
            if (now != null && now.before == mine && mine.applied.contains(zone)) {
                now.acked.add(zone);
                now.applied.add(zone);
                if (now.acked.size() >= required) {
                    acknowledge(now);
                }
            }
            return;
        }
        if (mine.applied.size() >= required) {
            context.meters().leased.inc();
            acknowledge(mine);
            return;
        }
        boolean lost = zones.size() - mine.refused.size() - mine.failed.size() < required;
        int told = mine.applied.size() + mine.refused.size();
        if (!lost || told < majority && mine.answered() < zones.size()) {
            return;
        }
        if (told >= majority && mine.entry.version().isNewerThan(mine.against)) {
            // A majority has told what it holds, as in a first round, and this is above it: go on as a second round.
            Attempt second = new Attempt(mine.entry);
            second.acked.addAll(mine.applied);
            second.applied.addAll(mine.applied);
            second.before = mine;
            store(second);
            return;
        }
        context.lastWritten().overtaken(key);
        if (mine.isNowhere(zones.size())) {
            context.observe(mine.against);
            query();
        } else if (!mine.applied.isEmpty() || mine.answered() == zones.size()) {
            resolve(mine);
        }
    }

    private static void note(Attempt mine, int zone, StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Applied) {
            mine.applied.add(zone);
            mine.acked.add(zone);
        } else if (outcome instanceof StoreOutcome.Superseded superseded) {
            mine.refused.add(zone);
            mine.against(superseded.current());
            mine.superseded = true;
            if (mine.entry.version().isNewerThan(superseded.current())) {
                mine.behind.add(zone);
            }
        } else if (outcome instanceof StoreOutcome.Promised promised) {
            mine.refused.add(zone);
            mine.against(promised.promised());
        } else if (outcome instanceof StoreOutcome.Refused refused) {
            mine.refused.add(zone);
            mine.why = refused.reason();
        } else if (outcome instanceof StoreOutcome.Unavailable no) {
            mine.failed.add(zone);
            mine.why = no.cause() + " " + no.detail();
        }
    }

    /** The first round. */
    private void query() {
        context.meters().twoRounds.inc();
        int[] told = {0, 0};
        Version[] highest = {Version.ZERO};
        boolean[] gone = {false};
        for (int i = 0; i < zones.size(); i++) {
            ask(
                    i,
                    replica -> replica.query(key),
                    ballot -> {
                        if (gone[0] || isOver()) {
                            return;
                        }
                        if (ballot instanceof Ballot.Known known) {
                            told[0]++;
                            Version version = known.version();
                            if (version != null && version.isNewerThan(highest[0])) {
                                highest[0] = version;
                            }
                        } else {
                            told[1]++;
                        }
                        if (told[0] >= majority) {
                            gone[0] = true;
                            if (context.observe(highest[0])) {
                                store();
                            } else {
                                fail("the zones hold a version of " + highest[0].epochMillis()
                                        + " ms, further ahead of this node's clock than is allowed");
                            }
                        } else if (zones.size() - told[1] < majority) {
                            gone[0] = true;
                            fail("no majority of the zones answers: "
                                    + (ballot instanceof Ballot.Unknown no ? no.cause() + " " + no.detail() : ""));
                        }
                    },
                    failure -> new Ballot.Unknown(Unavailability.ERROR, String.valueOf(failure)));
        }
    }

    private void store() {
        store(new Attempt(make.apply(context.clock().next())));
    }

    private void store(Attempt mine) {
        attempt = mine;
        for (int i = 0; i < zones.size(); i++) {
            int zone = i;
            if (!mine.acked.contains(zone)) {
                ask(
                        zone,
                        replica -> replica.put(mine.entry, WriteCondition.IF_NEWER),
                        outcome -> stored(mine, zone, outcome),
                        QuorumWrite::bug);
            }
        }
    }

    private void stored(Attempt mine, int zone, StoreOutcome outcome) {
        if (!(outcome instanceof StoreOutcome.Applied) && acknowledges(context, outcome, mine.entry.version())) {
            mine.acked.add(zone);
            mine.superseded |= !mine.entry.version().equals(((StoreOutcome.Superseded) outcome).current());
        } else {
            note(mine, zone, outcome);
        }
        if (isOver()) {
            afterwards(mine, zone);
        } else if (mine.acked.size() >= required) {
            acknowledge(mine);
        } else if (mine.answered() == zones.size() || mine.acked.size() + open(mine) < required) {
            fallShort(mine);
        }
    }

    private int open(Attempt mine) {
        return zones.size() - mine.answered();
    }

    private void fallShort(Attempt mine) {
        context.lastWritten().overtaken(key);
        if (mine.acked.isEmpty() && mine.answered() < zones.size()) {
            return; // Whether it is safe to begin anew depends on those who have not answered.
        }
        if (!mine.isNowhere(zones.size())) {
            resolve(mine);
        } else if (mine.against.equals(Version.ZERO)) {
            fail(mine.why);
        } else if (isLate()) {
            fail("conditional writes of the same key stood in the way until the deadline");
        } else {
            context.observe(mine.against);
            pause(this::query);
        }
    }

    private void acknowledge(Attempt mine) {
        if (isLate() && !context.is(Mutation.LATE_ACKS_COUNT)) {
            context.meters().lateAcks.inc();
            unknown(mine, "acknowledged after the deadline");
            return;
        }
        if (mine.superseded) {
            context.lastWritten().overtaken(key);
        } else {
            context.lastWritten().wrote(key, mine.entry.version());
        }
        context.noteFormed();
        mine.failed.forEach(zone -> hint(mine, zone));
        mine.behind.forEach(zone -> catchUp(mine, zone));
        finish(receipt(mine, Replicated.Outcome.ACKNOWLEDGED, ""));
    }

    /** An answer that comes after the write was acknowledged. */
    private void afterwards(Attempt mine, int zone) {
        if (mine != attempt || mine.acked.size() < required) {
            return;
        }
        if (mine.failed.contains(zone)) {
            hint(mine, zone);
        } else if (mine.behind.contains(zone)) {
            catchUp(mine, zone);
        }
    }

    /** Has a zone that could not take the one round, because it had missed what that was conditional on, take the entry after all. */
    private void catchUp(Attempt mine, int zone) {
        context.meters().zone(zones.get(zone).zone()).repairs.inc();
        ask(
                zone,
                replica -> replica.put(mine.entry, WriteCondition.IF_NEWER),
                outcome -> {
                    if (outcome instanceof StoreOutcome.Unavailable) {
                        hint(mine, zone);
                    }
                },
                QuorumWrite::bug);
    }

    private void hint(Attempt mine, int zone) {
        context.meters().zone(zones.get(zone).zone()).acksMissed.inc();
        context.hints().add(zones.get(zone), mine.entry);
    }

    /** Some zones may have it and too few have said so: whoever reads now makes it whole, or shows that it is gone. */
    private void resolve(Attempt mine) {
        attempt = null;
        if (isLate() || required > majority) {
            unknown(mine, "too few zones acknowledged: " + mine.why);
            return;
        }
        later(() -> new QuorumRead(context, key, startedNanos)
                .start()
                .result()
                .thenAccept(found -> step(() -> {
                    if (found instanceof Lookup.Hit hit && hit.entry().version().equals(mine.entry.version())) {
                        attempt = mine;
                        acknowledge(mine);
                    } else {
                        unknown(mine, "too few zones acknowledged: " + mine.why);
                    }
                })));
    }

    private void unknown(Attempt mine, String why) {
        context.lastWritten().overtaken(key);
        context.meters().unknown.inc();
        finish(receipt(mine, Replicated.Outcome.UNKNOWN, why));
    }

    private void fail(String why) {
        context.meters().failed.inc();
        finish(new Replicated(Replicated.Outcome.FAILED, null, Set.of(), required, Set.of(), null, why));
    }

    private Replicated receipt(Attempt mine, Replicated.Outcome outcome, String detail) {
        return new Replicated(
                outcome, mine.entry.version(), names(mine.acked), required, names(mine.failed), null, detail);
    }

    private Set<String> names(Set<Integer> numbers) {
        Set<String> names = new LinkedHashSet<>();
        numbers.forEach(zone -> names.add(zones.get(zone).zone()));
        return names;
    }
}
