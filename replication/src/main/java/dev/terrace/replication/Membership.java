package dev.terrace.replication;

import dev.terrace.spi.Replica;
import dev.terrace.spi.Replica.Standing;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Examines the zones again and again, and fills one that may have forgotten something from enough others before it lets it
 * vote again. Several nodes may do so at once: each fills the zone as a whole before it admits it. Thread-safe.
 *
 * <p>How many others are enough: an acknowledged write is in a majority of its zones, so of the others at most {@code majority -
 * 2} may be missing without some write being known only to them and to the one that forgot.
 */
final class Membership {
    private static final Logger LOG = LoggerFactory.getLogger(Membership.class);
    private static final long SOON_MILLIS = 5;

    private final Placement placement;
    private final List<Replica> zones;
    private final int copies;
    private final Timing timing;
    private final Meters meters;
    private final Supplier<String> tokens;
    private final long intervalMillis;
    private final long waitMillis;
    private final long keepMillis;
    private final Set<Mutation> mutations;
    private final Map<String, Standing> standings = new LinkedHashMap<>();
    private final Map<String, ZoneFill> fills = new LinkedHashMap<>();
    private final Pace pace;
    private final boolean reform;
    private final Function<String, Turn> turns;
    private final OpenPromises open;
    private final AtomicBoolean formed;
    private boolean lossAnnounced;
    private boolean closed;
    private boolean asking;
    private boolean acting;
    private boolean again;
    private long examinations;

    /**
     * @param formed whether a zone has ever voted, as far as this node knows
     * @param tokens makes names for incarnations, never the same twice
     * @param intervalMillis between examinations
     * @param waitMillis from the moment when a zone is seen to have forgotten until it is filled: longer than operations take
     * @param keepMillis how long promises are kept
     * @param pace of copying
     * @param reform whether zones are formed anew when acknowledged data may be lost; else they wait for an operator
     * @param turns who fills a zone
     * @param open ends promises that nothing has fulfilled, before a zone is filled past them
     */
    Membership(
            Placement placement,
            Timing timing,
            Meters meters,
            AtomicBoolean formed,
            Supplier<String> tokens,
            long intervalMillis,
            long waitMillis,
            long keepMillis,
            Pace pace,
            boolean reform,
            Function<String, Turn> turns,
            OpenPromises open,
            Set<Mutation> mutations) {
        this.placement = placement;
        this.zones = placement.all();
        this.copies = placement.copies();
        this.timing = timing;
        this.meters = meters;
        this.formed = formed;
        this.tokens = tokens;
        this.intervalMillis = intervalMillis;
        this.waitMillis = mutations.contains(Mutation.FILLED_AT_ONCE) ? 0 : waitMillis;
        this.pace = pace;
        this.reform = reform;
        this.turns = turns;
        this.open = open;
        this.mutations = mutations;
        this.keepMillis = keepMillis;
    }

    Membership start() {
        examine(0);
        return this;
    }

    /** Looks at once, because a call was told that {@code zone} has forgotten. */
    void suspect(Replica zone) {
        long next;
        synchronized (this) {
            if (closed || standings.get(zone.zone()) != Standing.MEMBER) {
                return; // Known already.
            }
            if (asking) {
                again = true;
                return;
            }
            next = ++examinations;
        }
        meters.suspected.inc();
        timing.after(0, () -> examine(next));
    }

    synchronized void close() {
        closed = true;
    }

    /** Whether a zone has voted since this node started: then zones that hold nothing are not new but have lost everything. */
    private boolean isFormed() {
        return formed.get();
    }

    private synchronized boolean isClosed() {
        return closed;
    }

    /** What the last examination said; {@link Standing#UNREACHABLE} before the first. */
    synchronized Standing standing(String zone) {
        return standings.getOrDefault(zone, Standing.UNREACHABLE);
    }

    /** How many entries were copied into a zone that is being filled; -1 when it is not. */
    synchronized long copied(String zone) {
        ZoneFill fill = fills.get(zone);
        return fill == null ? -1 : fill.copied();
    }

