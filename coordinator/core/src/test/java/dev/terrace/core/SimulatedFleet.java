package dev.terrace.core;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.api.Codecs;
import dev.terrace.api.Freshness;
import dev.terrace.api.ReadResult;
import dev.terrace.api.Source;
import dev.terrace.api.WriteReceipt;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.NearCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Notice;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Nodes made of the real parts of the coordinator, over a simulated L2 and simulated logs, on virtual time: one thread, one
 * seed, the same run. Judges every answer by what had been acknowledged when it was asked for.
 */
final class SimulatedFleet {
    static final long MILLI = 1_000_000;
    static final Duration BOUND = Duration.ofMillis(200);
    static final Duration LEASE = Duration.ofMillis(400);
    private static final long EPOCH_MILLIS = 1_700_000_000_000L;
    private static final int KEYS = 3;
    private static final List<String> CACHES = List.of("eventual", "bounded", "strict");
    private static final Settings PLAIN = Settings.defaults();
    private static final Settings WITH_NEAR_CACHES = withNearCaches();

    private static Settings withNearCaches() {
        CachePolicy policy = CachePolicy.INHERIT.withNearCache(new NearCacheSettings(64, null));
        Map<String, CachePolicy> caches = new HashMap<>();
        CACHES.forEach(name -> caches.put(name, policy));
        return new Settings(
                PLAIN.localCache(),
                PLAIN.distributedCache(),
                PLAIN.backupStorage(),
                PLAIN.circuitBreaker(),
                PLAIN.failover(),
                PLAIN.loading(),
                PLAIN.limits(),
                caches,
                PLAIN.classes(),
                PLAIN.server());
    }

    /** What went wrong, with the seed that shows it. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String what) {
            super(what);
        }
    }

    private record Event(long at, long number, @Nullable Node node, Runnable action) implements Comparable<Event> {
        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(at, other.at);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    /** A write that was acknowledged under a promise. */
    private record Acknowledged(Version version, long at, String what) {}

    static final Promises PROMISES = new Promises() {
        @Override
        public Promise of(String cache, CacheKey key) {
            return tightest(cache);
        }

        @Override
        public Promise tightest(String cache) {
            return switch (cache) {
                case "bounded" -> Promise.bounded(BOUND);
                case "strict" -> Promise.strict(LEASE);
                default -> Promise.EVENTUAL;
            };
        }

        @Override
        public Promise tightest() {
            return Promise.bounded(BOUND);
        }

        @Override
        public Duration lease() {
            return LEASE;
        }
    };

    private final SplittableRandom random;
    private final Mutant mutant;
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    private final HeapTier remote;
    private final List<Log> logs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, List<Acknowledged>> acknowledged = new HashMap<>();
    private final StringBuilder trace = new StringBuilder();
    private final boolean tracing;
    private long now;
    private long eventNumber;
    private long nextNode = 1;
    private int writes;
    private boolean calm = true;
    private final int slowness;
    private final Settings settings;
    int nearAnswers;
    int freshAnswers;
    int localAnswers;
    int coveredWrites;

    SimulatedFleet(long seed, Mutant mutant, boolean tracing) {
        this.random = new SplittableRandom(seed);
        this.mutant = mutant;
        this.tracing = tracing;
        this.remote = new HeapTier(TierLevel.L2, wall(0));
        this.slowness = 1 + random.nextInt(20);
        this.settings = random.nextBoolean() ? WITH_NEAR_CACHES : PLAIN;
        int logCount = random.nextInt(3) == 0 ? 3 : 1;
        for (int i = 0; i < logCount; i++) {
            logs.add(new Log("log"));
        }
        if (random.nextInt(3) == 0) {
            logs.add(new Log("group"));
        }
        int nodeCount = 2 + random.nextInt(2);
        for (int i = 0; i < nodeCount; i++) {
            nodes.add(new Node());
        }
    }

