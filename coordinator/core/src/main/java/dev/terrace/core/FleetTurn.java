package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.LeaseStore.Claimed;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One load on its way to the leases of its keys, with them, and until they are given back. Thread-safe.
 *
 * <pre>
 *   claim all --all granted, found or not to be had--> loads, unless all were found --ended--> gives back
 *     ^  \--some held by others--> gives back those behind the first such key, waits --.
 *     `--------------------------------------------------------------------------------'
 * </pre>
 *
 * <p>Keys have an order, and whoever waits for one holds none behind it: so no two loads wait for each other.
 */
final class FleetTurn {
    private static final Logger LOG = LoggerFactory.getLogger(FleetTurn.class);

    private enum State {
        OPEN,
        GRANTED,
        /** L2 did not say. */
        WITHOUT,
        /** Another node's load brought it. */
        FOUND
    }

    private static final class Slot {
        final Flight flight;
        final String owner;
        State state = State.OPEN;

        /** For {@link LeaseStore.Claim}. */
        @Nullable
        Version seen;

        Found found = Found.NOTHING;
        String heldBy = "";

        Slot(Flight flight) {
            this.flight = flight;
            // Drawn once by one node, ever.
            this.owner = flight.began.toString();
            this.seen = seenBy(flight);
        }

        @SuppressWarnings("ReferenceEquality") // whether there was a search at all
        private static @Nullable Version seenBy(Flight flight) {
            Found searched = flight.lookup.join();
            if (searched == Found.NOTHING) {
                return null;
            }
            Version seen = Fills.seen(searched);
            return seen == null ? Version.ZERO : seen;
        }
    }

    private final FleetTurns fleet;
    private final LeaseStore leases;
    private final Load load;
    private final LoadStart next;
    private final List<Slot> slots = new ArrayList<>();
    private final long since;

    // Guarded by this.
    private boolean over;
    private boolean waiting;
    private boolean renewing;
    private boolean waitedOnce;
    private int rounds;
    private @Nullable Future<?> alarm;

    FleetTurn(FleetTurns fleet, LeaseStore leases, Load load, LoadStart next) {
        this.fleet = fleet;
        this.leases = leases;
        this.load = load;
        this.next = next;
        this.since = fleet.nowNanos();
        load.claims().forEach(claim -> slots.add(new Slot(claim.flight())));
        slots.sort((a, b) -> Arrays.compareUnsigned(a.flight.key.nameAndKey(), b.flight.key.nameAndKey()));
        slots.forEach(slot -> fleet.enter(slot.flight.key, this));
        load.ended().whenComplete((done, failure) -> end());
    }

    private synchronized List<Slot> in(State state) {
        return slots.stream().filter(slot -> slot.state == state).toList();
    }

    /** Claims what is still open. */
    void step() {
        List<Slot> open = in(State.OPEN);
        Map<Slot, CompletableFuture<Claimed>> asked = new HashMap<>();
        for (Slot slot : open) {
            asked.put(slot, claim(slot));
        }
        CompletableFuture.allOf(asked.values().toArray(CompletableFuture[]::new))
                .whenComplete((done, bug) -> judge(open, asked));
    }

    private CompletableFuture<Claimed> claim(Slot slot) {
        Version seen = fleet.mutant == LeaseMutant.WITHOUT_A_LOOK ? null : slot.seen;
        Duration keep = fleet.mutant == LeaseMutant.WITHOUT_END ? Duration.ofHours(1) : FleetTurns.LEASE;
        return fleet.inTime(leases, new LeaseStore.Claim(slot.flight.key, slot.owner, keep, seen));
    }

    private void judge(List<Slot> open, Map<Slot, CompletableFuture<Claimed>> asked) {
        List<Slot> changed = new ArrayList<>();
        List<Slot> toGiveBack = new ArrayList<>();
        long wait = -1;
        synchronized (this) {
            int firstHeld = slots.size();
            for (Slot slot : open) {
                Claimed answer = answer(asked.get(slot));
                if (answer instanceof Claimed.Granted) {
                    slot.state = State.GRANTED;
                } else if (answer instanceof Claimed.Held held && fleet.mutant != LeaseMutant.IGNORED) {
                    firstHeld = Math.min(firstHeld, slots.indexOf(slot));
                    slot.heldBy = held.owner();
                    // Not before it can have run out, if that is soon.
                    long left = held.left().toMillis() + 2;
                    wait = wait < 0 ? left : Math.min(wait, left);
                } else if (answer instanceof Claimed.Changed newer) {
                    // Should it be of no use, the lease is wanted all the same, unless something newer still turns up.
                    slot.seen = newer.held();
                    changed.add(slot);
                } else {
                    slot.state = State.WITHOUT;
                }
            }
            for (Slot slot : over ? slots : slots.subList(firstHeld, slots.size())) {
                if (slot.state == State.GRANTED) {
                    slot.state = State.OPEN;
                    toGiveBack.add(slot);
                }
            }
            renewing |= startRenewing();
        }
        toGiveBack.forEach(this::giveBack);
        goOn(changed, wait);
    }

    private Claimed answer(@Nullable CompletableFuture<Claimed> asked) {
        if (asked == null || asked.isCompletedExceptionally()) {
            LOG.error("a store of leases failed instead of answering");
            return new Claimed.Unavailable(dev.terrace.spi.Unavailability.ERROR, "it failed");
        }
        Claimed answer = asked.join();
        if (answer instanceof Claimed.Unavailable) {
            fleet.noteAway();
        } else {
            fleet.noteThere();
        }
        return answer;
    }

    private void goOn(List<Slot> changed, long wait) {
        if (!changed.isEmpty()) {
            CompletableFuture.allOf(changed.stream()
                            .map(slot -> lookAgain(slot).toCompletableFuture())
                            .toArray(CompletableFuture[]::new))
                    .whenComplete((done, bug) -> goOn(List.of(), wait));
        } else if (load.isOver()) {
            end();
        } else if (wait >= 0) {
            await(wait);
        } else if (!in(State.OPEN).isEmpty()) {
            step();
        } else {
            begin();
        }
    }

    private CompletableFuture<Void> lookAgain(Slot slot) {
        return fleet.find(load.cache(), slot.flight)
                .handle((found, bug) -> {
                    if (bug != null) {
                        LOG.error("search through the tiers failed cache={}", load.cache().name, bug);
                    }
                    note(slot, bug == null ? found : Found.NOTHING);
                    return (Void) null;
                })
                .toCompletableFuture();
    }

    private synchronized void note(Slot slot, Found found) {
        if (found.settles(fleet.nowMillis())) {
            slot.found = found;
            slot.state = State.FOUND;
            return;
        }
        Version seen = found.seenByRemote();
        if (seen != null && seen.isNewerThan(slot.seen)) {
            slot.seen = seen;
        }
    }

    private void await(long left) {
        synchronized (this) {
            if (over) {
                return;
            }
            if (!waitedOnce) {
                waitedOnce = true;
                fleet.metrics.waited.inc();
            }
            long longest =
                    Math.min(FleetTurns.LONGEST_WAIT_MILLIS, FleetTurns.SHORTEST_WAIT_MILLIS << Math.min(rounds++, 8));
            // Neither in step with others who wait, nor long after the lease has run out.
            long millis = Math.max(1, Math.min(left, longest - jitter(longest / 2)));
            waiting = true;
            try {
                alarm = fleet.timer().schedule(this::wake, millis, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException closing) {
                LOG.debug("no waiting for leases while closing");
            }
        }
    }

    /** Another one for every load and round, and the same in every run of a simulation. */
    private long jitter(long below) {
        return Math.floorMod((slots.get(0).owner.hashCode() + rounds) * 0x9E3779B97F4A7C15L >>> 16, below);
    }

    /** Ends a wait before its time. */
    void wake() {
        synchronized (this) {
            if (!waiting || over) {
                return;
            }
            waiting = false;
            if (alarm != null) {
                alarm.cancel(false);
            }
        }
        if (load.isOver()) {
            end();
        } else {
            step();
        }
    }

    private void begin() {
        int granted = in(State.GRANTED).size();
        List<Slot> found = in(State.FOUND);
        fleet.metrics.granted.inc(granted);
        fleet.metrics.without.inc(in(State.WITHOUT).size());
        fleet.metrics.shared.inc(found.size());
        Map<Flight, Found> byFlight = new HashMap<>();
        found.forEach(slot -> byFlight.put(slot.flight, slot.found));
        if (found.size() == slots.size()) {
            load.answer(flight -> byFlight.getOrDefault(flight, Found.NOTHING));
            return;
        }
        if (!found.isEmpty()) {
            load.spare(byFlight);
        }
        next.start(load);
    }

    private synchronized boolean startRenewing() {
        boolean any = slots.stream().anyMatch(slot -> slot.state == State.GRANTED);
        if (!any || renewing || over || fleet.mutant == LeaseMutant.NEVER_RENEWED) {
            return false;
        }
        return renewLater();
    }

    private boolean renewLater() {
        try {
            fleet.timer().schedule(this::renew, FleetTurns.RENEW_MILLIS, TimeUnit.MILLISECONDS);
            return true;
        } catch (RejectedExecutionException closing) {
            return false;
        }
    }

    private void renew() {
        boolean tooOld = fleet.nowNanos() - since > TimeUnit.MILLISECONDS.toNanos(fleet.longestMillis());
        synchronized (this) {
            if (over || tooOld) {
                renewing = false;
                return;
            }
            renewLater();
        }
        for (Slot slot : in(State.GRANTED)) {
            leases.renew(slot.flight.key, slot.owner, FleetTurns.LEASE).thenAccept(answer -> {
                if (answer instanceof Claimed.Held) {
                    lost(slot);
                }
            });
        }
    }

    private synchronized void lost(Slot slot) {
        if (!over && slot.state == State.GRANTED) {
            slot.state = State.WITHOUT;
            fleet.metrics.lost.inc();
        }
    }

    /** The load has ended, or will never be: its value, if it brought one, is in L2. */
    private void end() {
        List<Slot> granted;
        synchronized (this) {
            if (over) {
                return;
            }
            over = true;
            granted = in(State.GRANTED);
            if (alarm != null) {
                alarm.cancel(false);
            }
        }
        slots.forEach(slot -> fleet.leave(slot.flight.key, this));
        granted.forEach(this::giveBack);
    }

    private void giveBack(Slot slot) {
        if (fleet.mutant == LeaseMutant.KEPT) {
            return;
        }
        leases.release(slot.flight.key, slot.owner).thenAccept(released -> {
            Entry stored = storedBy(slot.flight);
            if (released == LeaseStore.Released.WANTED && stored != null) {
                fleet.tell(stored);
            }
        });
    }

    private static @Nullable Entry storedBy(Flight flight) {
        if (!flight.loaded.isDone() || flight.loaded.isCompletedExceptionally()) {
            return null;
        }
        return flight.loaded.join().entry();
    }

    /** What it has to do with {@code key}, in words. */
    synchronized String describe(CacheKey key) {
        for (Slot slot : slots) {
            if (slot.flight.key.equals(key)) {
                return switch (slot.state) {
                    case GRANTED -> "this node holds the lease for its load";
                    case WITHOUT -> "this node loads without a lease, because L2 did not say who may";
                    case FOUND -> "another node has just loaded it";
                    case OPEN ->
                        slot.heldBy.isEmpty()
                                ? "this node asks for the lease"
                                : "this node waits for the load that holds the lease, " + slot.heldBy;
                };
            }
        }
        return "";
    }
}
