package dev.terrace.core.origin;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.JournalSettings;
import dev.terrace.config.WritePolicy;
import dev.terrace.core.origin.Departures.Flight;
import dev.terrace.replication.Timing;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal;
import dev.terrace.spi.WriteJournal.Bury;
import dev.terrace.spi.WriteJournal.Dead;
import dev.terrace.spi.WriteJournal.Done;
import dev.terrace.spi.WriteJournal.Forget;
import dev.terrace.spi.WriteJournal.Outcome;
import dev.terrace.spi.WriteJournal.Step;
import dev.terrace.spi.WriteJournal.Wait;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings writes to the origin after their callers have gone on. Thread-safe; nothing here blocks.
 *
 * <pre>
 *   accept --> journal --> waiting ----> busy: writer ----> aftermath --> gone
 *                 |          ^  |                |
 *              refused       |  +- replaced      +-- failed --> waiting, later
 *                            |     by a newer    |
 *                          retry                 +-- rejected, or failed too often --> dead letter
 * </pre>
 *
 * <p>What waits is in the journal and in memory, the newest write of each key. A key is in at most one call, and not called again
 * before that call has ended, so its writes reach the origin in their order; one that arrives meanwhile replaces what waits, never
 * what is under way. A write is forgotten by the journal after the origin took it and the caches were told: a process that dies in
 * between writes it again. Calls that concern one key ({@link #accept}, {@link #retry}) must follow one another.
 */
public final class WriteBehind implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(WriteBehind.class);

    private final WriteJournal journal;
    private final Origin origin;
    private final Timing timing;
    private final InstantSource clock;
    private final Mistake mistake;
    private final Admission admission;
    private final JournalMeters meters;
    private final ConcurrentHashMap<CacheKey, Waiting> waiting = new ConcurrentHashMap<>();
    private final Departures departures;
    private final Graveyard graveyard;
    private final AtomicInteger dispatches = new AtomicInteger();
    private long sequences;
    private long wakeMillis = Long.MAX_VALUE;
    private boolean draining;
    private boolean stopped;

    /** Where writes go, and who must know when one has arrived. */
    public interface Origin {
        /** Whether somebody has said how this cache is written. */
        boolean hasWriter(String cache);

        /** Whether one call may carry several writes. */
        boolean takesMany(String cache);

        /** How this key is written. */
        WritePolicy policy(CacheKey key);

        /** Calls the writer; completes normally, when it has ended, with an answer for each of {@code calls}. */
        CompletionStage<List<WriteAnswer>> write(String cache, List<OriginCall> calls);

        /** The origin has {@code entry}, which other nodes' caches may contradict. The write is seen as waiting until this completes. */
        CompletionStage<?> taken(Entry entry);

        /** The origin will not get {@code entry}, which caches may still hold. */
        CompletionStage<?> givenUp(Entry entry);
    }

    /** A write that was accepted, or why not. */
    public enum Acceptance {
        /** It is in the journal. */
        ACCEPTED,
        /** The journal has no room. */
        FULL,
        /** The journal cannot be written. */
        FAILED,
        /** The journal is closed. */
        CLOSED
    }

    /**
     * Takes over what the journal kept.
     *
     * @param journal stays the caller's to close, after this
     * @param timing runs what happens later; its tasks must not run within its {@code after}
     * @param random spreads retries
     */
    public WriteBehind(
            WriteJournal journal,
            JournalSettings settings,
            Origin origin,
            Timing timing,
            InstantSource clock,
            SplittableRandom random,
            MetricRegistry metrics) {
        this(journal, settings, origin, timing, clock, random, metrics, Mistake.NONE);
    }

    WriteBehind(
            WriteJournal journal,
            JournalSettings settings,
            Origin origin,
            Timing timing,
            InstantSource clock,
            SplittableRandom random,
            MetricRegistry metrics,
            Mistake mistake) {
        this.mistake = mistake;
        this.journal = journal;
        this.origin = origin;
        this.timing = timing;
        this.clock = clock;
        this.departures = new Departures(origin, clock, random, settings.threads());
        long bytes = (long) settings.maxMib() << 20;
        this.admission = new Admission(
                settings.maxEntries(), bytes, settings.fullTimeout().toMillis(), timing);
        this.graveyard = new Graveyard(settings.maxDead(), bytes);
        this.meters = new JournalMeters(metrics, this);
        WriteJournal.Contents contents = journal.load();
        synchronized (this) {
            contents.dead().forEach(graveyard::add);
            contents.waiting().forEach(this::restore);
        }
        meters.restored(contents);
    }

    private void restore(Wait kept) {
        admission.force(1, Waiting.bytes(kept.entry()));
        Waiting one = new Waiting(kept.entry(), sequences++, kept.sinceMillis(), clock.millis());
        waiting.put(one.key, one);
        departures.add(one);
    }

    /** What has been accepted of {@code key} and is not known to be at the origin; null when there is nothing. */
    public @Nullable Entry pending(CacheKey key) {
        Waiting known = waiting.get(key);
        return known == null ? null : known.entry;
    }

    /** True when nothing waits. */
    public boolean isEmpty() {
        return waiting.isEmpty();
    }

    /** Everything that waits. */
    public List<Entry> pending() {
        return waiting.values().stream().map(one -> one.entry).toList();
    }

    /** Takes a write: completes when the journal has it, or will not have it. It replaces an earlier one that waits for its key. */
    public CompletionStage<Acceptance> accept(Entry entry) {
        if (isStopped()) {
            return CompletableFuture.completedStage(Acceptance.CLOSED);
        }
        int entries = waiting.containsKey(entry.key()) ? 0 : 1;
        long bytes = Waiting.bytes(entry);
        return admission.take(entries, bytes).thenCompose(room -> {
            if (!room) {
                meters.refused.inc();
                return CompletableFuture.completedStage(isStopped() ? Acceptance.CLOSED : Acceptance.FULL);
            }
            long since = since(entry.key());
            if (mistake == Mistake.ACKNOWLEDGED_BEFORE_KEPT) {
                journal.take(List.of(new Wait(entry, since)));
                index(entry, since, entries);
                return CompletableFuture.completedStage(Acceptance.ACCEPTED);
            }
            return keep(entry, since).thenApply(outcome -> {
                if (outcome != Outcome.KEPT) {
                    admission.give(entries, bytes);
                    meters.refused.inc();
                    return outcome == Outcome.CLOSED ? Acceptance.CLOSED : Acceptance.FAILED;
                }
                index(entry, since, entries);
                return Acceptance.ACCEPTED;
            });
        });
    }

    /**
     * Journals that {@code entry} waits. Older dead letters of its key are forgotten in the same step, as if they had still waited and
     * were replaced: replayed later, they might go over what took their place.
     */
    private CompletionStage<Outcome> keep(Entry entry, long since) {
        List<Dead> replaced;
        synchronized (this) {
            replaced = mistake == Mistake.OVERTAKEN_DEAD_KEPT ? List.of() : graveyard.of(entry.key());
        }
        return take(new Wait(entry, since), replaced);
    }

    /** Journals a step, and forgets these dead letters with it. */
    private CompletionStage<Outcome> take(Step step, List<Dead> forgotten) {
        List<Step> steps = new ArrayList<>();
        forgotten.forEach(
                letter -> steps.add(new Forget(letter.key(), letter.entry().version())));
        steps.add(step);
        return journal.take(steps).thenApply(outcome -> {
            if (outcome == Outcome.KEPT) {
                forgotten.forEach(this::remove);
                meters.overtaken.inc(
                        forgotten.stream().filter(letter -> !isOf(step, letter)).count());
            }
            return outcome;
        });
    }

    /** True when a dead letter is forgotten because it waits again. */
    private static boolean isOf(Step step, Dead letter) {
        return step instanceof Wait wait
                && wait.entry().version().equals(letter.entry().version());
    }

    /** Dead letters that must not outlive what is known of {@code version}; from now on nobody can replay them. */
    private synchronized List<Dead> overtaken(CacheKey key, Version version) {
        return mistake == Mistake.OVERTAKEN_DEAD_KEPT ? List.of() : graveyard.overtake(key, version);
    }

    private synchronized boolean isStopped() {
        return stopped;
    }

    private synchronized long since(CacheKey key) {
        Waiting known = waiting.get(key);
        return known == null || known.busy ? clock.millis() : known.sinceMillis;
    }

    /** Shows an accepted write, and lets it out. */
    private void index(Entry entry, long sinceMillis, int entriesTaken) {
        meters.accepted.inc();
        Entry replaced = replace(entry, sinceMillis);
        // Outside the lock, here and below: whoever waits for room goes on at once.
        if (replaced != null) {
            meters.coalesced.inc();
            admission.give(entriesTaken, mistake == Mistake.ROOM_LEAKED ? 0 : Waiting.bytes(replaced));
        } else if (entriesTaken == 0) {
            admission.force(1, 0);
        }
        dispatch();
    }

    /** What {@code entry} took the place of; null when it is the only one of its key. */
    private synchronized @Nullable Entry replace(Entry entry, long sinceMillis) {
        Waiting known = waiting.get(entry.key());
        if (known != null && !(known.busy && mistake == Mistake.TWO_CALLS_FOR_A_KEY)) {
            Entry replaced = known.entry;
            known.entry = mistake == Mistake.OLDER_KEPT ? replaced : entry;
            known.attempts = 0;
            known.sinceMillis = sinceMillis;
            return replaced;
        }
        long delay = draining ? 0 : origin.policy(entry.key()).delay().toMillis();
        Waiting fresh = new Waiting(entry, sequences++, sinceMillis, clock.millis() + delay);
        waiting.put(fresh.key, fresh);
        departures.add(fresh);
        return null;
    }

    /** Somebody has said how a cache is written, or time has passed: lets out what may go. */
    public void dispatch() {
        // A loop: a writer that answers at once ends its call within this one, and the next one within that, as many as
        // wait.
        if (dispatches.getAndIncrement() > 0) {
            return;
        }
        int seen = 1;
        while (seen > 0) {
            try {
                letOut();
            } catch (RuntimeException | Error e) {
                // A bug must not keep everything in for ever.
                dispatches.set(0);
                throw e;
            }
            seen = dispatches.addAndGet(-seen);
        }
    }

    private void letOut() {
        List<Flight> flights;
        synchronized (this) {
            if (stopped) {
                return;
            }
            flights = departures.leave();
            scheduleWake();
        }
        flights.forEach(this::fly);
    }

    private void scheduleWake() {
        long next = departures.nextMillis();
        if (next < wakeMillis) {
            wakeMillis = next;
            timing.after(Math.max(1, next - clock.millis()), () -> wake(next));
        }
    }

    private void wake(long dueMillis) {
        synchronized (this) {
            if (wakeMillis == dueMillis) {
                wakeMillis = Long.MAX_VALUE;
            }
        }
        dispatch();
    }

    private void fly(Flight flight) {
        if (mistake == Mistake.FORGOTTEN_BEFORE_WRITTEN) {
            flight.calls()
                    .forEach(call -> journal.take(
                            List.of(new Done(call.entry().key(), call.entry().version()))));
        }
        CompletionStage<List<WriteAnswer>> answered;
        try {
            answered = origin.write(flight.lane().cache, flight.calls());
        } catch (RuntimeException e) {
            answered = CompletableFuture.failedStage(e);
        }
        answered.whenComplete((answers, bug) -> landed(flight, answers, bug));
    }

    private void landed(Flight flight, @Nullable List<WriteAnswer> answers, @Nullable Throwable bug) {
        List<WriteAnswer> each = new ArrayList<>();
        for (int i = 0; i < flight.calls().size(); i++) {
            each.add(
                    answers != null
                            ? answers.get(i)
                            : WriteAnswer.of(bug == null ? new IllegalStateException("no answer") : bug));
        }
        synchronized (this) {
            departures.landed(flight, each);
        }
        for (int i = 0; i < each.size(); i++) {
            conclude(flight.carried().get(i), flight.calls().get(i).entry(), each.get(i));
        }
        dispatch();
    }

    private void conclude(Waiting one, Entry written, WriteAnswer answer) {
        switch (answer.kind()) {
            case TAKEN -> {
                meters.written.inc();
                quietly(() -> origin.taken(written)).whenComplete((done, ignored) -> {
                    forget(one, written);
                    dispatch();
                });
            }
            case REJECTED -> bury(one, written, answer);
            case FAILED, UNKNOWN -> {
                boolean givenUp;
                synchronized (this) {
                    meters.failures.inc();
                    boolean same = one.entry.version().equals(written.version());
                    if (same) {
                        one.attempts++;
                        one.lastFailure = answer.reason();
                    }
                    givenUp = same && one.attempts >= origin.policy(one.key).maxAttempts();
                    if (!givenUp) {
                        again(one);
                    }
                }
                if (givenUp) {
                    bury(one, written, answer);
                }
            }
        }
    }

    private static CompletionStage<?> quietly(Supplier<CompletionStage<?>> step) {
        try {
            return step.get();
        } catch (RuntimeException e) {
            return CompletableFuture.failedStage(e);
        }
    }

    /** It waits again, for its next attempt or because something newer came. */
    private synchronized void again(Waiting one) {
        departures.again(one);
    }

    /** What was concluded about {@code written} is told to the journal; something newer goes on waiting. */
    private void forget(Waiting one, Entry written) {
        boolean gone;
        synchronized (this) {
            gone = one.entry.version().equals(written.version()) || mistake == Mistake.NEWER_FORGOTTEN;
            if (gone) {
                waiting.remove(one.key);
            } else {
                again(one);
            }
        }
        // The journal first: what is admitted now of this key is a step that comes later.
        CompletionStage<Outcome> told =
                take(new Done(one.key, written.version()), overtaken(one.key, written.version()));
        if (gone) {
            admission.give(1, Waiting.bytes(written));
        }
        told.thenAccept(outcome -> {
            if (outcome == Outcome.FAILED) {
                // It stays in the journal, and is written once more after a restart, unless a newer one takes its
                // place.
                meters.unforgotten.inc();
            }
        });
    }

    private synchronized void remove(Dead letter) {
        graveyard.remove(letter);
    }

    private void bury(Waiting one, Entry written, WriteAnswer answer) {
        Dead letter;
        synchronized (this) {
            if (!one.entry.version().equals(written.version())) {
                // Something newer waits: the dead one has been replaced.
                again(one);
                return;
            }
            letter = new Dead(
                    written,
                    one.sinceMillis,
                    clock.millis(),
                    one.attempts + (isFinal(answer) ? 1 : 0),
                    answer.reason());
            if (!graveyard.hasRoomFor(letter)) {
                meters.graveyardFull.inc();
                one.attempts = Math.max(1, one.attempts);
                one.lastFailure = answer.reason();
                again(one);
                return;
            }
        }
        Step step = mistake == Mistake.DEAD_UNRECORDED ? new Done(one.key, written.version()) : new Bury(letter);
        take(step, overtaken(one.key, written.version())).thenAccept(outcome -> {
            if (outcome != Outcome.KEPT) {
                synchronized (this) {
                    again(one);
                }
                dispatch();
                return;
            }
            LOG.error(
                    "write was given up, it is a dead letter now cache={} version={} attempts={} reason={}",
                    one.key.cache(),
                    written.version(),
                    letter.attempts(),
                    letter.reason());
            synchronized (this) {
                graveyard.add(letter);
            }
            quietly(() -> origin.givenUp(written)).whenComplete((done, ignored) -> {
                forget(one, written);
                dispatch();
            });
        });
    }

    private static boolean isFinal(WriteAnswer answer) {
        return answer.kind() == WriteAnswer.Kind.REJECTED;
    }

    /**
     * A dead letter waits again, with its old version. Completes with null, or with why it stays what it is, for people. Must not run
     * beside an {@link #accept} of the same key.
     */
    public CompletionStage<@Nullable String> retry(Version version) {
        Dead letter;
        synchronized (this) {
            letter = graveyard.find(version);
            if (letter == null) {
                return CompletableFuture.completedStage("there is no dead letter " + version);
            }
            if (waiting.containsKey(letter.key())) {
                return CompletableFuture.completedStage("a newer write of its key waits already");
            }
        }
        Dead found = letter;
        Entry entry = found.entry();
        return admission
                .take(1, Waiting.bytes(entry))
                .thenCompose(room -> room
                        ? keep(entry, clock.millis()).thenApply(outcome -> revived(found, outcome))
                        : CompletableFuture.completedStage("the journal has no room"));
    }

    private @Nullable String revived(Dead letter, Outcome outcome) {
        if (outcome != Outcome.KEPT) {
            admission.give(1, Waiting.bytes(letter.entry()));
            return "the journal cannot be written: " + journal.trouble();
        }
        index(letter.entry(), clock.millis(), 1);
        return null;
    }

    /** Forgets a dead letter, or a write that waits and is not under way. Completes with null, or with why not, for people. */
    public CompletionStage<@Nullable String> drop(Version version) {
        Dead letter;
        Waiting one;
        synchronized (this) {
            letter = graveyard.find(version);
            one = letter != null ? null : find(version);
            if (one != null && one.busy) {
                return CompletableFuture.completedStage("it is being written now");
            }
            if (one != null) {
                departures.remove(one);
                one.busy = true;
            }
        }
        if (letter != null) {
            Dead dead = letter;
            return journal.take(List.of(new Forget(dead.key(), version))).thenApply(outcome -> {
                if (outcome == Outcome.KEPT) {
                    remove(dead);
                }
                return dropped(outcome);
            });
        }
        if (one == null) {
            return CompletableFuture.completedStage("nothing waits and nothing is dead under " + version);
        }
        Waiting waits = one;
        Entry unwanted = waits.entry;
        return take(new Done(waits.key, version), overtaken(waits.key, version)).thenApply(outcome -> {
            boolean gone;
            synchronized (this) {
                gone = outcome == Outcome.KEPT && waits.entry.version().equals(version);
                if (gone) {
                    waiting.remove(waits.key);
                } else {
                    again(waits);
                }
            }
            if (gone) {
                admission.give(1, Waiting.bytes(unwanted));
            }
            dispatch();
            return dropped(outcome);
        });
    }

    private @Nullable String dropped(Outcome outcome) {
        if (outcome == Outcome.KEPT) {
            meters.dropped.inc();
            return null;
        }
        return "the journal cannot be written: " + journal.trouble();
    }

    private @Nullable Waiting find(Version version) {
        return waiting.values().stream()
                .filter(one -> one.entry.version().equals(version))
                .findFirst()
                .orElse(null);
    }

    /** Where a write stands that waits. */
    public record Standing(
            Entry entry, long sinceMillis, int attempts, String lastFailure, boolean busy, boolean hasWriter) {}

    /** What waits, oldest first. */
    public synchronized List<Standing> standings() {
        return waiting.values().stream()
                .map(one -> new Standing(
                        one.entry,
                        one.sinceMillis,
                        one.attempts,
                        one.lastFailure,
                        one.busy,
                        origin.hasWriter(one.key.cache())))
                .sorted(Comparator.comparingLong(Standing::sinceMillis))
                .toList();
    }

    /** The dead letters, oldest first. */
    public synchronized List<Dead> dead() {
        return graveyard.all();
    }

    synchronized int deadCount() {
        return graveyard.size();
    }

    synchronized long oldestMillis() {
        long now = clock.millis();
        return waiting.values().stream()
                .mapToLong(one -> now - one.sinceMillis)
                .max()
                .orElse(0);
    }

    /** Writes that wait. */
    public int size() {
        return waiting.size();
    }

    /** Bytes of what waits, and of what is on its way into the journal. */
    public long bytes() {
        return admission.bytes();
    }

    /** Why nothing can be journaled; null when it can. */
    public @Nullable String trouble() {
        return journal.trouble();
    }

    /** From now on nothing waits for company; what failed still waits for its next attempt. */
    public void drain() {
        synchronized (this) {
            draining = true;
            departures.hurry();
        }
        dispatch();
    }

    /** True when nothing is under way and nothing can go out without waiting for an origin to recover. */
    public synchronized boolean isDrained() {
        return waiting.values().stream().noneMatch(one -> one.busy) && departures.areHeldUp();
    }

    /** Starts no more calls and takes no more writes. What waits stays in the journal. */
    @Override
    public void close() {
        synchronized (this) {
            stopped = true;
        }
        admission.close();
    }
}
