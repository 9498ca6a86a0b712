package dev.terrace.core.origin;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.JournalSettings;
import dev.terrace.config.WritePolicy;
import dev.terrace.replication.Timing;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal.Dead;
import dev.terrace.testkit.Entries;
import dev.terrace.testkit.HeapJournal;
import dev.terrace.testkit.ManualClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A node that writes behind, its users, its journal's disk and its origin on virtual time, from one seed: the disk takes its time and
 * fails for a while, the origin is slow, fails, rejects, loses answers, and the process dies between any two steps of the disk. What is
 * under way when it dies arrives at once or never.
 */
final class SimulatedOrigin {
    private static final int KEYS = 4;
    private static final long TROUBLED_MILLIS = 4_000;
    private static final long MOST_EVENTS = 200_000;
    private static final WritePolicy POLICY = WritePolicy.defaults()
            .withPolicy(WritePolicy.Kind.BEHIND)
            .withRetries(4, Duration.ofMillis(10), Duration.ofMillis(100));

    /** Something that must not be. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String what) {
            super(what);
        }
    }

    private record Event(long millis, long order, int life, Runnable task) {}

    /** What the users know of one key. */
    private static final class Known {
        boolean asking;
        long acknowledged;
        final Set<Long> dropped = new HashSet<>();
        long applied;
        boolean inCall;
    }

    final List<String> trace = new ArrayList<>();
    private final SplittableRandom random;
    private final boolean tracing;
    private final Mistake mistake;
    private final ManualClock clock = new ManualClock(1_000_000);
    private final PriorityQueue<Event> events = new PriorityQueue<>(
            (a, b) -> a.millis != b.millis ? Long.compare(a.millis, b.millis) : Long.compare(a.order, b.order));
    private final Known[] keys = new Known[KEYS];
    private final boolean bulk;
    private final JournalSettings settings;
    private HeapJournal journal = HeapJournal.stepwise();
    private WriteBehind behind;
    private int life;
    private long orders;
    private long versions;
    private boolean calm;
    private @Nullable Violation violation;
    long crashes;
    long deaths;
    long written;

    SimulatedOrigin(long seed, Mistake mistake, boolean tracing) {
        this.random = new SplittableRandom(seed);
        this.mistake = mistake;
        this.tracing = tracing;
        this.bulk = random.nextBoolean();
        this.settings = JournalSettings.defaults()
                .withBounds(random.nextInt(2, 8), 1, random.nextInt(1, 6), Duration.ofMillis(random.nextInt(3) * 20));
        for (int i = 0; i < KEYS; i++) {
            keys[i] = new Known();
        }
        this.behind = start();
    }

    /** Remembered, because what is thrown in a stage is not seen. */
    private Violation violation(String what) {
        Violation fresh = new Violation(what);
        violation = fresh;
        return fresh;
    }

    private void note(String what) {
        if (tracing) {
            trace.add((clock.millis() - 1_000_000) + " life " + life + " " + what);
        }
    }

    private void later(long millis, Runnable task) {
        events.add(new Event(clock.millis() + millis, orders++, life, task));
    }

    private boolean chance(int oneIn) {
        return random.nextInt(oneIn) == 0;
    }

    private WriteBehind start() {
        Timing timing = new Timing() {
            @Override
            public long nanos() {
                return clock.millis() * 1_000_000;
            }

            @Override
            public void after(long delayMillis, Runnable task) {
                later(delayMillis, task);
            }
        };
        WriteBehind fresh = new WriteBehind(
                journal, settings, new Origin(), timing, clock, random.split(), new MetricRegistry(), mistake);
        later(1, fresh::dispatch);
        later(1, this::disk);
        return fresh;
    }

    /** Keeps what was asked, step by step. */
    private void disk() {
        if (!calm && chance(60)) {
            note("disk fails");
            journal.breakDown(true);
            later(random.nextInt(200), () -> journal.breakDown(false));
        }
        journal.keepNext();
        later(random.nextInt(4), this::disk);
    }

    private static CacheKey key(int index) {
        return CacheKey.of("quotes", "k" + index);
    }

