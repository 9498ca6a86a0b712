package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Compares the zones in the background and copies what one lacks from another: what was evicted, expired early, flushed, or missed
 * without a hint. One node of all at a time, in rounds.
 *
 * <p>A round first walks every zone once, keys and versions only, and sums hashes of them in {@value #BUCKETS} buckets for every
 * pair of zones. Where all sums agree the round is over. Else it walks once more, and asks all zones of every key that is in a
 * bucket where some pair differs. The answer of a majority decides: the newest version goes to those that voted something
 * older or nothing, by ordinary fenced stores. Zones that may not vote take no part. Memory is bounded by the buckets,
 * whatever the zones hold.
 *
 * <p>An absent copy may be a tombstone that has expired. So a value that fewer than a majority would vouch for, because the
 * others hold nothing at all, is copied only while every tombstone that could have hidden it must still be there. See {@code
 * docs/adr/0007}. Thread-safe.
 */
final class Comparison {
    private static final Logger LOG = LoggerFactory.getLogger(Comparison.class);
    static final int BUCKETS = 1 << 14;
    private static final int PAGE = 200;
    private static final int TRIES = 4;
    private static final int MOST_REMEMBERED = 1_000_000;
    private static final long LONGEST_LEASE_MILLIS = 60_000;

    private final Context context;
    private final Predicate<Replica> votes;
    private final long intervalMillis;
    private final long graceMillis;
    private final long tombstoneMillis;
    private final Pace pace;
    private final Turn turn;
    private final Moving moving;
    private final OpenPromises open;
    private final long renewNanos;
    private volatile boolean closed;
    private volatile @Nullable Report last;

    /**
     * What a round found.
     *
     * @param complete whether every zone was walked to its end and every key that differed was decided
     * @param startedNanos when it began
     * @param looked keys looked at, in all zones together
     * @param drift keys of which a zone had an older copy or none, by zone
     * @param withheld values left where they are, because a tombstone that has gone may have hidden them
     */
    record Report(boolean complete, long startedNanos, long looked, Map<String, Long> drift, long withheld) {}

    /**
     * @param votes whether a zone takes part
     * @param open ends promises that stand in the way
     * @param intervalMillis between the rounds of all nodes together
     * @param perSecond keys looked at a second, at most
     * @param tombstoneMillis how long tombstones are kept, at least
     */
    Comparison(
            Context context,
            Predicate<Replica> votes,
            Moving moving,
            OpenPromises open,
            long intervalMillis,
            int perSecond,
            long tombstoneMillis) {
        this.context = context;
        this.votes = votes;
        this.moving = moving;
        this.open = open;
        this.intervalMillis = intervalMillis;
        this.tombstoneMillis = tombstoneMillis;
        // What is younger may still be on its way.
        this.graceMillis = 2 * context.deadlineMillis();
        this.pace = new Pace(context.timing(), perSecond);
        long leaseMillis = Math.min(LONGEST_LEASE_MILLIS, 20 * context.deadlineMillis());
        // Nodes that do not know of a change of the zones yet must not keep those that do from comparing.
        String transition = context.placement().isMoving() ? context.placement().transition() : "";
        this.turn = new Turn(context, "compare" + transition, leaseMillis);
        this.renewNanos = leaseMillis * 1_000_000 / 4;
    }

    /** Begins, a while from now that differs between nodes. */
    Comparison start() {
        long spread = Math.floorMod(context.clock().node() * 0x9E3779B97F4A7C15L >>> 8, intervalMillis / 2 + 1);
        context.timing().after(intervalMillis / 2 + spread, this::attempt);
        return this;
    }

    void close() {
        closed = true;
    }

    /** The last round of this node; null before its first. */
    @Nullable
    Report last() {
        return last;
    }

    private void attempt() {
        if (closed) {
            return;
        }
        if (moving.stage() == Moving.Stage.FILLING) {
            context.timing().after(intervalMillis, this::attempt);
            return;
        }
        turn.take()
                .thenCompose(taken -> taken == Turn.Taken.BY_THIS
                        ? round().thenCompose(done -> turn.done(intervalMillis))
                        : CompletableFuture.completedStage(taken))
                .whenComplete((done, bug) -> {
                    if (bug != null) {
                        LOG.error("comparing the zones failed", bug);
                    }
                    // Also when another node had the turn: it may have died since.
                    context.timing().after(intervalMillis, this::attempt);
                });
    }

    private CompletionStage<Void> round() {
        CompletionStage<@Nullable Entry> mark = moving.stage() == Moving.Stage.MOVING
                ? moving.mark()
                : CompletableFuture.<@Nullable Entry>completedStage(null);
        return mark.thenCompose(before -> new Round(before != null).run().thenCompose(report -> {
            finish(report);
            return before != null && report.complete()
                    ? moving.complete(before).thenAccept(marked -> {})
                    : CompletableFuture.completedStage(null);
        }));
    }

    private void finish(Report report) {
        last = report;
        long drift = report.drift().values().stream().mapToLong(Long::longValue).sum();
        context.meters().rounds.inc();
        context.meters().compared.inc(report.looked());
        context.meters().withheld.inc(report.withheld());
        report.drift()
                .forEach((zone, count) -> context.meters().zone(zone).drift.set(count));
        if (drift > 0 || report.withheld() > 0 || !report.complete()) {
            LOG.info(
                    "zones compared complete={} looked={} drift={} withheld={}",
                    report.complete(),
                    report.looked(),
                    report.drift(),
                    report.withheld());
        }
    }

    /** One round. */
    private final class Round {
        private final long startedNanos = context.timing().nanos();
        private final long youngestMillis;
        private final List<Replica> zones;
        private final boolean allTakePart;
        private final Map<Replica, Integer> numbers = new HashMap<>();
        private final long[][][] sums;
        private final AtomicLong looked = new AtomicLong();
        private final AtomicLong withheld = new AtomicLong();
        private final AtomicLong undecided = new AtomicLong();
        private final Map<String, Long> drift = new ConcurrentHashMap<>();
        private final Set<Long> decided = ConcurrentHashMap.newKeySet();
        private final BitSet walked = new BitSet();
        private long renewedNanos = startedNanos;
        private volatile boolean lost;

        /** Whether zones change, and this round counts for that. */
        private final boolean moves;

        Round(boolean moves) {
            this.moves = moves;
            // What was written before the zones changed must be found however young it is.
            youngestMillis = moves ? Long.MAX_VALUE : context.clock().millis() - graceMillis;
            zones = context.placement().all().stream().filter(votes).toList();
            // One that leaves may be dead: what it alone should lack or have is in a majority of the others.
            int missing = context.placement().all().size() - zones.size();
            allTakePart = missing == 0
                    || missing
                                    <= context.placement().copies()
                                            - Context.majority(
                                                    context.placement().copies())
                            && context.placement().all().stream()
                                    .allMatch(zone -> zones.contains(zone)
                                            || context.placement().isLeaving(zone));
            sums = new long[zones.size()][zones.size()][];
            for (int i = 0; i < zones.size(); i++) {
                numbers.put(zones.get(i), i);
                drift.put(zones.get(i).zone(), 0L);
                for (int j = 0; j < zones.size(); j++) {
                    sums[i][j] = i == j ? new long[0] : new long[BUCKETS];
                }
            }
        }

        CompletionStage<Report> run() {
            if (zones.size() < 2) {
                return CompletableFuture.completedStage(report(false));
            }
            return walkAll(this::sum, moves).thenCompose(whole -> {
                BitSet suspicious = suspicious();
                if (suspicious.isEmpty()) {
                    return CompletableFuture.completedStage(report(whole));
                }
                return walkAll((zone, items) -> decide(suspicious, items), false)
                        .thenApply(again -> report(whole && again));
            });
        }

        private Report report(boolean whole) {
            return new Report(
                    whole && allTakePart && undecided.get() == 0 && !lost,
                    startedNanos,
                    looked.get(),
                    Map.copyOf(drift),
                    withheld.get());
        }

        private interface Look {
            CompletionStage<Void> at(Replica zone, List<ReplicaPage.Item> items);
        }

        /** Completes with whether every zone was walked to its end. */
        private CompletionStage<Boolean> walkAll(Look look, boolean promises) {
            synchronized (walked) {
                walked.clear();
            }
            List<CompletableFuture<Void>> walks = new ArrayList<>();
            for (Replica zone : zones) {
                walks.add(walk(zone, null, look, promises).toCompletableFuture());
            }
            return CompletableFuture.allOf(walks.toArray(CompletableFuture[]::new))
                    .thenApply(done -> {
                        synchronized (walked) {
                            return walked.cardinality() == zones.size();
                        }
                    });
        }

        private CompletionStage<Void> walk(Replica zone, @Nullable String cursor, Look look, boolean promises) {
            if (closed || lost || !votes.test(zone)) {
                return CompletableFuture.completedStage(null);
            }
            return page(zone, cursor, TRIES).thenCompose(page -> {
                if (page.failure() != null) {
                    LOG.info("zone gave no page to compare zone={} reason={}", zone.zone(), page.failure());
                    return CompletableFuture.completedStage(null);
                }
                List<ReplicaPage.Item> items = page.items().stream()
                        .filter(item -> item.version().epochMillis() <= youngestMillis
                                && !item.key().cache().equals(Turn.CACHE)
                                && context.zonesOf(item.key()).contains(zone))
                        .toList();
                looked.addAndGet(page.items().size());
                return look.at(zone, items)
                        .thenCompose(seen -> promises ? end(zone, page.promises()) : seen())
                        .thenCompose(seen -> pace.take(Math.max(1, page.items().size())))
                        .thenCompose(turned -> renew())
                        .thenCompose(mine -> {
                            String next = page.next();
                            if (next == null) {
                                synchronized (walked) {
                                    walked.set(numbers.getOrDefault(zone, 0));
                                }
                                return CompletableFuture.completedStage(null);
                            }
                            return walk(zone, next, look, promises);
                        });
            });
        }

        private static CompletionStage<Void> seen() {
            return CompletableFuture.completedStage(null);
        }

        /**
         * Zones that come know nothing of what zones that go have promised; an acceptance may still be under way to one that stays.
         */
        private CompletionStage<Void> end(Replica zone, List<ReplicaPage.Item> promises) {
            return ZoneFill.all(
                            promises.stream()
                                    .filter(item -> !item.key().cache().equals(Turn.CACHE)
                                            && context.zonesOf(item.key()).contains(zone))
                                    .toList(),
                            item -> open.end(zone, item, null, pace))
                    .thenAccept(ended -> undecided.addAndGet(ended ? 0 : 1));
        }

        private CompletionStage<ReplicaPage> page(Replica zone, @Nullable String cursor, int tries) {
            return zone.page(cursor, PAGE)
                    .exceptionally(bug -> new ReplicaPage(List.of(), null, String.valueOf(bug)))
                    .thenCompose(page -> page.failure() == null || tries == 1
                            ? CompletableFuture.completedStage(page)
                            : page(zone, cursor, tries - 1));
        }

        /** Keeps the turn. Whoever lost it stops: another node compares by now. */
        private CompletionStage<Void> renew() {
            synchronized (walked) {
                if (context.timing().nanos() - renewedNanos < renewNanos) {
                    return CompletableFuture.completedStage(null);
                }
                renewedNanos = context.timing().nanos();
            }
            return turn.take().thenAccept(taken -> lost |= taken != Turn.Taken.BY_THIS);
        }

        private CompletionStage<Void> sum(Replica zone, List<ReplicaPage.Item> items) {
            int mine = numbers.getOrDefault(zone, 0);
            for (ReplicaPage.Item item : items) {
                long hash = Placement.hashOf(item.key());
                Version version = item.version();
                long digest = Placement.mix(hash ^ Placement.mix(version.clock() ^ Placement.mix(version.node())));
                for (Replica other : context.zonesOf(item.key())) {
                    Integer theirs = numbers.get(other);
                    if (theirs != null && theirs != mine) {
                        // Only this walk writes here. Sums, because the order is the zone's.
                        sums[mine][theirs][bucket(hash)] += digest;
                    }
                }
            }
            return CompletableFuture.completedStage(null);
        }

        private static int bucket(long hash) {
            return (int) (hash >>> 50);
        }

        /** Buckets in which zones that were walked to their ends disagree. */
        private BitSet suspicious() {
            BitSet suspicious = new BitSet(BUCKETS);
            BitSet whole;
            synchronized (walked) {
                whole = (BitSet) walked.clone();
            }
            for (int i = whole.nextSetBit(0); i >= 0; i = whole.nextSetBit(i + 1)) {
                for (int j = whole.nextSetBit(i + 1); j >= 0; j = whole.nextSetBit(j + 1)) {
                    for (int bucket = 0; bucket < BUCKETS; bucket++) {
                        if (sums[i][j][bucket] != sums[j][i][bucket]) {
                            suspicious.set(bucket);
                        }
                    }
                }
            }
            return suspicious;
        }

        private CompletionStage<Void> decide(BitSet suspicious, List<ReplicaPage.Item> items) {
            List<CompletableFuture<Void>> deciding = new ArrayList<>();
            for (ReplicaPage.Item item : items) {
                long hash = Placement.hashOf(item.key());
                if (!suspicious.get(bucket(hash))) {
                    continue;
                }
                // What does not fit is looked at again when another zone is walked.
                if (decided.size() >= MOST_REMEMBERED || decided.add(hash)) {
                    deciding.add(decide(item.key()).toCompletableFuture());
                }
            }
            return pace.take(deciding.size())
                    .thenCompose(turned -> CompletableFuture.allOf(deciding.toArray(CompletableFuture[]::new)));
        }

        /** Asks all zones of {@code key}, and has them agree. */
        private CompletionStage<Void> decide(CacheKey key) {
            Placement.Holders holders = context.placement().holders(key);
            Placement.Holders vouching = context.placement().vouching(key);
            List<CompletableFuture<Lookup>> votesOfAll = new ArrayList<>();
            for (Replica zone : holders.zones()) {
                votesOfAll.add(zone.vote(key).exceptionally(QuorumRead::bug).toCompletableFuture());
            }
            return CompletableFuture.allOf(votesOfAll.toArray(CompletableFuture[]::new))
                    .thenCompose(done -> {
                        List<Lookup> told =
                                votesOfAll.stream().map(CompletableFuture::join).toList();
                        return settle(holders, vouching, told);
                    });
        }

        private CompletionStage<Void> settle(Placement.Holders holders, Placement.Holders vouching, List<Lookup> told) {
            List<Replica> asked = holders.zones();
            Entry newest = null;
            int answered = 0;
            int answering = 0;
            int vouched = 0;
            boolean waiting = false;
            for (int i = 0; i < told.size(); i++) {
                Lookup lookup = told.get(i);
                boolean counts = vouching.zones().contains(asked.get(i));
                if (lookup instanceof Lookup.Unavailable) {
                    waiting |= zones.contains(asked.get(i));
                    continue;
                }
                answered++;
                answering += counts ? 1 : 0;
                if (lookup instanceof Lookup.Hit hit) {
                    vouched += counts ? 1 : 0;
                    newest = hit.entry().version().isNewerThan(newest == null ? null : newest.version())
                            ? hit.entry()
                            : newest;
                }
            }
            if (waiting || answering < vouching.required()) {
                undecided.incrementAndGet();
            }
            boolean enough = answered >= holders.required() || answering >= vouching.required();
            if (newest == null || !enough || newest.version().epochMillis() > youngestMillis) {
                return CompletableFuture.completedStage(null);
            }
            if (vouched < vouching.required() && mayBeDead(newest)) {
                withheld.incrementAndGet();
                return CompletableFuture.completedStage(null);
            }
            List<CompletableFuture<Void>> copying = new ArrayList<>();
            for (int i = 0; i < asked.size(); i++) {
                Lookup lookup = told.get(i);
                Version has = lookup instanceof Lookup.Hit hit ? hit.entry().version() : null;
                if (!(lookup instanceof Lookup.Unavailable) && newest.version().isNewerThan(has)) {
                    drift.merge(asked.get(i).zone(), 1L, Long::sum);
                    copying.add(copy(asked.get(i), newest).toCompletableFuture());
                }
            }
            return CompletableFuture.allOf(copying.toArray(CompletableFuture[]::new));
        }

        /**
         * True when zones that hold nothing may have held a tombstone of this value, or something newer, that has expired since. A
         * zone that holds anything older or equal has never taken anything newer, because versions never go back there.
         */
        private boolean mayBeDead(Entry entry) {
            return entry.kind() != EntryKind.TOMBSTONE
                    && entry.version().epochMillis() < context.clock().millis() - tombstoneMillis;
        }

        private CompletionStage<Void> copy(Replica zone, Entry entry) {
            return zone.put(entry, WriteCondition.IF_NEWER)
                    .exceptionally(QuorumWrite::bug)
                    .thenCompose(outcome -> {
                        if (outcome instanceof StoreOutcome.Applied) {
                            context.meters().zone(zone.zone()).repairs.inc();
                        } else if (outcome instanceof StoreOutcome.Promised) {
                            // It came to nothing, or is under way and begins again.
                            return open.overtake(entry.key(), null, pace)
                                    .thenAccept(done -> undecided.addAndGet(done ? 0 : 1));
                        } else if (!(outcome instanceof StoreOutcome.Superseded)) {
                            undecided.incrementAndGet();
                        }
                        return seen();
                    });
        }
    }
}
