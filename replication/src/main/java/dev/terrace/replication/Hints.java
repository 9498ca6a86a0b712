package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.HintStore;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Replica;
import dev.terrace.spi.Replicated;
import dev.terrace.spi.ReplicatedStore;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What zones have missed, the newest version per key, replayed in version order, if newer, with growing pauses while a zone
 * does not answer. Bounded in number, in age, and in bytes on the heap; what is dropped is counted, said, and left to the
 * comparison of zones. With a {@link HintStore} the entries lie there, and a restart goes on with them. Thread-safe.
 */
final class Hints {
    private static final Logger LOG = LoggerFactory.getLogger(Hints.class);
    private static final int BATCH = 100;
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    /** Of entries that lie on the heap, per zone. */
    static final long MOST_HEAP_BYTES = 64L << 20;

    private final Timing timing;
    private final HybridClock clock;
    private final Meters meters;
    private final int most;
    private final long windowMillis;
    private final Pace pace;
    private final @Nullable HintStore store;
    private final long underWayMillis;
    private final Function<CacheKey, CompletionStage<Replicated>> affirm;
    private final Set<Mutation> mutations;
    private final Map<String, OfZone> zones = new TreeMap<>();
    private boolean closed;

    /** Of one zone; guarded by the whole. */
    private static final class OfZone {
        final Replica replica;
        final Map<CacheKey, Hint> byKey = new HashMap<>();
        final TreeSet<Hint> inOrder = new TreeSet<>(Hint.ORDER);
        long heapBytes;
        boolean replaying;
        boolean dropping;
        boolean storeFails;
        long pauseMillis = SHORTEST_PAUSE_MILLIS;

        OfZone(Replica replica) {
            this.replica = replica;
        }

        void put(Hint hint) {
            Hint before = byKey.put(hint.key, hint);
            if (before != null) {
                forget(before);
            }
            inOrder.add(hint);
            heapBytes += hint.heapBytes();
        }

        void remove(Hint hint) {
            if (byKey.remove(hint.key, hint)) {
                forget(hint);
            }
        }

        private void forget(Hint hint) {
            inOrder.remove(hint);
            heapBytes -= hint.heapBytes();
        }
    }

    /** One hint. The entry is null while it lies in the store only. Compared by identity. */
    private static final class Hint {
        static final Comparator<Hint> ORDER = Comparator.comparing((Hint hint) -> hint.version)
                .thenComparing(hint -> hint.key.nameAndKey(), Arrays::compareUnsigned);

        final CacheKey key;
        final Version version;
        final long untilMillis;
        final long sinceMillis;
        final int bytes;

        @Nullable
        Entry entry;

        Hint(Entry entry, long sinceMillis, boolean stored) {
            this.key = entry.key();
            this.version = entry.version();
            this.untilMillis = entry.staleUntilMillis();
            this.sinceMillis = sinceMillis;
            this.bytes = Envelope.length(entry);
            this.entry = stored ? null : entry;
        }

        long heapBytes() {
            return entry == null ? 0 : bytes;
        }
    }

    /**
     * @param replicas all zones; what is kept for others is forgotten
     * @param most hints per zone
     * @param windowMillis older ones are dropped: by then the tombstone that would beat them may be gone
     * @param pace of replays
     * @param store where hints survive a restart; null to keep them on the heap only
     * @param underWayMillis how long operations may take
     * @param affirm writes what a key holds once more, above all promises
     */
    Hints(
            List<? extends Replica> replicas,
            Timing timing,
            HybridClock clock,
            Meters meters,
            int most,
            long windowMillis,
            Pace pace,
            @Nullable HintStore store,
            long underWayMillis,
            Function<CacheKey, CompletionStage<Replicated>> affirm,
            Set<Mutation> mutations) {
        this.timing = timing;
        this.clock = clock;
        this.meters = meters;
        this.most = most;
        this.windowMillis = windowMillis;
        this.pace = pace;
        this.store = store;
        this.underWayMillis = underWayMillis;
        this.affirm = affirm;
        this.mutations = mutations;
        replicas.forEach(replica -> zones.put(replica.zone(), new OfZone(replica)));
    }

    /** Takes up what was kept before a restart. */
    Hints start() {
        HintStore kept = store;
        if (kept != null) {
            kept.load(List.copyOf(zones.keySet()), this::found).whenComplete((forgotten, bug) -> {
                if (bug != null) {
                    LOG.error("hints of before the restart cannot be taken up", bug);
                    return;
                }
                Map<String, Integer> pending = new TreeMap<>();
                zones.keySet().forEach(zone -> pending.put(zone, pending(zone)));
                if (forgotten > 0) {
                    meters.hintsForgotten.inc(forgotten);
                }
                LOG.info("hints of before the restart are taken up pending={} forgotten={}", pending, forgotten);
            });
        }
        return this;
    }

    private synchronized void found(HintStore.Hint hint) {
        OfZone zone = zones.get(hint.zone());
        if (zone == null || zone.byKey.containsKey(hint.entry().key())) {
            return; // Something newer was added since the start.
        }
        if (zone.byKey.size() >= most) {
            drop(zone, 1);
            return;
        }
        zone.put(new Hint(hint.entry(), Math.min(hint.sinceMillis(), clock.millis()), true));
        schedule(zone);
    }