    private static int index(CacheKey key) {
        return key.keyBytes()[1] - '0';
    }

    private static long number(Entry entry) {
        return entry.version().epochMillis();
    }

    private Known known(CacheKey key) {
        return Objects.requireNonNull(keys[index(key)]);
    }

    private final class Origin implements WriteBehind.Origin {
        @Override
        public boolean hasWriter(String cache) {
            return true;
        }

        @Override
        public boolean takesMany(String cache) {
            return bulk;
        }

        @Override
        public WritePolicy policy(CacheKey key) {
            return POLICY;
        }

        @Override
        public CompletionStage<List<WriteAnswer>> write(String cache, List<OriginCall> calls) {
            CompletableFuture<List<WriteAnswer>> answer = new CompletableFuture<>();
            List<Runnable> arrivals = new ArrayList<>();
            List<WriteAnswer> answers = new ArrayList<>();
            for (OriginCall call : calls) {
                Known known = known(call.entry().key());
                if (known.inCall) {
                    throw violation("two calls at once for " + call.entry());
                }
                known.inCall = true;
                int fate = calm ? 0 : random.nextInt(10);
                boolean arrives = fate < 5 || fate == 8;
                if (arrives) {
                    arrivals.add(() -> arrive(call.entry()));
                }
                answers.add(
                        fate < 5
                                ? WriteAnswer.TAKEN
                                : WriteAnswer.of(
                                        fate < 7
                                                ? new IllegalStateException("down")
                                                : fate == 7
                                                        ? new dev.terrace.api.RejectedWriteException("never")
                                                        : new dev.terrace.api.UnknownWriteException("lost")));
            }
            long when = random.nextInt(30);
            underWay.put(answer, arrivals);
            later(when, () -> {
                arrivals.forEach(Runnable::run);
                arrivals.clear();
            });
            later(when + random.nextInt(20), () -> {
                underWay.remove(answer);
                calls.forEach(call -> known(call.entry().key()).inCall = false);
                note("origin answers " + answers.stream().map(WriteAnswer::kind).toList() + " to "
                        + calls.stream().map(OriginCall::entry).toList());
                answer.complete(answers);
            });
            return answer;
        }

        @Override
        public CompletionStage<?> taken(Entry entry) {
            CompletableFuture<Void> done = new CompletableFuture<>();
            later(random.nextInt(10), () -> done.complete(null));
            return done;
        }

        @Override
        public CompletionStage<?> givenUp(Entry entry) {
            deaths++;
            return taken(entry);
        }
    }

    private final Map<CompletableFuture<List<WriteAnswer>>, List<Runnable>> underWay = new HashMap<>();

    private void arrive(Entry entry) {
        Known known = known(entry.key());
        note("origin has " + entry);
        if (number(entry) < known.applied) {
            throw violation("the origin gets " + entry + " after " + known.applied);
        }
        known.applied = number(entry);
        written++;
    }

    private void user(int index) {
        Known known = Objects.requireNonNull(keys[index]);
        if (!calm) {
            later(random.nextInt(60), () -> user(index));
        }
        checkSeen(index);
        if (known.asking || calm) {
            return;
        }
        List<Dead> dead = behind.dead().stream()
                .filter(letter -> letter.key().equals(key(index)))
                .toList();
        if (!dead.isEmpty() && chance(3)) {
            Dead one = dead.get(random.nextInt(dead.size()));
            Version version = one.entry().version();
            if (chance(4)) {
                note("drop " + one.entry());
                known.dropped.add(number(one.entry()));
                behind.drop(version);
            } else {
                known.asking = true;
                note("retry " + one.entry());
                behind.retry(version).whenComplete((why, bug) -> known.asking = false);
            }
            return;
        }
        known.asking = true;
        long number = ++versions;
        Entry entry = Entries.value(
                key(index),
                Version.of(number, 0, 2),
                clock.millis(),
                Duration.ofDays(1),
                "x".repeat(random.nextInt(200_000)));
        note("put " + entry);
        behind.accept(entry).whenComplete((acceptance, bug) -> {
            known.asking = false;
            note(acceptance + " " + entry);
            if (bug != null) {
                throw violation("accept failed: " + bug);
            }
            if (acceptance == WriteBehind.Acceptance.ACCEPTED) {
                known.acknowledged = Math.max(known.acknowledged, number);
            }
        });
    }

