package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Codecs;
import dev.terrace.api.Loaded;
import dev.terrace.api.Loading;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LoadingPolicy;
import dev.terrace.config.LoadingSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Coordinating;
import dev.terrace.spi.Entry;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Nodes made of the real parts of the coordinator that load a few keys from one origin, fast, slow or failing, on virtual time: one
 * thread, one seed, the same run. Nodes die under their loads, stand still for a while, and are cut off from L2. Judged, while a node
 * did not stand still and was not cut off lately:
 *
 * <ul>
 *   <li>never two calls of one key at the origin, and never two of one node, whatever it is cut off from,
 *   <li>none of a key whose fresh value has been in L2 for a while,
 *   <li>whoever waits loads within a second of the death of the node that did, and at once when its load has failed,
 *   <li>no caller waits past the hard timeout.
 * </ul>
 */
final class SimulatedTurns {
    private static final long MILLI = 1_000_000;
    private static final long EPOCH_MILLIS = 1_700_000_000_000L;
    private static final Duration LONGEST_LOAD = Duration.ofSeconds(4);
    private static final String CACHE = "quotes";
    private static final int KEYS = 2;

    /** Longest search through the tiers, and what comes of timers that are a little late. */
    private static final long SEARCH = 60 * MILLI;

    /** What a cut-off may still have an effect on. */
    private static final long AFTERMATH = 6_000 * MILLI;

    private final SplittableRandom random;
    private final LeaseMutant mutant;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final HeapTier remote;
    private final List<Node> nodes = new ArrayList<>();
    private final List<Call> calls = new ArrayList<>();
    private final List<Caller> callers = new ArrayList<>();
    private final Map<String, Long> freshSince = new HashMap<>();
    private final Map<String, Long> lastEnd = new HashMap<>();
    private final StringBuilder trace = new StringBuilder();
    private final Duration hardTimeout;
    private final Settings settings;
    private SimulatedFleet.@Nullable Violation first;
    private long now;
    private long eventNumber;
    private long nextNode = 1;
    private long lastCutUntil = -2 * AFTERMATH;
    private long lastDeath = -AFTERMATH;
    int callsMade;
    int shared;
    int takenOver;