    private InstantSource wall(long skewMillis) {
        return new InstantSource() {
            @Override
            public Instant instant() {
                return Instant.ofEpochMilli(millis());
            }

            @Override
            public long millis() {
                return EPOCH_MILLIS + skewMillis + now / MILLI;
            }
        };
    }

    private void at(long time, @Nullable Node node, Runnable action) {
        events.add(new Event(time, eventNumber++, node, action));
    }

    private void later(@Nullable Node node, Runnable action) {
        at(now + delay(), node, action);
    }

    /** Mostly short; now and then long. */
    private long delay() {
        long base = MILLI / 10 + random.nextLong(slowness * MILLI / 4 + 1);
        return !calm && random.nextInt(40) == 0 ? base + random.nextLong(150 * MILLI) : base;
    }

    private void note(String what) {
        if (tracing) {
            trace.append(now / 1000).append("us ").append(what).append('\n');
        }
    }

    String trace() {
        return trace.toString();
    }

    private void runUntil(long end) {
        while (true) {
            Event next = events.peek();
            if (next == null || next.at() > end) {
                now = end;
                return;
            }
            events.poll();
            now = Math.max(now, next.at());
            Node node = next.node();
            if (node != null && node.dead) {
                continue;
            }
            if (node != null && node.asleepUntil > now) {
                at(node.asleepUntil, node, next.action());
                continue;
            }
            next.action().run();
        }
    }

    /** The whole run. */
    void run() {
        runUntil(300 * MILLI);
        calm = false;
        long end = now + 2_500 * MILLI;
        while (now < end) {
            runUntil(now + 1 + random.nextLong(12 * MILLI));
            step();
        }
        heal();
        for (int round = 0; round < 12; round++) {
            runUntil(now + 500 * MILLI);
            nodes.forEach(node -> read(node, CACHES.get(random.nextInt(3)), "k" + random.nextInt(KEYS)));
        }
        runUntil(now + 1_000 * MILLI);
        converged();
    }

    private void step() {
        Node node = nodes.get(random.nextInt(nodes.size()));
        String key = "k" + random.nextInt(KEYS);
        String cache = CACHES.get(random.nextInt(CACHES.size()));
        int what = random.nextInt(100);
        if (what < 20) {
            write(node, cache, key);
        } else if (what < 21) {
            clear(node, cache);
        } else if (what < 92) {
            read(node, cache, key);
        } else {
            fault(node);
        }
    }

    private void fault(Node node) {
        Log log = logs.get(random.nextInt(logs.size()));
        Log.End end = node.ends.get(log);
        switch (random.nextInt(12)) {
            case 0, 1 -> end.deafUntil = now + random.nextLong(900 * MILLI);
            case 2 -> {
                end.muteUntil = now + random.nextLong(900 * MILLI);
                end.deafUntil = random.nextBoolean() ? end.muteUntil : end.deafUntil;
            }
            case 3 -> log.trim(random.nextInt(4));
            case 4 -> {
                // A reader away, much said meanwhile, and the log too short.
                end.deafUntil = now + 150 * MILLI;
                at(now + 140 * MILLI, null, () -> log.trim(0));
            }
            case 5 -> end.duplicates = 3;
            case 6 -> node.asleepUntil = now + random.nextLong(1_200 * MILLI);
            case 7 -> {
                // The machine sleeps: its monotonic clock stands still, its wall clock does not.
                long nap = random.nextLong(1_200 * MILLI);
                node.asleepUntil = now + nap;
                node.monotonicLost += nap;
            }
            case 8, 9 -> node.remoteCutUntil = now + random.nextLong(300 * MILLI);
            case 10 -> node.local.drop(CacheKey.of("bounded", "k" + random.nextInt(KEYS)));
            default -> {
                if (random.nextInt(3) == 0) {
                    replace(node);
                }
            }
        }
        note("fault near node " + node.id + " deaf until "
                + node.ends.values().stream()
                        .map(each -> each.deafUntil / 1000 + " mute " + each.muteUntil / 1000)
                        .toList()
                + " asleep until " + node.asleepUntil / 1000 + " cut until " + node.remoteCutUntil / 1000);
    }

