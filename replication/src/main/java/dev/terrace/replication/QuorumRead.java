package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import org.jspecify.annotations.Nullable;

/**
 * Reads the newest of a majority, and makes sure that a majority has it before it answers: otherwise a later read could
 * find something older again.
 */
final class QuorumRead extends Operation<Lookup> {
    /** So often a read that is overtaken by writes begins anew without a pause. */
    private static final int AT_ONCE = 4;

    private @Nullable Entry newest;
    private Version @Nullable [] votes;
    private boolean[] has = new boolean[0];
    private boolean[] asked = new boolean[0];
    private int voted;
    private int failed;
    private int writing;
    private int rounds;
    private int overtakings;
    private boolean decided;

    /** Something newer has come since the votes of this round. */
    private boolean overtaken;

    private Lookup.Unavailable trouble =
            new Lookup.Unavailable(TierLevel.L2, Unavailability.ERROR, "no majority of the zones answers");

    QuorumRead(Context context, CacheKey key) {
        super(context, key);
    }

    /**
     * @param startedNanos when the operation of which this is a part began
     */
    QuorumRead(Context context, CacheKey key, long startedNanos) {
        super(context, key, startedNanos);
    }

    QuorumRead start() {
        step(this::round);
        return this;
    }

    private void round() {
        newest = null;
        has = new boolean[zones.size()];
        asked = new boolean[zones.size()];
        Version[] round = new Version[zones.size()];
        votes = round;
        voted = 0;
        failed = 0;
        writing = 0;
        decided = false;
        overtaken = false;
        for (int i = 0; i < zones.size(); i++) {
            int zone = i;
            ask(zone, replica -> replica.vote(key), lookup -> vote(round, zone, lookup), QuorumRead::bug);
        }
    }

    static Lookup bug(Throwable failure) {
        return new Lookup.Unavailable(TierLevel.L2, Unavailability.ERROR, String.valueOf(failure));
    }

    private void vote(Version[] round, int zone, Lookup lookup) {
        if (round != votes) {
            return;
        }
        if (lookup instanceof Lookup.Unavailable no) {
            failed++;
            trouble = no;
        } else {
            Entry entry = lookup instanceof Lookup.Hit hit ? hit.entry() : null;
            round[zone] = entry == null ? Version.ZERO : entry.version();
            voted++;
            if (!decided && entry != null && entry.version().isNewerThan(newest == null ? null : newest.version())) {
                newest = entry;
            }
        }
        if (isOver()) {
            repair(zone, round[zone]);
        } else if (decided) {
            confirm(zone, round[zone]);
        } else if (voted >= majority) {
            decide(round);
        } else if (zones.size() - failed < majority) {
            finish(new Lookup.Unavailable(TierLevel.L2, trouble.cause(), "no majority: " + trouble.detail()));
        }
    }

    private void decide(Version[] round) {
        decided = true;
        context.noteFormed();
        Entry best = newest;
        if (best == null) {
            finish(Lookup.MISS);
            return;
        }
        for (int i = 0; i < round.length; i++) {
            has[i] = best.version().equals(round[i]);
        }
        if (context.is(Mutation.NO_WRITE_BACK)) {
            finish(new Lookup.Hit(best));
            return;
        }
        answerIfSafe(best);
        if (!isOver()) {
            context.meters().writeBacks.inc();
            for (int i = 0; i < zones.size(); i++) {
                if (!has[i]) {
                    writeBack(i, best);
                }
            }
        } else {
            for (int i = 0; i < round.length; i++) {
                repair(i, round[i]);
            }
        }
    }

    private void writeBack(int zone, Entry best) {
        if (asked[zone]) {
            return;
        }
        asked[zone] = true;
        writing++;
        Version[] round = votes;
        ask(
                zone,
                replica -> replica.put(best, WriteCondition.IF_NEWER),
                outcome -> written(round, zone, best, outcome),
                QuorumWrite::bug);
    }

    /**
     * Only zones that hold what was found count. One that holds something newer does not, as it does for a write: what was found may
     * be of a write in one round whose version is below that of one acknowledged before it began. It must never be read.
     */
    private void written(Version @Nullable [] round, int zone, Entry best, StoreOutcome outcome) {
        if (round != votes) {
            return;
        }
        writing--;
        Version current = outcome instanceof StoreOutcome.Superseded superseded ? superseded.current() : null;
        overtaken |= current != null && current.isNewerThan(best.version());
        boolean counts = context.is(Mutation.SUPERSEDED_READS_COUNT)
                && QuorumWrite.acknowledges(context, outcome, best.version());
        has[zone] |= outcome instanceof StoreOutcome.Applied || best.version().equals(current) || counts;
        answerIfSafe(best);
        if (!isOver() && writing == 0) {
            // Zones do not answer, hold something newer by now, or have promised to take only something newer.
            if (isLate()) {
                finish(new Lookup.Unavailable(
                        TierLevel.L2, Unavailability.TIMEOUT, "no majority agreed within the deadline"));
            } else if (overtaken) {
                // A majority may hold that.
                again();
            } else if (rounds++ == 0) {
                // A conditional write may be about to end.
                pause(this::round);
            } else {
                affirm();
            }
        }
    }

    /** At once, a few times; then writers must not keep it going round. */
    private void again() {
        if (++overtakings <= AT_ONCE) {
            round();
        } else {
            pause(this::round);
        }
    }

    /**
     * Promises of a conditional write that came to nothing keep zones from taking what was found. So it is written once more, as it
     * is, by a conditional write of its own.
     */
    private void affirm() {
        Entry[] affirmed = new Entry[1];
        votes = null;
        ReplicatedStore.Change same = (held, version) -> {
            affirmed[0] = held == null ? null : Context.withVersion(held, version);
            return affirmed[0];
        };
        later(() -> new QuorumChange(context, key, same, startedNanos)
                .start()
                .result()
                .thenAccept(receipt -> step(() -> finish(
                        switch (receipt.outcome()) {
                            case ACKNOWLEDGED -> new Lookup.Hit(affirmed[0]);
                            case REFUSED -> Lookup.MISS;
                            case FAILED, UNKNOWN ->
                                new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, receipt.detail());
                        }))));
    }

    /** A vote that came after the majority. */
    private void confirm(int zone, @Nullable Version version) {
        Entry best = newest;
        if (best != null && best.version().equals(version)) {
            has[zone] = true;
            answerIfSafe(best);
        }
    }

    private void answerIfSafe(Entry best) {
        int holders = 0;
        for (boolean one : has) {
            holders += one ? 1 : 0;
        }
        if (holders >= majority && !isOver()) {
            if (isLate() && !context.is(Mutation.LATE_ACKS_COUNT)) {
                context.meters().lateAcks.inc();
                finish(new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "answered after the deadline"));
            } else {
                finish(new Lookup.Hit(best));
            }
        }
    }

    /** Tells a zone that voted something older what the answer was; nobody waits for that. */
    private void repair(int zone, @Nullable Version voted) {
        Entry best = newest;
        if (best == null || voted == null || asked[zone] || !best.version().isNewerThan(voted)) {
            return;
        }
        asked[zone] = true;
        context.meters().zone(zones.get(zone).zone()).repairs.inc();
        ask(zone, replica -> replica.put(best, WriteCondition.IF_NEWER), outcome -> {}, QuorumWrite::bug);
    }
}