    private record Event(long at, long number, @Nullable Node node, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            return at == other.at ? Long.compare(number, other.number) : Long.compare(at, other.at);
        }
    }

    private record Call(Node node, String key, long since) {}

    private record Caller(Node node, String key, long since, CompletableFuture<String> answer) {}

    SimulatedTurns(long seed, LeaseMutant mutant) {
        this.random = new SplittableRandom(seed);
        this.mutant = mutant;
        this.remote = new HeapTier(TierLevel.L2, wall());
        this.hardTimeout = random.nextBoolean() ? LONGEST_LOAD : Duration.ofMillis(500 + random.nextInt(2_000));
        Settings base = Settings.defaults();
        this.settings = new Settings(
                base.localCache(),
                base.distributedCache(),
                base.backupStorage(),
                base.circuitBreaker(),
                base.failover(),
                new LoadingSettings(LONGEST_LOAD, 4),
                base.limits(),
                Map.of(
                        CACHE,
                        new CachePolicy(
                                        Duration.ofMillis(200 + random.nextInt(600)),
                                        Duration.ZERO,
                                        Duration.ZERO,
                                        null)
                                .withLoading(LoadingPolicy.INHERIT.withTimeouts(null, hardTimeout))),
                base.classes(),
                base.server());
        for (int i = 0; i < 3; i++) {
            nodes.add(new Node());
        }
    }

    private InstantSource wall() {
        return new InstantSource() {
            @Override
            public Instant instant() {
                return Instant.ofEpochMilli(millis());
            }

            @Override
            public long millis() {
                return EPOCH_MILLIS + now / MILLI;
            }
        };
    }

    private void at(long time, @Nullable Node node, Runnable action) {
        events.add(new Event(Math.max(now, time), eventNumber++, node, action));
    }

    private void note(String what) {
        trace.append(now / 1000).append("us ").append(what).append('\n');
    }

    String trace() {
        return trace.toString();
    }

    private void violated(String what) {
        note("VIOLATION " + what);
        if (first == null) {
            first = new SimulatedFleet.Violation(what);
        }
    }

    private void runUntil(long end) {
        for (Event next = events.peek(); next != null && next.at() <= end; next = events.peek()) {
            events.poll();
            now = next.at();
            Node owner = next.node();
            if (owner != null && !owner.dead && owner.asleepUntil > now) {
                at(owner.asleepUntil, owner, next.action());
            } else if (owner == null || !owner.dead) {
                next.action().run();
            }
            if (first != null) {
                throw first;
            }
        }
        now = end;
    }

    void run() {
        long end = 30_000 * MILLI;
        while (now < end) {
            runUntil(now + 1 + random.nextLong(40 * MILLI));
            int what = random.nextInt(200);
            Node node = nodes.get(random.nextInt(nodes.size()));
            if (what < 150) {
                String key = "k" + random.nextInt(KEYS);
                int crowd = random.nextInt(6) == 0 ? nodes.size() : 1;
                for (int i = 0; i < crowd; i++) {
                    (crowd == 1 ? node : nodes.get(i)).ask(key);
                }
            } else if (what == 150 && node.isSound()) {
                die(node);
            } else if (what == 151 && random.nextInt(6) == 0) {
                node.cutUntil = now + random.nextLong(800 * MILLI);
                lastCutUntil = Math.max(lastCutUntil, node.cutUntil);
                node.troubledUntil = Math.max(node.troubledUntil, node.cutUntil);
                note("node " + node.id + " cut until " + node.cutUntil / 1000);
            } else if (what == 152 && random.nextInt(6) == 0) {
                // As a process that is stopped, or collects garbage: its leases run out, and it does not know.
                node.asleepUntil = now + random.nextLong(2_000 * MILLI);
                node.troubledUntil = Math.max(node.troubledUntil, node.asleepUntil);
                lastCutUntil = Math.max(lastCutUntil, node.asleepUntil);
                note("node " + node.id + " asleep until " + node.asleepUntil / 1000);
            }
        }
        runUntil(now + 3 * LONGEST_LOAD.toNanos());
        for (Caller caller : callers) {
            if (!caller.node().dead && !caller.answer().isDone()) {
                violated("a caller of " + caller.key() + " was never answered");
            }
        }
        for (Node node : nodes) {
            shared += (int) node.metrics.counter("leases.shared").getCount();
        }
        if (first != null) {
            throw first;
        }
    }

    private void die(Node node) {
        note("node " + node.id + " dies");
        node.dead = true;
        lastDeath = now;
        List<Call> lost = calls.stream().filter(call -> call.node() == node).toList();
        calls.removeAll(lost);
        nodes.remove(node);
        long died = now;
        for (Call call : lost) {
            int before = callsMade;
            at(now + 1_000 * MILLI, null, () -> {
                if (callsMade == before && waits(call.key(), died)) {
                    violated("nobody took over the load of " + call.key());
                } else if (callsMade > before) {
                    takenOver++;
                }
            });
        }
        nodes.add(new Node());
    }

    /** Whether somebody who could load has waited since then, and nobody does. */
    private boolean waits(String key, long since) {
        return calls.stream().noneMatch(call -> call.key().equals(key))
                && callers.stream()
                        .anyMatch(caller -> caller.key().equals(key)
                                && !caller.answer().isDone()
                                && caller.since() < since - 20 * MILLI
                                && !caller.node().dead
                                && caller.node().isSound());
    }

    private final class Node {
        final long id = nextNode++;
        final MetricRegistry metrics = new MetricRegistry();
        private final NamedCache<String, String> cache;
        boolean dead;
        long cutUntil = -AFTERMATH;
        long asleepUntil = -AFTERMATH;
        long troubledUntil = -AFTERMATH;

        Node() {
            VirtualTimer timer = new VirtualTimer((delay, action) -> at(now + delay, this, action));
            Link link = new Link(this);
            Wiring wiring = new Wiring(settings, wall(), metrics, id, List.of(), SimulatedFleet.PROMISES, Mutant.NONE);
            wiring.fleet(link, mutant);
            Engine engine =
                    wiring.engine(new Tiers(new HeapLocalTier(wall()), link, null, null), timer, timer, () -> now);
            CacheState state = new CacheState(
                    CACHE, new Trust(engine.coherence(), SimulatedFleet.PROMISES, CACHE, false), metrics);
            engine.markers().opened(state);
            cache = new NamedCache<>(
                    engine,
                    state,
                    new Coding<>(state, Codecs.stringKey(), Codecs.string(), engine.policies(), settings.limits()));
        }

        /** Awake and with L2 for so long that nothing is left of when it was not. */
        boolean isSound() {
            return now - troubledUntil > AFTERMATH;
        }

        void ask(String key) {
            if (asleepUntil > now) {
                return;
            }
            CompletableFuture<String> answer = cache.async()
                    .get(key, Loading.byAsync(context -> call(this, key)))
                    .toCompletableFuture();
            callers.removeIf(caller -> caller.answer().isDone());
            callers.add(new Caller(this, key, now, answer));
            expect(answer, key, now);
        }

        private void expect(CompletableFuture<String> answer, String key, long since) {
            at(since + hardTimeout.toNanos() + SEARCH, this, () -> {
                if (answer.isDone()) {
                    return;
                }
                if (asleepUntil > since) {
                    // What it slept through begins when it wakes.
                    expect(answer, key, asleepUntil);
                } else {
                    violated("a caller of " + key + " waits since " + since / 1000);
                }
            });
        }
    }

    private CompletionStage<Loaded<String>> call(Node node, String key) {
        Call call = new Call(node, key, now);
        note("node " + node.id + " calls for " + key);
        for (Call other : calls) {
            boolean oneAtATime =
                    other.node() == node || node.isSound() && other.node().isSound();
            if (other.key().equals(key) && oneAtATime) {
                violated("two calls of " + key + ": nodes " + other.node().id + " and " + node.id);
            }
        }
        Long fresh = freshSince.get(key);
        if (fresh != null && now - fresh > 60 * MILLI && isCalm() && isFresh(key)) {
            violated("a call of " + key + ", whose value is in L2 since " + fresh / 1000);
        }
        calls.add(call);
        callsMade++;
        CompletableFuture<Loaded<String>> answer = new CompletableFuture<>();
        // Also when it is cancelled, which is when its time is over.
        answer.whenComplete((value, failure) -> calls.remove(call));
        long takes = random.nextInt(5) == 0 ? 700 + random.nextInt(2_000) : 5 + random.nextInt(150);
        boolean fails = random.nextInt(4) == 0;
        at(now + takes * MILLI, node, () -> {
            note("node " + node.id + (fails ? " fails for " : " has ") + key);
            calls.remove(call);
            int before = callsMade;
            long ended = now;
            lastEnd.put(key, ended);
            // Called with the lease, which nobody else can have had meanwhile.
            if (fails && call.since() - node.troubledUntil > AFTERMATH && node.isSound()) {
                at(now + 150 * MILLI, null, () -> {
                    // Whoever died just then may have taken the lease with it.
                    boolean nobodyDied = lastDeath < ended - 20 * MILLI;
                    if (nobodyDied && callsMade == before && lastEnd.get(key) == ended && waits(key, ended)) {
                        violated("nobody goes on after the load of " + key + " failed");
                    }
                });
                answer.completeExceptionally(new IllegalStateException("origin"));
            } else {
                answer.complete(Loaded.value("v" + now));
            }
        });
        return answer;
    }

    /** Nothing is left of loads without leases, which may be older than what others have seen and do not end their wait. */
    private boolean isCalm() {
        return now - lastCutUntil > 2 * AFTERMATH;
    }

    private boolean isFresh(String key) {
        Lookup held = remote.get(CacheKey.of(CACHE, key)).toCompletableFuture().join();
        return held instanceof Lookup.Hit hit && hit.entry().isFresh(wall().millis() + 60);
    }

    /** One node's way to L2: requests arrive in their order, after a while, unless it is cut. */
    private final class Link implements Tier, Coordinating, LeaseStore {
        private final Node node;
        private long lastSent;
        private long lastAnswered;

        Link(Node node) {
            this.node = node;
        }

        private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> work, T no) {
            CompletableFuture<T> answer = new CompletableFuture<>();
            if (node.cutUntil > now) {
                at(now + 30 * MILLI, node, () -> answer.complete(no));
                return answer;
            }
            lastSent = Math.max(lastSent, now + MILLI / 5 + random.nextLong(3 * MILLI));
            at(lastSent, null, () -> {
                T result = work.get().toCompletableFuture().join();
                lastAnswered = Math.max(lastAnswered, now + MILLI / 5 + random.nextLong(3 * MILLI));
                at(lastAnswered, node, () -> answer.complete(result));
            });
            return answer;
        }

        private static Lookup noLookup() {
            return new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
        }

        private static StoreOutcome noStore() {
            return new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
        }

        private static Claimed noLease() {
            return new Claimed.Unavailable(Unavailability.TIMEOUT, "cut");
        }

        @Override
        public LeaseStore leases() {
            return this;
        }

        @Override
        public RateStore rates() {
            return remote.rates();
        }

        @Override
        public CompletionStage<Claimed> claim(Claim claim) {
            return call(() -> remote.leases().claim(claim), noLease());
        }

        @Override
        public CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep) {
            return call(() -> remote.leases().renew(key, owner, keep), noLease());
        }

        @Override
        public CompletionStage<Released> release(CacheKey key, String owner) {
            return call(() -> remote.leases().release(key, owner), Released.UNAVAILABLE);
        }

        @Override
        public TierLevel level() {
            return TierLevel.L2;
        }

        @Override
        public CompletionStage<Lookup> get(CacheKey key) {
            return call(() -> remote.get(key), noLookup());
        }

        @Override
        public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
            Map<CacheKey, Lookup> none = new HashMap<>();
            keys.forEach(key -> none.put(key, noLookup()));
            return call(() -> remote.getAll(keys), none);
        }

        @Override
        public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
            return call(
                    () -> {
                        if (entry.key().cache().equals(CACHE)) {
                            String key = new String(entry.key().keyBytes(), StandardCharsets.UTF_8);
                            freshSince.put(key, now);
                        }
                        return remote.put(entry, condition);
                    },
                    noStore());
        }

        @Override
        public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
            return call(() -> remote.putAll(entries), Collections.nCopies(entries.size(), noStore()));
        }

        @Override
        public CompletionStage<Void> clear(String cache, Version upTo) {
            return CompletableFuture.completedStage(null);
        }

        @Override
        public TierStatus status() {
            return remote.status();
        }

        @Override
        public void close() {}
    }
}