    private void replace(Node node) {
        if (random.nextBoolean()) {
            node.engine.announcer().close();
        }
        node.dead = true;
        nodes.remove(node);
        nodes.add(new Node());
    }

    private void heal() {
        calm = true;
        for (Node node : nodes) {
            node.asleepUntil = Math.min(node.asleepUntil, now);
            node.remoteCutUntil = 0;
            node.ends.values().forEach(end -> {
                end.deafUntil = 0;
                end.muteUntil = 0;
            });
        }
        logs.forEach(log -> log.ends.forEach(Log.End::wake));
    }

    private void write(Node node, String cache, String key) {
        String value = "v" + ++writes;
        boolean invalidation = random.nextInt(5) == 0;
        long began = now;
        if (node.asleepUntil > now) {
            return;
        }
        CompletionStage<WriteReceipt> stage = invalidation
                ? node.cache(cache).async().invalidate(key)
                : node.cache(cache).async().put(key, value);
        stage.whenComplete((receipt, failure) -> {
            if (failure == null) {
                acknowledge(cache, key, receipt, value + " by node " + node.id + " begun " + began / 1000);
            }
        });
    }

    private void clear(Node node, String cache) {
        if (node.asleepUntil > now) {
            return;
        }
        node.cache(cache).async().clear().whenComplete((receipt, failure) -> {
            for (int i = 0; failure == null && i < KEYS; i++) {
                acknowledge(cache, "k" + i, receipt, "clear by node " + node.id);
            }
        });
    }

    private void acknowledge(String cache, String key, WriteReceipt receipt, String what) {
        boolean covered =
                receipt.applied() && receipt.announced() && !receipt.missed().contains(TierLevel.L2);
        note(cache + " " + key + " acknowledged " + what + " v" + receipt.version() + " covered=" + covered);
        if (covered) {
            coveredWrites++;
            acknowledged
                    .computeIfAbsent(cache + " " + key, same -> new ArrayList<>())
                    .add(new Acknowledged(receipt.version(), now, what));
        }
    }

    private void read(Node node, String cache, String key) {
        if (node.asleepUntil > now) {
            return;
        }
        long asked = now;
        NamedCache<String, String> view = node.cache(cache);
        ReadResult<String> hit = view.localRead(key);
        if (hit != null) {
            localAnswers++;
            nearAnswers += hit.source() == Source.NEAR ? 1 : 0;
            judge(node, cache, key, asked, hit);
            return;
        }
        view.async().read(key).whenComplete((result, failure) -> {
            if (failure == null) {
                judge(node, cache, key, asked, result);
            }
        });
    }

    private void judge(Node node, String cache, String key, long asked, ReadResult<String> result) {
        if (result.freshness() != Freshness.FRESH || result.version() == null) {
            return;
        }
        freshAnswers++;
        note(cache + " " + key + " node " + node.id + " read " + result.value() + " v" + result.version() + " from "
                + result.source() + " asked " + asked / 1000);
        if (cache.equals("eventual")) {
            return;
        }
        long allowed = cache.equals("bounded") ? BOUND.toNanos() : 0;
        for (Acknowledged write : acknowledged.getOrDefault(cache + " " + key, List.of())) {
            if (write.version().isNewerThan(result.version()) && write.at() + allowed < asked) {
                throw new Violation(cache + " " + key + ": node " + node.id + " answered " + result.value() + " ("
                        + result.version() + ") from " + result.source() + " to a read asked at " + asked / 1000
                        + " us, but " + write.what() + " (" + write.version() + ") had been acknowledged at "
                        + write.at() / 1000 + " us");
            }
        }
    }

