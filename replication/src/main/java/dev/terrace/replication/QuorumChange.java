package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica.Promise;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore.Change;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A conditional write: one round of Paxos with the new version as ballot. See the ADR. */
final class QuorumChange extends Operation<Replicated> {
    private final Change change;
    private final Duration keep;
    private @Nullable Ballot ballot;

    /** One version tried. */
    private static final class Ballot {
        final Version version;
        final Set<Integer> given = new LinkedHashSet<>();
        final Set<Integer> acked = new LinkedHashSet<>();
        final Set<Integer> refused = new LinkedHashSet<>();
        final Set<Integer> failed = new LinkedHashSet<>();
        int denied;
        int silent;
        int holders;

        @Nullable
        Entry newest;

        /** Set when what is accepted is not the caller's but what refused it. */
        @Nullable
        Entry refusedBy;

        /** Have not promised, or could not say. */
        final Set<Integer> absent = new LinkedHashSet<>();

        /** What the zones are asked to accept, once that is decided. */
        @Nullable
        Entry accepting;

        Version highest = Version.ZERO;
        boolean decided;

        /** Nobody may be asked to accept any more: it is taken to be nowhere, or found out about. */
        boolean givenUp;

        boolean acknowledged;
        String why = "";

        Ballot(Version version) {
            this.version = version;
        }
    }

    QuorumChange(Context context, CacheKey key, Change change) {
        this(context, key, change, context.timing().nanos());
    }

    /**
     * @param startedNanos when the operation of which this is a part began
     */
    QuorumChange(Context context, CacheKey key, Change change, long startedNanos) {
        super(context, key, startedNanos);
        this.change = change;
        this.keep = Duration.ofMillis(context.keepMillis());
    }

    private QuorumChange(Context context, CacheKey key, Change change, Placement.Holders holders) {
        super(context, key, context.timing().nanos(), holders);
        this.change = change;
        this.keep = Duration.ofMillis(context.keepMillis());
    }

    /**
     * Writes what the key holds once more, as it is, above everything that was promised: so nothing that was promised before can be
     * accepted by a majority any more. Refused, with nothing held, when there is nothing to write.
     */
    static CompletionStage<Replicated> affirm(Context context, CacheKey key) {
        return affirm(context, key, context.placement().holders(key), entry -> {});
    }

    /**
     * As the other, among fewer zones than a majority.
     *
     * @param holders whom to ask, and how many must agree
     * @param wrote told what was written
     */
    static CompletionStage<Replicated> affirm(
            Context context, CacheKey key, Placement.Holders holders, Consumer<Entry> wrote) {
        Change same = (held, version) -> {
            if (held == null) {
                return null;
            }
            Entry again = Context.withVersion(held, version);
            wrote.accept(again);
            return again;
        };
        return new QuorumChange(context, key, same, holders).start().result();
    }

    QuorumChange start() {
        step(this::begin);
        return this;
    }

    private void begin() {
        Ballot mine = new Ballot(context.clock().nextConditional());
        ballot = mine;
        for (int i = 0; i < zones.size(); i++) {
            int zone = i;
            ask(
                    zone,
                    replica -> replica.promise(key, mine.version, keep),
                    promise -> promised(mine, zone, promise),
                    failure -> new Promise.Unknown(Unavailability.ERROR, String.valueOf(failure)));
        }
    }

    private void promised(Ballot mine, int zone, Promise promise) {
        if (!(promise instanceof Promise.Given)) {
            mine.absent.add(zone);
        }
        Entry accepting = mine.accepting;
        if (accepting != null && (mine.acknowledged || mine == ballot && !isOver() && !mine.givenUp)) {
            promisedLate(mine, accepting, zone, promise);
            return;
        }
        if (mine != ballot || isOver() || mine.decided) {
            return;
        }
        if (promise instanceof Promise.Given given) {
            mine.given.add(zone);
            Entry held = given.held();
            Version known = mine.newest == null ? null : mine.newest.version();
            if (held != null && held.version().isNewerThan(known)) {
                mine.newest = held;
                mine.holders = 1;
            } else if (held == null ? mine.newest == null : held.version().equals(known)) {
                mine.holders++;
            }
        } else if (promise instanceof Promise.Denied denied) {
            mine.denied++;
            mine.highest = denied.higher().isNewerThan(mine.highest) ? denied.higher() : mine.highest;
        } else if (promise instanceof Promise.Unknown no) {
            mine.silent++;
            mine.why = no.cause() + " " + no.detail();
        }
        if (mine.given.size() >= majority) {
            mine.decided = true;
            decide(mine);
        } else if (zones.size() - mine.denied - mine.silent < majority) {
            mine.decided = true;
            if (zones.size() - mine.silent < majority) {
                fail("no majority of the zones answers: " + mine.why);
            } else if (!context.observe(mine.highest)) {
                fail("the zones know a version of " + mine.highest.epochMillis()
                        + " ms, further ahead of this node's clock than is allowed");
            } else {
                again("other writes of the same key stood in the way until the deadline");
            }
        }
    }

