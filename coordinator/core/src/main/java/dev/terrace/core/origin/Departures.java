package dev.terrace.core.origin;

import dev.terrace.config.WritePolicy;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which calls of writers may go out now: so many at once, by cache in {@linkplain Lane lanes}, each when its time has come. Guarded by
 * {@link WriteBehind}'s lock.
 */
final class Departures {
    private static final Logger LOG = LoggerFactory.getLogger(Departures.class);

    private final Map<String, Lane> lanes = new HashMap<>();
    private final WriteBehind.Origin origin;
    private final InstantSource clock;
    private final SplittableRandom random;
    private final int most;
    private int running;

    /** A call of a writer, with what it carries. */
    record Flight(Lane lane, List<Waiting> carried, List<OriginCall> calls) {}

    /**
     * @param random spreads retries
     * @param most calls at once
     */
    Departures(WriteBehind.Origin origin, InstantSource clock, SplittableRandom random, int most) {
        this.origin = origin;
        this.clock = clock;
        this.random = random;
        this.most = most;
    }

    private Lane lane(String cache) {
        return lanes.computeIfAbsent(cache, Lane::new);
    }

    /** It goes out when it is due. */
    void add(Waiting one) {
        lane(one.key.cache()).due.add(one);
    }

    /** It does not go out. */
    void remove(Waiting one) {
        lane(one.key.cache()).due.remove(one);
    }

    /** Lets out what may go. */
    List<Flight> leave() {
        List<Flight> flights = new ArrayList<>();
        boolean started = true;
        while (started && running < most) {
            started = false;
            for (Lane lane : lanes.values()) {
                long now = clock.millis();
                if (running < most && lane.nextMillis() <= now && origin.hasWriter(lane.cache)) {
                    flights.add(next(lane, now));
                    started = true;
                }
            }
        }
        return flights;
    }

    private Flight next(Lane lane, long now) {
        // The first one's policy speaks for the batch; where the origin fails, a single write finds out whether it
        // still does.
        int batch = origin.takesMany(lane.cache) && !lane.isFailing()
                ? origin.policy(lane.due.first().key).batch()
                : 1;
        List<Waiting> carried = lane.take(now, batch);
        List<OriginCall> calls = new ArrayList<>(carried.size());
        for (Waiting one : carried) {
            one.busy = true;
            calls.add(new OriginCall(one.entry, one.attempts + 1));
        }
        lane.running++;
        running++;
        return new Flight(lane, carried, calls);
    }

    /** When {@link #leave} has something to do again, unless a call ends before; {@link Long#MAX_VALUE} when only that helps. */
    long nextMillis() {
        long next = Long.MAX_VALUE;
        if (running < most) {
            for (Lane lane : lanes.values()) {
                if (origin.hasWriter(lane.cache)) {
                    next = Math.min(next, lane.nextMillis());
                }
            }
        }
        return next;
    }

    /** A call has ended, with these answers; none for its cache goes out for a while when the origin failed. */
    void landed(Flight flight, List<WriteAnswer> answers) {
        Lane lane = flight.lane();
        running--;
        lane.running--;
        boolean alive = answers.stream()
                .anyMatch(answer ->
                        answer.kind() == WriteAnswer.Kind.TAKEN || answer.kind() == WriteAnswer.Kind.REJECTED);
        if (alive) {
            if (lane.tellsOfSuccess()) {
                LOG.info("origin takes writes again cache={}", lane.cache);
            }
            lane.succeeded();
        } else if (!answers.isEmpty()) {
            if (lane.tellsOfFailure(clock.millis())) {
                LOG.warn(
                        "origin takes no writes, they wait cache={} reason={}",
                        lane.cache,
                        answers.get(0).reason());
            }
            WritePolicy policy = origin.policy(flight.carried().get(0).key);
            lane.failed(clock.millis() + pause(policy, lane.failuresInRow + 1));
        }
    }

    /** It waits again, for its next attempt or because something newer came. */
    void again(Waiting one) {
        one.busy = false;
        long pause = one.attempts == 0 ? 0 : pause(origin.policy(one.key), one.attempts);
        one.dueMillis = clock.millis() + pause;
        add(one);
    }

    /** Doubles with each failure, and is spread over its second half, so that what failed together is not tried together. */
    private long pause(WritePolicy policy, int failures) {
        long first = policy.backoff().toMillis();
        long longest = policy.longestBackoff().toMillis();
        int doublings = Math.min(failures - 1, Long.numberOfLeadingZeros(first) - 1);
        long pause = Math.max(1, Math.min(longest, first << doublings));
        return pause / 2 + random.nextLong(pause / 2 + 1);
    }

    /** What waits for company goes out; what failed still waits for its next attempt. */
    void hurry() {
        long now = clock.millis();
        for (Lane lane : lanes.values()) {
            List<Waiting> all = List.copyOf(lane.due);
            lane.due.clear();
            for (Waiting one : all) {
                if (one.attempts == 0) {
                    one.dueMillis = Math.min(one.dueMillis, now);
                }
                lane.due.add(one);
            }
        }
    }

    /** True when what is left waits for an origin to recover, or for its writer. */
    boolean areHeldUp() {
        return lanes.values().stream()
                .allMatch(lane -> lane.due.isEmpty() || lane.isFailing() || !origin.hasWriter(lane.cache));
    }
}