    /** Long after the last fault, what every node answers from its own copies is what L2 holds. */
    private void converged() {
        for (String cache : CACHES) {
            for (int i = 0; i < KEYS; i++) {
                String key = "k" + i;
                Lookup held = remote.get(CacheKey.of(cache, key))
                        .toCompletableFuture()
                        .join();
                for (Node node : nodes) {
                    ReadResult<String> copy = node.cache(cache).localRead(key);
                    if (copy == null) {
                        continue;
                    }
                    Version newest =
                            held instanceof Lookup.Hit hit ? hit.entry().version() : null;
                    // The lowest bit marks results of conditional writes.
                    boolean writerDied =
                            newest != null && nodes.stream().noneMatch(each -> each.id == newest.node() >>> 1);
                    if (writerDied) {
                        // It may have died between L2 and the notice; then nobody has acknowledged the write, and
                        // copies
                        // of the older value live until their time is over.
                        continue;
                    }
                    if (newest == null || !newest.equals(copy.version())) {
                        throw new Violation(cache + " " + key + ": node " + node.id + " keeps " + copy.value() + " ("
                                + copy.version() + ") while L2 holds " + held);
                    }
                    Version cleared = node.clearedByAnyone(cache);
                    if (!copy.version().isNewerThan(cleared)) {
                        throw new Violation(cache + " " + key + ": node " + node.id + " answers what was cleared");
                    }
                }
            }
        }
    }

    /** One node: the real engine and caches. */
    private final class Node {
        private final long id = nextNode++;
        private final long skewMillis = random.nextInt(101) - 50;
        private final InstantSource wall = wall(skewMillis);
        private final HeapLocalTier local = new HeapLocalTier(wall);
        private final Map<Log, Log.End> ends = new LinkedHashMap<>();
        private final Map<String, NamedCache<String, String>> caches = new HashMap<>();
        private final Engine engine;
        private long asleepUntil;
        private long remoteCutUntil;
        private long monotonicLost;
        private boolean dead;

        Node() {
            List<Backplane> channels = new ArrayList<>();
            logs.forEach(log -> {
                Log.End end = log.open(this);
                ends.put(log, end);
                channels.add(end);
            });
            MetricRegistry metrics = new MetricRegistry();
            VirtualTimer timer = new VirtualTimer((delay, action) -> at(now + delay, this, action));
            engine = new Wiring(settings, wall, metrics, id, channels, PROMISES, mutant)
                    .engine(new Tiers(local, new Remote(this), null, null), timer, timer, () -> now - monotonicLost);
            for (String name : CACHES) {
                CacheState state = new CacheState(name, new Trust(engine.coherence(), PROMISES, name, false), metrics);
                engine.markers().learn(List.of(state));
                engine.markers().opened(state);
                timer.scheduleAtFixedRate(() -> engine.markers().learn(List.of(state)), 1, 1, TimeUnit.SECONDS);
                caches.put(
                        name,
                        new NamedCache<>(
                                engine,
                                state,
                                new Coding<>(
                                        state,
                                        Codecs.stringKey(),
                                        Codecs.string(),
                                        engine.policies(),
                                        settings.limits())));
            }
        }

        NamedCache<String, String> cache(String name) {
            return caches.get(name);
        }

        Version clearedByAnyone(String cache) {
            Lookup marker = remote.get(CacheKey.of("terrace.markers", cache))
                    .toCompletableFuture()
                    .join();
            return marker instanceof Lookup.Hit hit ? hit.entry().version() : Version.ZERO;
        }
    }

    /** One node's way to L2: both directions take time, and either may be lost. */
    private final class Remote implements Tier {
        private final Node node;

        Remote(Node node) {
            this.node = node;
        }

        private <T> CompletionStage<T> call(Supplier<CompletionStage<T>> work, T unavailable) {
            CompletableFuture<T> answer = new CompletableFuture<>();
            boolean requestLost = node.remoteCutUntil > now;
            long timeout = now + 100 * MILLI;
            if (!requestLost) {
                later(null, () -> {
                    T result = work.get().toCompletableFuture().join();
                    if (node.remoteCutUntil <= now) {
                        later(node, () -> answer.complete(result));
                    }
                });
            }
            at(timeout, node, () -> answer.complete(unavailable));
            return answer;
        }