    /** After a majority has decided: the others get what it decided at once, not as something they have missed. */
    private void promisedLate(Ballot mine, Entry accepting, int zone, Promise promise) {
        if (promise instanceof Promise.Given) {
            mine.given.add(zone);
            accept(mine, accepting, zone);
        } else if (mine.acknowledged) {
            hint(accepting, zone);
        }
    }

    private void decide(Ballot mine) {
        if (isLate() && !context.is(Mutation.LATE_ACKS_COUNT)) {
            // Zones may have forgotten since what they promised, and been filled before the last of them promised.
            context.meters().lateAcks.inc();
            fail("promised after the deadline");
            return;
        }
        context.noteFormed();
        Entry held = mine.newest;
        if (held != null && !context.observe(held.version())) {
            fail("the zones hold a version further ahead of this node's clock than is allowed");
            return;
        }
        Entry wanted = change.decide(held, mine.version);
        if (wanted != null) {
            accept(mine, wanted);
        } else if (held == null || mine.holders >= majority) {
            finish(new Replicated(Replicated.Outcome.REFUSED, mine.version, Set.of(), majority, Set.of(), held, ""));
        } else {
            // What refused it may be on a minority only, and nobody may read something older after this answer. So it
            // is
            // written once more, under the version that has been promised.
            Entry same = Context.withVersion(held, mine.version);
            mine.refusedBy = same;
            accept(mine, same);
        }
    }

    private void refuse(Ballot mine, @Nullable Entry held) {
        finish(new Replicated(Replicated.Outcome.REFUSED, mine.version, Set.of(), majority, Set.of(), held, ""));
    }

    private void accept(Ballot mine, Entry entry) {
        mine.accepting = entry;
        for (int zone : mine.given) {
            accept(mine, entry, zone);
        }
    }

    private void accept(Ballot mine, Entry entry, int zone) {
        ask(zone, replica -> replica.accept(entry), outcome -> accepted(mine, entry, zone, outcome), QuorumWrite::bug);
    }

    private void accepted(Ballot mine, Entry entry, int zone, StoreOutcome outcome) {
        if (outcome instanceof StoreOutcome.Applied) {
            mine.acked.add(zone);
        } else if (outcome instanceof StoreOutcome.Unavailable no) {
            mine.failed.add(zone);
            mine.why = no.cause() + " " + no.detail();
        } else {
            mine.refused.add(zone);
        }
        if (mine.acknowledged && !mine.acked.contains(zone)) {
            hint(entry, zone);
        }
        if (mine != ballot || isOver()) {
            return;
        }
        if (mine.acked.size() >= majority) {
            acknowledge(mine, entry);
        } else if (mine.acked.size() + mine.failed.size() + mine.refused.size() == mine.given.size()) {
            mine.givenUp = true;
            if (mine.acked.isEmpty() && mine.failed.isEmpty()) {
                again("other writes of the same key stood in the way until the deadline");
            } else {
                resolve(mine, entry);
            }
        }
    }

    private void acknowledge(Ballot mine, Entry entry) {
        if (isLate() && !context.is(Mutation.LATE_ACKS_COUNT)) {
            context.meters().lateAcks.inc();
            unknown(mine, "acknowledged after the deadline");
            return;
        }
        if (mine.refusedBy != null) {
            refuse(mine, mine.refusedBy);
            return;
        }
        context.lastWritten().wrote(key, mine.version);
        mine.acknowledged = true;
        // Those that have not answered are hinted when they do not.
        Set<Integer> hinted = new LinkedHashSet<>(mine.absent);
        hinted.addAll(mine.failed);
        hinted.addAll(mine.refused);
        hinted.forEach(zone -> hint(entry, zone));
        finish(new Replicated(
                Replicated.Outcome.ACKNOWLEDGED, mine.version, names(mine.acked), majority, names(hinted), null, ""));
    }

    private void hint(Entry entry, int zone) {
        context.hints().add(zones.get(zone), entry);
    }

    private void resolve(Ballot mine, Entry entry) {
        ballot = null;
        later(() -> new QuorumRead(context, key, startedNanos)
                .start()
                .result()
                .thenAccept(found -> step(() -> {
                    if (found instanceof Lookup.Hit hit && hit.entry().version().equals(mine.version)) {
                        acknowledge(mine, entry);
                    } else {
                        unknown(mine, "too few zones accepted: " + mine.why);
                    }
                })));
    }

    private void again(String why) {
        if (isLate()) {
            fail(why);
        } else {
            pause(this::begin);
        }
    }

    private void unknown(Ballot mine, String why) {
        context.meters().unknown.inc();
        finish(new Replicated(
                Replicated.Outcome.UNKNOWN, mine.version, names(mine.acked), majority, Set.of(), null, why));
    }

    private void fail(String why) {
        context.meters().failed.inc();
        finish(new Replicated(Replicated.Outcome.FAILED, null, Set.of(), majority, Set.of(), null, why));
    }

    private Set<String> names(Set<Integer> numbers) {
        Set<String> names = new LinkedHashSet<>();
        numbers.forEach(zone -> names.add(zones.get(zone).zone()));
        return names;
    }
}