    /** Goes on while something is done about what was found: a filling may take long. */
    private void examine(long examination) {
        synchronized (this) {
            if (closed || examination != examinations) {
                return;
            }
            asking = true;
        }
        ask().whenComplete((told, bug) -> {
            if (bug != null) {
                LOG.error("examining the zones failed", bug);
            }
            boolean free;
            boolean soon;
            long next;
            synchronized (this) {
                asking = false;
                soon = again;
                again = false;
                free = !acting && bug == null;
                acting |= free;
                next = ++examinations;
            }
            timing.after(soon ? SOON_MILLIS : intervalMillis, () -> examine(next));
            if (free) {
                act(told).whenComplete((acted, failed) -> {
                    if (failed != null) {
                        LOG.error("filling zones failed", failed);
                    }
                    synchronized (this) {
                        acting = false;
                    }
                });
            }
        });
    }

    /** Asks all zones where they stand. */
    private CompletionStage<Map<Replica, Standing>> ask() {
        Map<Replica, CompletableFuture<Standing>> asked = new LinkedHashMap<>();
        for (Replica zone : zones) {
            asked.put(
                    zone,
                    zone.examine().exceptionally(bug -> Standing.UNREACHABLE).toCompletableFuture());
        }
        return CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .thenApply(done -> {
                    Map<Replica, Standing> told = new LinkedHashMap<>();
                    asked.forEach((zone, standing) -> told.put(zone, standing.join()));
                    note(told);
                    return told;
                });
    }

    private synchronized void note(Map<Replica, Standing> told) {
        told.forEach((zone, standing) -> {
            if (standing == Standing.MEMBER) {
                formed.set(true);
                fills.remove(zone.zone());
            }
            lossAnnounced &= !told.values().stream().allMatch(each -> each == Standing.MEMBER);
            Standing before = standings.put(zone.zone(), standing);
            if (standing != before) {
                if (standing == Standing.FORGETFUL) {
                    meters.forgotten.inc();
                }
                LOG.info("zone stands zone={} standing={} before={}", zone.zone(), standing, before);
            }
        });
    }

    private CompletionStage<Void> act(Map<Replica, Standing> told) {
        if (told.values().stream().allMatch(standing -> standing == Standing.MEMBER)) {
            return done();
        }
        if (!isFormed() && told.values().stream().allMatch(standing -> standing == Standing.NEW)) {
            LOG.info(
                    "zones are formed zones={}",
                    zones.stream().map(Replica::zone).toList());
            return form();
        }
        List<Replica> needy = told.entrySet().stream()
                .filter(zone -> mayBeFilled(zone.getValue()))
                .map(Map.Entry::getKey)
                .toList();
        if (needy.isEmpty()) {
            return done();
        }
        // Begun before the wait, so that a zone which forgets again meanwhile is not admitted by what was seen before.
        return begin(needy).thenCompose(this::waitAndFill);
    }

    /**
     * Lets zones vote that have never held anything. They are asked again after they were begun: another node may have formed them,
     * and one may have restarted, since they were asked first.
     */
    private CompletionStage<Void> form() {
        return begin(zones)
                .thenCompose(sessions -> ask().thenCompose(again -> {
                    if (sessions.size() < zones.size()
                            || !again.values().stream().allMatch(standing -> standing == Standing.NEW)) {
                        return done();
                    }
                    return admit(sessions);
                }));
    }

    /** The tokens of the zones that could be begun. */
    private CompletionStage<Map<Replica, String>> begin(List<Replica> needy) {
        Map<Replica, String> sessions = new ConcurrentHashMap<>();
        return each(needy, zone -> {
                    String token = tokens.get();
                    return ZoneFill.patiently(() -> zone.begin(token), begun -> begun, ZoneFill.TRIES)
                            .thenAccept(begun -> {
                                if (begun) {
                                    sessions.put(zone, token);
                                }
                            });
                })
                .thenApply(done -> sessions);
    }

    private CompletionStage<Void> admit(Map<Replica, String> sessions) {
        return each(
                List.copyOf(sessions.keySet()),
                zone -> ZoneFill.patiently(
                                () -> zone.admit(sessions.getOrDefault(zone, "")), admitted -> admitted, ZoneFill.TRIES)
                        .thenAccept(admitted -> {
                            if (!admitted) {
                                LOG.warn("zone was filled but not admitted, trying again later zone={}", zone.zone());
                            }
                        }));
    }