    /** Who was told that a write was accepted finds it waiting, at the origin, or dead. */
    private void checkSeen(int index) {
        Known known = Objects.requireNonNull(keys[index]);
        long wanted = known.acknowledged;
        Entry waits = behind.pending(key(index));
        boolean seen = known.applied >= wanted
                || waits != null && number(waits) >= wanted
                || known.dropped.contains(wanted)
                || dead(index, wanted);
        if (!seen) {
            throw violation("acknowledged " + wanted + " of key " + index + " is nowhere; the origin has "
                    + known.applied + ", waiting is " + waits);
        }
    }

    private boolean dead(int index, long number) {
        return behind.dead().stream()
                .anyMatch(letter -> index(letter.key()) == index && number(letter.entry()) == number);
    }

    private void crash() {
        if (calm) {
            return;
        }
        crashes++;
        note("crash");
        for (List<Runnable> arrivals : underWay.values()) {
            if (random.nextBoolean()) {
                arrivals.forEach(Runnable::run);
            }
        }
        underWay.clear();
        life++;
        for (Known known : keys) {
            known.asking = false;
            known.inCall = false;
        }
        journal = journal.reopened();
        behind = start();
        for (int i = 0; i < KEYS; i++) {
            checkSeen(i);
        }
        begin();
    }

    private void begin() {
        for (int i = 0; i < KEYS; i++) {
            int index = i;
            later(random.nextInt(20), () -> user(index));
        }
        later(50 + random.nextInt(1_500), this::crash);
    }

    void run() {
        begin();
        advanceTo(clock.millis() + TROUBLED_MILLIS);
        note("calm");
        calm = true;
        journal.breakDown(false);
        advanceTo(clock.millis() + 3_000);
        for (int i = 0; i < KEYS; i++) {
            checkSeen(i);
            if (keys[i].acknowledged > keys[i].applied
                    && !dead(i, keys[i].acknowledged)
                    && !keys[i].dropped.contains(keys[i].acknowledged)) {
                throw violation("key " + i + " never reached the origin");
            }
        }
        if (behind.size() != 0 || behind.bytes() != 0 || !behind.isDrained()) {
            throw violation("after everything " + behind.size() + " writes wait and " + behind.bytes()
                    + " bytes of room are taken");
        }
        // What a failing disk has not forgotten is written once more after a restart, and forgotten then.
        Set<Version> before = deadVersions();
        life++;
        underWay.clear();
        journal = journal.reopened();
        behind = start();
        advanceTo(clock.millis() + 3_000);
        if (behind.size() != 0 || !before.equals(deadVersions())) {
            throw violation(
                    "a restart finds " + behind.pending() + " and dead " + deadVersions() + " instead of " + before);
        }
    }

    private Set<Version> deadVersions() {
        Set<Version> versions = new HashSet<>();
        for (Dead letter : behind.dead()) {
            if (!known(letter.key()).dropped.contains(number(letter.entry()))) {
                versions.add(letter.entry().version());
            }
        }
        return versions;
    }

    private void advanceTo(long end) {
        long ran = 0;
        for (Event next = events.peek(); next != null && next.millis <= end; next = events.peek()) {
            events.remove();
            clock.advance(Duration.ofMillis(next.millis - clock.millis()));
            if (next.life == life) {
                next.task.run();
            }
            if (violation != null) {
                throw violation;
            }
            if (++ran > MOST_EVENTS) {
                throw violation("it never ends");
            }
        }
        clock.advance(Duration.ofMillis(end - clock.millis()));
    }

    @Nullable
    String lastTrace() {
        return trace.isEmpty() ? null : String.join("\n", trace.subList(Math.max(0, trace.size() - 200), trace.size()));
    }
}