    void add(Replica replica, Entry entry) {
        Hint hint;
        synchronized (this) {
            OfZone zone = zones.get(replica.zone());
            if (zone == null || closed) {
                return;
            }
            Hint known = zone.byKey.get(entry.key());
            if (known != null && !entry.version().isNewerThan(known.version)) {
                return;
            }
            hint = new Hint(entry, clock.millis(), false);
            long freed = known == null ? 0 : known.heapBytes();
            if (known == null && zone.byKey.size() >= most || zone.heapBytes - freed + hint.bytes > MOST_HEAP_BYTES) {
                if (known != null) {
                    // What is left would be overtaken anyway, and is no smaller.
                    zone.remove(known);
                    unstore(zone, known);
                }
                drop(zone, 1);
                return;
            }
            zone.put(hint);
            schedule(zone);
            if (store != null) {
                // Within the lock: what is kept and dropped of a key must reach the store in this order.
                store.keep(new HintStore.Hint(replica.zone(), entry, hint.sinceMillis))
                        .thenAccept(kept -> kept(zone, hint, kept));
            }
        }
    }

    private synchronized void kept(OfZone zone, Hint hint, boolean kept) {
        if (!kept) {
            meters.hintsNotStored.inc();
            if (!zone.storeFails) {
                zone.storeFails = true;
                LOG.error(
                        "hints cannot be stored, they live in memory only and a restart would lose them zone={}",
                        zone.replica.zone());
            }
            return;
        }
        zone.storeFails = false;
        if (zone.byKey.get(hint.key) == hint) {
            zone.heapBytes -= hint.heapBytes();
            hint.entry = null;
        }
    }

    private void unstore(OfZone zone, Hint hint) {
        if (store != null) {
            store.drop(zone.replica.zone(), hint.key);
        }
    }

    private void drop(OfZone zone, int count) {
        meters.zone(zone.replica.zone()).hintsDropped.inc(count);
        if (!zone.dropping) {
            zone.dropping = true;
            LOG.error(
                    "hints are full, the zone will be healed by comparison zone={} limit={} limit_bytes={}",
                    zone.replica.zone(),
                    most,
                    MOST_HEAP_BYTES);
        }
    }

    synchronized int pending(String zone) {
        OfZone known = zones.get(zone);
        return known == null ? 0 : known.byKey.size();
    }

    /** How long ago the oldest hint was noticed, in milliseconds; 0 when there is none. */
    synchronized long oldestMillis(String zone) {
        OfZone known = zones.get(zone);
        if (known == null || known.inOrder.isEmpty()) {
            return 0;
        }
        return Math.max(0, clock.millis() - known.inOrder.first().sinceMillis);
    }

    /** What is wrong with the hints of a zone; empty when nothing is. */
    synchronized String trouble(String zone) {
        OfZone known = zones.get(zone);
        if (known == null) {
            return "";
        }
        return known.dropping
                ? "hints full, more are dropped"
                : known.storeFails ? "hints cannot be stored on disk" : "";
    }

    /** How full each zone's room is. */
    synchronized Map<String, ReplicatedStore.HintRoom> room() {
        Map<String, ReplicatedStore.HintRoom> room = new TreeMap<>();
        zones.forEach((name, zone) -> {
            long byCount = 100L * zone.byKey.size() / most;
            long byHeap = 100 * zone.heapBytes / MOST_HEAP_BYTES;
            int percent = zone.dropping ? 100 : (int) Math.min(100, Math.max(byCount, byHeap));
            room.put(name, new ReplicatedStore.HintRoom(percent, trouble(name)));
        });
        return room;
    }