    private CompletionStage<Void> waitAndFill(Map<Replica, String> sessions) {
        if (sessions.isEmpty()) {
            return done();
        }
        CompletableFuture<Void> acted = new CompletableFuture<>();
        // Operations that counted what the zone has forgotten must have ended, one way or the other, before it is
        // filled.
        timing.after(
                waitMillis,
                () -> ask().thenCompose(again -> fill(sessions, again)).whenComplete((filled, bug) -> {
                    if (bug != null) {
                        LOG.error("filling zones failed", bug);
                    }
                    acted.complete(null);
                }));
        return acted;
    }

    private static boolean mayBeFilled(Standing standing) {
        return standing == Standing.FORGETFUL || standing == Standing.NEW;
    }

    private static CompletionStage<Void> done() {
        return CompletableFuture.completedStage(null);
    }

    private CompletionStage<Void> fill(Map<Replica, String> sessions, Map<Replica, Standing> told) {
        List<Replica> members = told.entrySet().stream()
                .filter(zone -> zone.getValue() == Standing.MEMBER)
                .map(Map.Entry::getKey)
                .toList();
        List<Replica> still = zones.stream()
                .filter(sessions::containsKey)
                .filter(zone -> mayBeFilled(told.getOrDefault(zone, Standing.UNREACHABLE)))
                .toList();
        if (still.isEmpty() || isClosed()) {
            return done();
        }
        if (!isFormed() && told.values().stream().allMatch(standing -> standing == Standing.NEW)) {
            // One of them did not answer before; the next examination forms them.
            return done();
        }
        int mayBeMissing = Context.majority(copies) - 2;
        if (placement.isUndecided() && placement.canDecide(members)) {
            return done(); // For a moment only.
        }
        // While zones join and leave, some nodes write to majorities of the old ones and some to majorities of the new
        // ones.
        long missing = placement.lists().stream()
                .mapToLong(list -> list.size()
                        - 1
                        - members.stream().filter(list::contains).count())
                .max()
                .orElse(0);
        if (missing <= mayBeMissing || mutations.contains(Mutation.FILLED_FROM_ONE) && !members.isEmpty()) {
            List<Replica> sources = mutations.contains(Mutation.FILLED_FROM_ONE) ? members.subList(0, 1) : members;
            return each(still, zone -> refill(zone, sessions.getOrDefault(zone, ""), sources));
        }
        if (told.values().stream()
                .anyMatch(standing -> standing == Standing.UNREACHABLE || standing == Standing.FOREIGN)) {
            LOG.warn(
                    "zones wait to be filled until more of the others answer zones={} members={}",
                    still.stream().map(Replica::zone).toList(),
                    members.stream().map(Replica::zone).toList());
            return done();
        }
        // Asked one after the other, zones may seem to have forgotten together that took turns.
        return askAgain(told.containsValue(Standing.NEW)).thenCompose(again -> {
            if (!again.equals(told)) {
                return done();
            }
            announceLoss(still, members);
            return reform ? reform(still, sessions) : done();
        });
    }

    /**
     * @param forming whether another node may be forming the zones, and some have heard of it: then the others get the time to, too
     */
    private CompletionStage<Map<Replica, Standing>> askAgain(boolean forming) {
        if (!forming) {
            return ask();
        }
        CompletableFuture<Map<Replica, Standing>> told = new CompletableFuture<>();
        timing.after(
                waitMillis,
                () -> ask().whenComplete((standings, bug) -> {
                    if (bug != null) {
                        told.completeExceptionally(bug);
                    } else {
                        told.complete(standings);
                    }
                }));
        return told;
    }

    /** Once for all attempts at the same forming. */
    private void announceLoss(List<Replica> forgetful, List<Replica> members) {
        synchronized (this) {
            if (lossAnnounced) {
                return;
            }
            lossAnnounced = true;
        }
        meters.dataMayBeLost.inc();
        LOG.error(
                "so many zones have forgotten that acknowledged data may be lost; {} zones={} members={}",
                reform
                        ? "they are formed anew from what all of them hold"
                        : "they do not vote until majority_forgot: reform is set",
                forgetful.stream().map(Replica::zone).toList(),
                members.stream().map(Replica::zone).toList());
    }