        private Lookup noLookup() {
            return new Lookup.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
        }

        private StoreOutcome noStore() {
            return new StoreOutcome.Unavailable(TierLevel.L2, Unavailability.TIMEOUT, "cut");
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
            return call(() -> remote.put(entry, condition), noStore());
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

    /** A log of notices that delays, duplicates, is trimmed and is cut off from some. */
    private final class Log {
        private final String name;
        private final List<Notice> kept = new ArrayList<>();
        private final List<End> ends = new ArrayList<>();
        private long first = 1;

        Log(String name) {
            this.name = name;
        }

        End open(Node node) {
            End end = new End(node);
            ends.add(end);
            return end;
        }

        private long last() {
            return first + kept.size() - 1;
        }

        void trim(int keep) {
            int gone = Math.max(0, kept.size() - keep);
            kept.subList(0, gone).clear();
            first += gone;
        }

        /** One node's end. */
        private final class End implements Backplane {
            private final Node node;
            private @Nullable BackplaneListener listener;
            private long self;
            private long place;
            private long deafUntil;
            private long muteUntil;
            private int duplicates;
            private long lastAppend;
            private boolean due;
            private List<Notice> previous = List.of();

            End(Node node) {
                this.node = node;
            }

            @Override
            public String name() {
                return name;
            }

            @Override
            public void start(long id, BackplaneListener newListener) {
                self = id;
                listener = newListener;
                place = last();
            }

            @Override
            public CompletionStage<Long> publish(List<Notice> notices) {
                CompletableFuture<Long> position = new CompletableFuture<>();
                if (muteUntil <= now) {
                    // A group keeps the order of one sender; of a log nobody asks that.
                    lastAppend = name.equals("group") ? Math.max(lastAppend, now + delay()) : now + delay();
                    at(lastAppend, null, () -> {
                        kept.addAll(notices);
                        long at = last();
                        if (tracing && !(notices.get(0) instanceof Notice.Beat)) {
                            note(name + logs.indexOf(Log.this) + " at " + at + " has " + notices);
                        }
                        ends.forEach(End::wake);
                        if (muteUntil <= now) {
                            later(node, () -> position.complete(at));
                        }
                    });
                }
                at(now + 80 * MILLI, node, () -> position.complete(NOT_KNOWN));
                return position;
            }

            void wake() {
                if (!due && !node.dead) {
                    due = true;
                    at(Math.max(deafUntil, now + delay()), node, this::deliver);
                }
            }

            private void deliver() {
                due = false;
                if (deafUntil > now) {
                    wake();
                    return;
                }
                if (listener == null || place == last()) {
                    return;
                }
                if (first > place + 1) {
                    note("gap at node " + node.id + " in " + name + logs.indexOf(Log.this));
                    listener.gap("trimmed");
                    place = first - 1;
                }
                int from = (int) (place + 1 - first);
                int to = Math.min(kept.size(), from + 1 + random.nextInt(8));
                List<Notice> heard = new ArrayList<>();
                if (duplicates > 0) {
                    duplicates--;
                    heard.addAll(previous);
                }
                for (Notice notice : kept.subList(from, to)) {
                    if (notice.node() != self || notice instanceof Notice.Beat) {
                        heard.add(notice);
                    }
                }
                place = first + to - 1;
                previous = List.copyOf(heard);
                if (tracing) {
                    note("node " + node.id + " hears " + name + logs.indexOf(Log.this) + " up to " + place + ": "
                            + heard.stream()
                                    .filter(notice -> !(notice instanceof Notice.Beat))
                                    .toList());
                }
                listener.heard(heard, place);
                if (place < last()) {
                    wake();
                }
            }

            @Override
            public void close() {
                listener = null;
            }
        }
    }
}