    /** Stops replaying. What is not in a store is lost, and counted. */
    synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        for (OfZone zone : zones.values()) {
            long lost = zone.byKey.values().stream()
                    .filter(hint -> hint.entry != null)
                    .count();
            if (lost > 0 && store == null) {
                meters.zone(zone.replica.zone()).hintsDropped.inc(lost);
                LOG.warn(
                        "hints are lost by closing, the zone will be healed by comparison zone={} dropped={}",
                        zone.replica.zone(),
                        lost);
            }
        }
    }

    private void schedule(OfZone zone) {
        if (!zone.replaying && !closed) {
            zone.replaying = true;
            timing.after(zone.pauseMillis, () -> replay(zone));
        }
    }

    private void replay(OfZone zone) {
        List<Hint> batch;
        synchronized (this) {
            if (closed) {
                return;
            }
            prune(zone);
            batch = zone.inOrder.stream().limit(BATCH).toList();
        }
        if (batch.isEmpty()) {
            settle(zone, batch, true);
            return;
        }
        pace.take(batch.size()).thenCompose(turned -> fetch(zone, batch)).whenComplete((entries, bug) -> {
            if (bug != null) {
                LOG.error("hints cannot be read zone={}", zone.replica.zone(), bug);
                settle(zone, batch, false);
            } else {
                tell(zone, batch, entries);
            }
        });
    }

    private void prune(OfZone zone) {
        long now = clock.millis();
        int old = 0;
        for (Hint hint : List.copyOf(zone.byKey.values())) {
            boolean tooOld = now - hint.sinceMillis > windowMillis;
            if (tooOld || now >= hint.untilMillis) {
                old += tooOld && now < hint.untilMillis ? 1 : 0;
                zone.remove(hint);
                unstore(zone, hint);
            }
        }
        if (old > 0) {
            meters.zone(zone.replica.zone()).hintsDropped.inc(old);
            LOG.warn(
                    "hints grew too old, the zone will be healed by comparison zone={} dropped={} left={}",
                    zone.replica.zone(),
                    old,
                    zone.byKey.size());
        }
    }

    /** The entries of {@code hints}, those that lie in the store from there. */
    private CompletionStage<Map<CacheKey, Entry>> fetch(OfZone zone, List<Hint> hints) {
        Map<CacheKey, Entry> entries = new HashMap<>();
        List<CacheKey> stored = new ArrayList<>();
        synchronized (this) {
            for (Hint hint : hints) {
                Entry entry = hint.entry;
                if (entry == null) {
                    stored.add(hint.key);
                } else {
                    entries.put(hint.key, entry);
                }
            }
        }
        if (stored.isEmpty() || store == null) {
            return CompletableFuture.completedStage(entries);
        }
        return store.read(zone.replica.zone(), stored).thenApply(found -> {
            entries.putAll(found);
            return entries;
        });
    }

    private void tell(OfZone zone, List<Hint> batch, Map<CacheKey, Entry> entries) {
        List<CompletableFuture<Boolean>> told = new ArrayList<>();
        for (Hint hint : batch) {
            Entry entry = entries.get(hint.key);
            if (entry == null) {
                lost(zone, hint);
            } else {
                told.add(tell(zone, hint, entry).toCompletableFuture());
            }
        }
        CompletableFuture.allOf(told.toArray(CompletableFuture[]::new))
                .whenComplete((done, bug) ->
                        settle(zone, batch, bug == null && told.stream().allMatch(CompletableFuture::join)));
    }

    private synchronized void lost(OfZone zone, Hint hint) {
        if (zone.byKey.get(hint.key) == hint && hint.entry == null) {
            zone.remove(hint);
            meters.zone(zone.replica.zone()).hintsDropped.inc();
            LOG.warn("a hint cannot be read back, the zone will be healed by comparison zone={}", zone.replica.zone());
        }
    }

    /** Completes with whether the zone was reached. */
    private CompletionStage<Boolean> tell(OfZone zone, Hint hint, Entry entry) {
        Entry sent = mutations.contains(Mutation.HINTS_OVERWRITE) ? Context.withVersion(entry, clock.next()) : entry;
        return zone.replica
                .put(sent, WriteCondition.IF_NEWER)
                .exceptionally(QuorumWrite::bug)
                .thenCompose(outcome -> {
                    if (outcome instanceof StoreOutcome.Unavailable) {
                        return CompletableFuture.completedStage(false);
                    }
                    if (outcome instanceof StoreOutcome.Promised) {
                        return aboveThePromise(zone, hint);
                    }
                    over(zone, hint, !(outcome instanceof StoreOutcome.Refused));
                    return CompletableFuture.completedStage(true);
                });
    }

    /**
     * A conditional write that came to nothing may leave a promise behind that outlives the hint. Once none can be under way
     * any more, what the key holds is written once more, as it is, above the promise; that goes to this zone, too.
     */
    private CompletionStage<Boolean> aboveThePromise(OfZone zone, Hint hint) {
        if (clock.millis() - hint.sinceMillis <= 2 * underWayMillis) {
            return CompletableFuture.completedStage(true);
        }
        return affirm.apply(hint.key).thenApply(receipt -> {
            if (receipt.outcome() == Replicated.Outcome.ACKNOWLEDGED) {
                // What was written is newer, and every zone either has it or is hinted.
                over(zone, hint, true);
            }
            return receipt.outcome() != Replicated.Outcome.UNKNOWN;
        });
    }

    private synchronized void over(OfZone zone, Hint hint, boolean replayed) {
        if (zone.byKey.get(hint.key) == hint) {
            zone.remove(hint);
            unstore(zone, hint);
        }
        Meters.OfZone counters = meters.zone(zone.replica.zone());
        (replayed ? counters.hintsReplayed : counters.hintsDropped).inc();
    }

    private synchronized void settle(OfZone zone, List<Hint> batch, boolean reached) {
        zone.replaying = false;
        if (!reached) {
            zone.pauseMillis = Math.min(LONGEST_PAUSE_MILLIS, Math.max(SHORTEST_PAUSE_MILLIS, 2 * zone.pauseMillis));
        } else {
            boolean done = batch.stream().noneMatch(hint -> zone.byKey.get(hint.key) == hint);
            zone.pauseMillis = done && !zone.byKey.isEmpty() ? 0 : SHORTEST_PAUSE_MILLIS;
        }
        if (zone.byKey.isEmpty()) {
            zone.dropping = false;
        } else {
            schedule(zone);
        }
    }
}