    /** Each gets what any has, then all vote. */
    private CompletionStage<Void> reform(List<Replica> needy, Map<Replica, String> sessions) {
        return ZoneFill.all(
                        needy,
                        zone -> fresh(zone, sessions.getOrDefault(zone, ""), zones, false)
                                .run())
                .thenCompose(whole -> {
                    needy.forEach(this::forget);
                    if (!whole) {
                        return done();
                    }
                    Map<Replica, String> filled = new LinkedHashMap<>(sessions);
                    filled.keySet().retainAll(needy);
                    return admit(filled);
                });
    }

    private synchronized void forget(Replica zone) {
        fills.remove(zone.zone());
    }

    private synchronized ZoneFill fresh(Replica zone, String token, List<Replica> sources, boolean voting) {
        ZoneFill fill = new ZoneFill(
                zone,
                token,
                sources,
                voting,
                key -> placement.belongs(key, zone),
                pace,
                meters,
                this::isClosed,
                mutations.contains(Mutation.PROMISES_NOT_COPIED) ? null : Duration.ofMillis(keepMillis),
                voting && !mutations.contains(Mutation.OPEN_PROMISES_LEFT_OPEN) ? open : null);
        fills.put(zone.zone(), fill);
        return fill;
    }

    /** Goes on with what was begun before, if that was from the same zones. */
    private synchronized ZoneFill fillOf(Replica zone, String token, List<Replica> sources) {
        ZoneFill begun = fills.get(zone.zone());
        if (begun != null && begun.isFrom(sources)) {
            LOG.info("zone goes on being filled zone={} copied={}", zone.zone(), begun.copied());
            return begun;
        }
        LOG.info(
                "zone is filled zone={} from={}",
                zone.zone(),
                sources.stream().map(Replica::zone).toList());
        return fresh(zone, token, sources, true);
    }

    /** One node at a time, where a majority can tell whose turn it is. */
    private CompletionStage<Void> refill(Replica zone, String token, List<Replica> sources) {
        Turn turn = turns.apply(zone.zone());
        return turn.take().thenCompose(mine -> {
            if (mine == Turn.Taken.BY_ANOTHER) {
                return done();
            }
            return refillNow(zone, token, sources, turn)
                    .handle((filled, bug) -> {
                        if (bug != null) {
                            LOG.error("filling a zone failed zone={}", zone.zone(), bug);
                        }
                        return turn.done(0);
                    })
                    .thenCompose(given -> given)
                    .thenCompose(given -> done());
        });
    }

    private CompletionStage<Void> refillNow(Replica zone, String token, List<Replica> sources, Turn turn) {
        meters.zone(zone.zone()).resyncs.inc();
        ZoneFill fill = fillOf(zone, token, sources);
        AtomicBoolean running = new AtomicBoolean(true);
        turn.keepWhile(() -> running.get() && !isClosed());
        return fill.run()
                .whenComplete((whole, bug) -> running.set(false))
                .thenCompose(whole -> whole ? ask() : CompletableFuture.completedStage(Map.<Replica, Standing>of()))
                .thenCompose(told -> {
                    // A page of a source that has restarted may have been empty.
                    if (!sources.stream().allMatch(source -> told.get(source) == Standing.MEMBER)) {
                        LOG.warn("zone could not be filled, going on later zone={}", zone.zone());
                        return done();
                    }
                    // Whether it is admitted or has lost what it was filled with: this filling is over.
                    forget(zone);
                    return admit(Map.of(zone, fill.token()));
                });
    }

    private interface Each<T> {
        CompletionStage<Void> run(T item);
    }

    private static <T> CompletionStage<Void> each(Collection<T> items, Each<T> action) {
        List<CompletableFuture<Void>> running = new ArrayList<>();
        items.forEach(item -> running.add(action.run(item).toCompletableFuture()));
        return CompletableFuture.allOf(running.toArray(CompletableFuture[]::new));
    }
}
