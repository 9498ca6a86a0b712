package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Codecs;
import dev.terrace.api.LoaderException;
import dev.terrace.api.WriteOptions;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingRules;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One node that loads from an origin that is fast, slow, failing or dead, on virtual time: one thread, one seed, the same run. The parts
 * of the coordinator are the real ones. Callers come and go, values are written and invalidated meanwhile. Judged:
 *
 * <ul>
 *   <li>never two useful calls of one key at the origin,
 *   <li>nobody waits past the hard timeout, nobody with something stale past the soft one,
 *   <li>nothing is answered past its stale-until, and nothing older than a write that had returned when it was asked for,
 *   <li>after trouble, no call while there is something to answer and the throttle holds,
 *   <li>refreshes never run on the threads of those who wait, nor in front of them.
 * </ul>
 */
final class SimulatedLoading {
    private static final long MILLI = 1_000_000;
    private static final long EPOCH_MILLIS = 1_700_000_000_000L;
    private static final int KEYS = 4;
    private static final String CACHE = "quotes";

    private record Event(long at, long number, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private enum Weather {
        FAST,
        SLOW,
        FAILING,
        DEAD
    }

    private final SplittableRandom random;
    private final boolean tracing;
    private final StringBuilder trace = new StringBuilder();
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final LoadingRules rules;
    private final LoadingSettings settings;
    private final HeapLocalTier local;
    private final HeapTier remote;
    private final Engine engine;
    private final CacheState state;
    private final Answers<String, String> answers;
    private final NamedCache<String, String> cache;
    private final Coding<String, String> coding;
    private final Lane foreground;
    private final Lane background;
    private final MetricRegistry metrics = new MetricRegistry();
    private final Map<String, Integer> origin = new HashMap<>();
    private final Map<String, Integer> acknowledged = new HashMap<>();
    private final Map<String, Long> troubleAt = new HashMap<>();
    private final Map<String, List<Call>> calls = new HashMap<>();
    private Weather weather = Weather.FAST;
    private @Nullable Lane running;
    private SimulatedFleet.@Nullable Violation first;
    private long now;
    private long eventNumber;
    int staleAnswers;
    int freshAnswers;
    int failures;
    int callsMade;
    int refreshes;

    SimulatedLoading(long seed, LoadMutant mutant, boolean tracing) {
        this.random = new SplittableRandom(seed);
        this.tracing = tracing;
        this.settings = new LoadingSettings(Duration.ofMillis(900), 2);
        LoadingPolicy policy = new LoadingPolicy(
                Duration.ofMillis(20 + random.nextInt(80)),
                Duration.ofMillis(150 + random.nextInt(500)),
                Duration.ofMillis(random.nextBoolean() ? 0 : random.nextInt(400)),
                Duration.ofMillis(random.nextInt(600)),
                random.nextBoolean(),
                random.nextBoolean() ? 100 : 50 + random.nextInt(49),
                random.nextInt(30));
        Settings base = Settings.defaults();
        Settings all = new Settings(
                base.localCache(),
                base.distributedCache(),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                settings,
                base.limits(),
                Map.of(
                        CACHE,
                        new CachePolicy(
                                        Duration.ofMillis(300 + random.nextInt(700)),
                                        Duration.ofMillis(random.nextInt(2_000)),
                                        Duration.ofMillis(50),
                                        null)
                                .withLoading(policy)),
                base.classes(),
                base.server());
        InstantSource wall = new InstantSource() {
            @Override
            public Instant instant() {
                return Instant.ofEpochMilli(millis());
            }

            @Override
            public long millis() {
                return EPOCH_MILLIS + now / MILLI;
            }
        };
        this.local = new HeapLocalTier(wall);
        this.remote = new HeapTier(TierLevel.L2, wall);
        this.foreground = new Lane("foreground", settings.threads(), false);
        this.background = new Lane("background", settings.backgroundThreads(), true);
        VirtualTimer timer = new VirtualTimer((delay, action) -> at(now + delay, action));
        Wiring wiring = new Wiring(all, wall, metrics, 1, List.of(), null, Mutant.NONE);
        wiring.loadBy(foreground, background, mutant);
        this.engine = wiring.engine(new Tiers(local, remote, null, null), timer, timer, () -> now);
        Policies policies = engine.policies();
        this.rules = policies.ofCache(CACHE).loading();
        this.state = new CacheState(
                CACHE,
                new Trust(engine.coherence(), engine.promises(), CACHE, false),
                Freshening.of(policies, CACHE, random::nextDouble),
                metrics);
        engine.markers().learn(List.of(state));
        engine.markers().opened(state);
        this.coding = new Coding<>(state, Codecs.stringKey(), Codecs.string(), policies, all.limits());
        this.answers = new Answers<>(engine, state, coding);
        this.cache = new NamedCache<>(engine, state, coding);
    }

    private void at(long time, Runnable action) {
        events.add(new Event(time, eventNumber++, action));
    }

    private void note(String what) {
        if (tracing) {
            trace.append(now / 1_000).append("us ").append(what).append('\n');
        }
    }

    String trace() {
        return trace.toString();
    }

    private SimulatedFleet.Violation violation(String what) {
        SimulatedFleet.Violation violation =
                new SimulatedFleet.Violation(what + " at " + now / 1_000 + " us, rules " + rules);
        // Thrown inside a stage or a load it would be taken for their failure.
        first = first == null ? violation : first;
        return violation;
    }

    private void check() {
        if (first != null) {
            throw first;
        }
    }

    private void runUntil(long end) {
        for (Event next = events.peek(); next != null && next.at() <= end; next = events.peek()) {
            events.poll();
            now = Math.max(now, next.at());
            next.action().run();
            check();
        }
        now = end;
        check();
    }

    void run() {
        long end = 8_000 * MILLI;
        while (now < end) {
            runUntil(now + random.nextLong(20 * MILLI));
            step();
            check();
        }
        weather = Weather.FAST;
        runUntil(now + 5_000 * MILLI);
        for (int i = 0; i < KEYS; i++) {
            String key = "k" + i;
            Request last = ask(key);
            runUntil(now + 200 * MILLI);
            if (!last.told) {
                throw violation(key + " is not answered though all is well");
            }
        }
        runUntil(now + 2_000 * MILLI);
        int flights = (int) metrics.getGauges().get("flights").getValue();
        if (flights != 0 || foreground.busy + background.busy != 0) {
            throw violation(flights + " flights are left, " + foreground.busy + " and " + background.busy + " threads");
        }
    }

    private void step() {
        String key = "k" + random.nextInt(KEYS);
        int what = random.nextInt(100);
        if (what < 80) {
            int callers = random.nextInt(10) == 0 ? 20 : 1;
            for (int i = 0; i < callers; i++) {
                ask(key);
            }
        } else if (what < 86) {
            write(key);
        } else if (what < 90) {
            local.drop(CacheKey.of(CACHE, key));
        } else {
            weather = Weather.values()[random.nextInt(Weather.values().length)];
            note("the origin is " + weather);
        }
    }

    /** The origin changes, then the cache is told, as a service does it. */
    private void write(String key) {
        int value = origin.merge(key, 1, Integer::sum);
        boolean invalidation = random.nextInt(3) == 0;
        CompletionStage<?> done =
                invalidation ? cache.async().invalidate(key) : cache.async().put(key, Integer.toString(value));
        note((invalidation ? "invalidate " : "put ") + key + " " + value);
        done.whenComplete((receipt, failure) -> acknowledged.merge(key, value, Math::max));
        troubleAt.remove(key);
    }

    private @Nullable Entry held(String key) {
        return remote.get(CacheKey.of(CACHE, key)).toCompletableFuture().join() instanceof Lookup.Hit hit
                        && hit.entry().isValue()
                ? hit.entry()
                : null;
    }

    private boolean isUsable(@Nullable Entry entry) {
        return entry != null && !entry.isExpired(engine.clock().millis());
    }

    /** One caller. */
    private final class Request {
        private final String key;
        private final long asked = now;
        private final int atLeast;
        private boolean told;

        Request(String key) {
            this.key = key;
            this.atLeast = acknowledged.getOrDefault(key, 0);
        }

        void answered(@Nullable Answer<String> answer, @Nullable Throwable failure) {
            told = true;
            if (answer == null) {
                failures++;
                note(key + " asked " + asked / 1_000 + " fails " + Gate.unwrapped(failure));
                if (!(Gate.unwrapped(failure) instanceof LoaderException)) {
                    throw violation(key + " failed with " + failure);
                }
                return;
            }
            note(key + " asked " + asked / 1_000 + " gets " + answer.value() + (answer.stale() ? " stale" : "")
                    + " from " + answer.found().source());
            Entry entry = answer.found().entry();
            if (answer.stale()) {
                staleAnswers++;
                if (entry == null || entry.isExpired(engine.clock().millis())) {
                    throw violation(key + " was answered past its stale-until: " + entry);
                }
            } else {
                freshAnswers++;
            }
            if (answer.value() != null && Integer.parseInt(answer.value()) < atLeast) {
                throw violation(key + " was answered " + answer.value() + " though " + atLeast
                        + " had been written before it was asked for");
            }
        }
    }

    private Request ask(String key) {
        Request request = new Request(key);
        boolean blocking = random.nextBoolean();
        Entry held = held(key);
        boolean stale = isUsable(held);
        answers.one(coding.key(key), new Origin(key, blocking), WriteOptions.DEFAULTS)
                .whenComplete(request::answered);
        if (!request.told) {
            at(asked(rules.hardTimeout()), () -> {
                if (!request.told) {
                    throw violation(key + " asked at " + request.asked / 1_000 + " us waits past its hard timeout");
                }
            });
        }
        if (!request.told && stale && held != null) {
            at(asked(rules.softTimeout()), () -> {
                if (!request.told && isUsable(held)) {
                    throw violation(key + " asked at " + request.asked / 1_000
                            + " us waits past its soft timeout, with something stale at hand");
                }
            });
        }
        return request;
    }

    private long asked(Duration later) {
        return now + later.toNanos() + MILLI;
    }

    /** One call under way at the origin. */
    private record Call(Load load, long loadBegan, Flight flight) {}

    /** The loader. One that blocks holds a virtual thread until it ends. */
    private final class Origin implements LoaderCall {
        private final String key;
        private final boolean blocking;
        private final long made = now;

        Origin(String key, boolean blocking) {
            this.key = key;
            this.blocking = blocking;
        }

        @Override
        public boolean blocks() {
            return blocking;
        }

        @Override
        public CompletionStage<Map<Flight, Brought>> call(Load load) {
            Flight flight = load.claims().get(0).flight();
            Lane lane = running;
            callsMade++;
            refreshes += load.isBackground() ? 1 : 0;
            judge(load, flight);
            Call call = new Call(load, made, flight);
            calls.computeIfAbsent(key, same -> new ArrayList<>()).add(call);
            int value = origin.getOrDefault(key, 0);
            CompletableFuture<Map<Flight, Brought>> answer = new CompletableFuture<>();
            answer.whenComplete((brought, failure) -> {
                calls.get(key).remove(call);
                if (lane != null) {
                    lane.free();
                }
            });
            // What is interrupted ends then.
            long mostNanos = Math.max(0, made + settings.timeout().toNanos() - now);
            long takes = takes();
            boolean fails = weather == Weather.DEAD || weather == Weather.FAILING && random.nextBoolean();
            note("call of " + key + " by flight " + flight.began + (load.isBackground() ? " in background" : "")
                    + " takes " + takes / 1_000 + (fails ? " fails" : ""));
            if (rules.softTimeout().toNanos() < takes) {
                at(made + rules.softTimeout().toNanos(), () -> troubled(answer, flight));
            }
            at(now + Math.min(takes, mostNanos), () -> {
                if (fails || takes >= mostNanos) {
                    troubled(answer, flight);
                    answer.completeExceptionally(new IllegalStateException("the origin is " + weather));
                } else {
                    if (!flight.isFenced()) {
                        troubleAt.remove(key);
                    }
                    answer.complete(Map.of(flight, Brought.of(bytes(value))));
                }
            });
            return answer;
        }

        private void troubled(CompletableFuture<?> answer, Flight flight) {
            if (!answer.isDone() && !flight.isFenced()) {
                troubleAt.put(key, now);
            }
        }

        private byte[] bytes(int value) {
            return Integer.toString(value).getBytes(StandardCharsets.UTF_8);
        }

        private long takes() {
            return switch (weather) {
                case FAST -> MILLI + random.nextLong(5 * MILLI);
                case SLOW -> random.nextLong(800 * MILLI);
                case FAILING -> random.nextLong(50 * MILLI);
                case DEAD -> Long.MAX_VALUE / 4;
            };
        }

        private void judge(Load load, Flight flight) {
            for (Call other : calls.getOrDefault(key, List.of())) {
                boolean givenUp = now - other.loadBegan() >= settings.timeout().toNanos();
                // One that a write has overtaken, before or after it was called, is another matter.
                if (!flight.isFenced() && !other.flight().isFenced() && !givenUp) {
                    throw violation(key + " is asked for at the origin twice at once");
                }
            }
            Long trouble = troubleAt.get(key);
            Entry held = held(key);
            boolean throttled =
                    trouble != null && now - trouble < rules.failSafeThrottle().toNanos() - MILLI;
            // Whoever found something to answer when the trouble was there already had no reason to ask.
            if (throttled && made > trouble && isUsable(held)) {
                throw violation(key + " is asked for again " + (now - trouble) / 1_000 + " us after trouble, with "
                        + held + " to answer");
            }
        }
    }

    /** Threads of a virtual kind. */
    private final class Lane implements LoaderLane {
        private final String name;
        private final int threads;
        private final boolean forRefreshes;
        private final Deque<Runnable> waiting = new ArrayDeque<>();
        private int busy;

        Lane(String name, int threads, boolean forRefreshes) {
            this.name = name;
            this.threads = threads;
            this.forRefreshes = forRefreshes;
        }

        @Override
        public void execute(Runnable task) {
            if (waiting.size() >= QUEUED_PER_THREAD * threads) {
                throw new RejectedExecutionException(name + " is full");
            }
            waiting.add(task);
            next();
        }

        private void next() {
            while (busy < threads && !waiting.isEmpty()) {
                Runnable task = waiting.poll();
                busy++;
                Lane before = running;
                running = this;
                int made = callsMade;
                int refreshed = refreshes;
                task.run();
                running = before;
                if (callsMade == made) {
                    busy--;
                } else if (!forRefreshes && refreshes > refreshed) {
                    throw violation("a refresh took a thread of those who wait");
                }
            }
        }

        private void free() {
            busy--;
            // Not from within the call that ends.
            at(now, this::next);
        }

        @Override
        public boolean remove(Runnable task) {
            return waiting.remove(task);
        }

        @Override
        public boolean isClosed() {
            return false;
        }

        @Override
        public String load() {
            return busy + " run and " + waiting.size() + " wait";
        }

        @Override
        public void close() {}
    }
}
