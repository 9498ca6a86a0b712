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
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.Version;
import dev.terrace.testkit.HeapLocalTier;
import dev.terrace.testkit.HeapTier;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Nodes made of the real parts of the coordinator, over a simulated L2 and simulated logs, on virtual time: one thread, one
 * seed, the same run. Judges every answer by what had been acknowledged when it was asked for.
 */
final class SimulatedFleet {
    static final Duration BOUND = Duration.ofMillis(200);
    static final Duration LEASE = Duration.ofMillis(400);
    private static final int KEYS = 3;
    private static final List<String> CACHES = List.of("eventual", "bounded", "strict");
    private static final Settings PLAIN = Settings.defaults();
    private static final Settings WITH_NEAR_CACHES = withNearCaches();

    private static Settings withNearCaches() {
        CachePolicy policy = CachePolicy.INHERIT.withNearCache(new NearCacheSettings(64, null));
        Map<String, CachePolicy> caches = new HashMap<>();
        CACHES.forEach(name -> caches.put(name, policy));
        return PLAIN.withCaches(caches);
    }

    /** What went wrong, with the seed that shows it. */
    static final class Violation extends AssertionError {
        private static final long serialVersionUID = 1L;

        Violation(String what) {
            super(what);
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
    private final VirtualTime time;
    private final HeapTier remote;
    private final List<SimulatedLog> logs = new ArrayList<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Map<String, List<Acknowledged>> acknowledged = new HashMap<>();
    private long nextNode = 1;
    private int writes;
    private final Settings settings;
    int nearAnswers;
    int freshAnswers;
    int localAnswers;
    int coveredWrites;
    private @Nullable Violation first;

    SimulatedFleet(long seed, Mutant mutant, boolean tracing) {
        this.random = new SplittableRandom(seed);
        this.mutant = mutant;
        this.time = new VirtualTime(random, tracing);
        this.remote = new HeapTier(TierLevel.L2, time.wall(0));
        this.settings = random.nextBoolean() ? WITH_NEAR_CACHES : PLAIN;
        int logCount = random.nextInt(3) == 0 ? 3 : 1;
        for (int i = 0; i < logCount; i++) {
            addLog("log");
        }
        if (random.nextInt(3) == 0) {
            addLog("group");
        }
        int nodeCount = 2 + random.nextInt(2);
        for (int i = 0; i < nodeCount; i++) {
            nodes.add(new Node());
        }
    }

    private void addLog(String name) {
        logs.add(new SimulatedLog(time, random, name, name + logs.size()));
    }

    String trace() {
        return time.trace();
    }

    /** The whole run. */
    void run() {
        runUntil(300 * VirtualTime.MILLI);
        time.calm(false);
        long end = time.now() + 2_500 * VirtualTime.MILLI;
        while (time.now() < end) {
            runUntil(time.now() + 1 + random.nextLong(12 * VirtualTime.MILLI));
            step();
        }
        heal();
        for (int round = 0; round < 12; round++) {
            runUntil(time.now() + 500 * VirtualTime.MILLI);
            nodes.forEach(node -> read(node, CACHES.get(random.nextInt(3)), "k" + random.nextInt(KEYS)));
        }
        runUntil(time.now() + 1_000 * VirtualTime.MILLI);
        converged();
    }

    /** Answers come in the middle of other things, where what is thrown would be lost. */
    private void runUntil(long nanos) {
        time.runUntil(nanos);
        if (first != null) {
            throw first;
        }
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
        SimulatedLog log = logs.get(random.nextInt(logs.size()));
        SimulatedLog.End end = node.ends.get(log);
        switch (random.nextInt(12)) {
            case 0, 1 -> end.deafUntil = time.now() + random.nextLong(900 * VirtualTime.MILLI);
            case 2 -> {
                end.muteUntil = time.now() + random.nextLong(900 * VirtualTime.MILLI);
                end.deafUntil = random.nextBoolean() ? end.muteUntil : end.deafUntil;
            }
            case 3 -> log.trim(random.nextInt(4));
            case 4 -> {
                // A reader away, much said meanwhile, and the log too short.
                end.deafUntil = time.now() + 150 * VirtualTime.MILLI;
                time.at(time.now() + 140 * VirtualTime.MILLI, null, () -> log.trim(0));
            }
            case 5 -> end.duplicates = 3;
            case 6 -> node.sleep(random.nextLong(1_200 * VirtualTime.MILLI), false);
            case 7 -> node.sleep(random.nextLong(1_200 * VirtualTime.MILLI), true);
            case 8, 9 -> node.way.cutUntil = time.now() + random.nextLong(300 * VirtualTime.MILLI);
            case 10 -> node.local.drop(CacheKey.of("bounded", "k" + random.nextInt(KEYS)));
            default -> {
                if (random.nextInt(3) == 0) {
                    replace(node);
                }
            }
        }
        time.note("fault near node " + node.id + " deaf until "
                + node.ends.values().stream()
                        .map(each -> each.deafUntil / 1000 + " mute " + each.muteUntil / 1000)
                        .toList()
                + " asleep until " + node.asleepUntil / 1000 + " cut until " + node.way.cutUntil / 1000);
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
        time.calm(true);
        for (Node node : nodes) {
            node.wake();
            node.way.cutUntil = 0;
            node.ends.values().forEach(end -> {
                end.deafUntil = 0;
                end.muteUntil = 0;
            });
        }
        logs.forEach(SimulatedLog::wakeAll);
    }

    private void write(Node node, String cache, String key) {
        String value = "v" + ++writes;
        boolean invalidation = random.nextInt(5) == 0;
        long began = time.now();
        if (node.asleepUntil > time.now()) {
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
        if (node.asleepUntil > time.now()) {
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
        time.note(cache + " " + key + " acknowledged " + what + " v" + receipt.version() + " covered=" + covered);
        if (covered) {
            coveredWrites++;
            acknowledged
                    .computeIfAbsent(cache + " " + key, same -> new ArrayList<>())
                    .add(new Acknowledged(receipt.version(), time.now(), what));
        }
    }

    private void read(Node node, String cache, String key) {
        if (node.asleepUntil > time.now()) {
            return;
        }
        long asked = time.now();
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
        time.note(cache + " " + key + " node " + node.id + " read " + result.value() + " v" + result.version()
                + " from " + result.source() + " asked " + asked / 1000);
        if (cache.equals("eventual")) {
            return;
        }
        long allowed = cache.equals("bounded") ? BOUND.toNanos() : 0;
        for (Acknowledged write : acknowledged.getOrDefault(cache + " " + key, List.of())) {
            if (first == null && write.version().isNewerThan(result.version()) && write.at() + allowed < asked) {
                first = new Violation(cache + " " + key + ": node " + node.id + " answered " + result.value() + " ("
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
    private final class Node implements VirtualTime.Owner {
        private final long id = nextNode++;
        private final long skewMillis = random.nextInt(101) - 50;
        private final InstantSource wall = time.wall(skewMillis);
        private final HeapLocalTier local = new HeapLocalTier(wall);
        private final SimulatedRemote way = new SimulatedRemote(time, remote, this);
        private final Map<SimulatedLog, SimulatedLog.End> ends = new LinkedHashMap<>();
        private final Map<String, NamedCache<String, String>> caches = new HashMap<>();
        private final Engine engine;
        private long asleepUntil;
        private long lostNanos;
        private long stillSince;
        private long stillUntil;
        private boolean dead;

        Node() {
            List<Backplane> channels = new ArrayList<>();
            logs.forEach(log -> {
                SimulatedLog.End end = log.open(this);
                ends.put(log, end);
                channels.add(end);
            });
            MetricRegistry metrics = new MetricRegistry();
            VirtualTimer timer = new VirtualTimer((delay, action) -> time.at(time.now() + delay, this, action));
            engine = new Wiring(settings, wall, metrics, id, channels, PROMISES, mutant)
                    .engine(new Tiers(local, way, null, null), timer, timer, this::nanos);
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

        /** @param machine whether the machine sleeps: its monotonic clock stands still then, its wall clock does not */
        void sleep(long nap, boolean machine) {
            asleepUntil = Math.max(asleepUntil, time.now() + nap);
            if (machine) {
                lostNanos = time.now() - nanos();
                stillSince = time.now();
                stillUntil = asleepUntil;
            }
        }

        void wake() {
            asleepUntil = Math.min(asleepUntil, time.now());
            stillUntil = Math.min(stillUntil, time.now());
        }

        /** Only moves on, but not while the machine sleeps. */
        private long nanos() {
            return time.now() - lostNanos - Math.max(0, Math.min(time.now(), stillUntil) - stillSince);
        }

        @Override
        public boolean isDead() {
            return dead;
        }

        @Override
        public long asleepUntil() {
            return asleepUntil;
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
}
