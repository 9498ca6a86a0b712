package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Replica;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What zones have missed, the newest version per key, replayed in version order, if newer, with growing pauses while a zone
 * does not answer. Bounded in number and in age; what is dropped is counted and left to the comparison of zones. Thread-safe.
 */
final class Hints {
    private static final Logger LOG = LoggerFactory.getLogger(Hints.class);
    private static final int BATCH = 100;
    private static final long SHORTEST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    private final Timing timing;
    private final HybridClock clock;
    private final Meters meters;
    private final int most;
    private final long windowMillis;
    private final Set<Mutation> mutations;
    private final Map<String, OfZone> zones = new HashMap<>();
    private boolean closed;

    /** Of one zone; guarded by the whole. */
    private static final class OfZone {
        final Replica replica;
        final Map<CacheKey, Hint> hints = new HashMap<>();
        boolean replaying;
        boolean dropping;
        long pauseMillis = SHORTEST_PAUSE_MILLIS;

        OfZone(Replica replica) {
            this.replica = replica;
        }
    }

    private record Hint(Entry entry, long sinceMillis) {}

    /**
     * @param most hints per zone
     * @param windowMillis older ones are dropped: by then the tombstone that would beat them may be gone
     */
    Hints(Timing timing, HybridClock clock, Meters meters, int most, long windowMillis, Set<Mutation> mutations) {
        this.timing = timing;
        this.clock = clock;
        this.meters = meters;
        this.most = most;
        this.windowMillis = windowMillis;
        this.mutations = mutations;
    }

    synchronized void add(Replica replica, Entry entry) {
        OfZone zone = zones.computeIfAbsent(replica.zone(), name -> new OfZone(replica));
        Hint known = zone.hints.get(entry.key());
        if (known != null && !entry.version().isNewerThan(known.entry().version())) {
            return;
        }
        if (known == null && zone.hints.size() >= most) {
            meters.zone(replica.zone()).hintsDropped.inc();
            if (!zone.dropping) {
                zone.dropping = true;
                LOG.error(
                        "hints are full, the zone will be healed by comparison zone={} limit={}", replica.zone(), most);
            }
            return;
        }
        zone.hints.put(entry.key(), new Hint(entry, clock.millis()));
        schedule(zone);
    }

    synchronized int pending(String zone) {
        OfZone known = zones.get(zone);
        return known == null ? 0 : known.hints.size();
    }

    synchronized void close() {
        closed = true;
    }

    private void schedule(OfZone zone) {
        if (!zone.replaying && !closed) {
            zone.replaying = true;
            timing.after(zone.pauseMillis, () -> replay(zone));
        }
    }

    private void replay(OfZone zone) {
        List<Entry> batch;
        synchronized (this) {
            if (closed) {
                return;
            }
            long now = clock.millis();
            int before = zone.hints.size();
            zone.hints.values().removeIf(hint -> hint.entry().isExpired(now));
            int live = zone.hints.size();
            zone.hints.values().removeIf(hint -> now - hint.sinceMillis() > windowMillis);
            if (live > zone.hints.size()) {
                meters.zone(zone.replica.zone()).hintsDropped.inc(live - zone.hints.size());
                LOG.warn(
                        "hints grew too old, the zone will be healed by comparison zone={} dropped={} of={}",
                        zone.replica.zone(),
                        live - zone.hints.size(),
                        before);
            }
            batch = zone.hints.values().stream()
                    .map(Hint::entry)
                    .sorted(Comparator.comparing(Entry::version))
                    .limit(BATCH)
                    .toList();
        }
        List<CompletableFuture<StoreOutcome>> told = new ArrayList<>();
        for (Entry entry : batch) {
            told.add(tell(zone.replica, entry).toCompletableFuture());
        }
        CompletableFuture.allOf(told.toArray(CompletableFuture[]::new))
                .whenComplete((done, bug) -> settle(zone, batch, told));
    }

    private CompletionStage<StoreOutcome> tell(Replica replica, Entry entry) {
        Entry sent = mutations.contains(Mutation.HINTS_OVERWRITE) ? Context.withVersion(entry, clock.next()) : entry;
        return replica.put(sent, WriteCondition.IF_NEWER).exceptionally(QuorumWrite::bug);
    }

    private synchronized void settle(OfZone zone, List<Entry> batch, List<CompletableFuture<StoreOutcome>> told) {
        boolean reached = true;
        for (int i = 0; i < batch.size(); i++) {
            StoreOutcome outcome = told.get(i).join();
            if (outcome instanceof StoreOutcome.Unavailable || outcome instanceof StoreOutcome.Promised) {
                reached = false;
                continue;
            }
            Hint known = zone.hints.get(batch.get(i).key());
            if (known != null
                    && !known.entry().version().isNewerThan(batch.get(i).version())) {
                zone.hints.remove(batch.get(i).key());
                meters.zone(zone.replica.zone()).hintsReplayed.inc();
            }
        }
        zone.replaying = false;
        zone.pauseMillis = reached ? SHORTEST_PAUSE_MILLIS : Math.min(LONGEST_PAUSE_MILLIS, 2 * zone.pauseMillis);
        if (zone.hints.isEmpty()) {
            zone.dropping = false;
        } else {
            schedule(zone);
        }
    }
}
