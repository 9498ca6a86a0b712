package dev.terrace.core;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.Notice;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What this node knows of what it knows: how long ago it had certainly heard everything, and when no other node can trust an
 * older copy any more. A pure state machine: it is told what channels bring and asks two clocks; it sends nothing and waits
 * for nothing. See {@code docs/adr/0006}.
 *
 * <p>Channels are numbered; the first {@code logs} are logs, the rest second paths. Thread-safe: {@link #trustedUntil} is one
 * comparison with a volatile; everything else takes a lock for a moment.
 */
final class Coherence {
    /** A node that has said nothing for so many leases is forgotten, while the logs are heard. */
    private static final int LEASES_REMEMBERED = 60;

    private static final int BEATS_KEPT = 1024;
    private static final long NEVER = Long.MIN_VALUE / 2;

    /** Not trusted, whatever the wall clock says. */
    static final long NOT_TRUSTED = Long.MIN_VALUE;

    private final long node;
    private final int logs;
    private final long leaseNanos;
    private final LongSupplier nanos;
    private final InstantSource wall;
    private final Mutant mutant;
    private final Path[] paths;
    private final Map<Long, Peer> peers = new HashMap<>();
    private final Sent[] sent = new Sent[BEATS_KEPT];
    private final List<Waiting> waiting = new ArrayList<>();
    private final long start;
    private long beats;
    private long sweepNumber;
    private boolean sweeping;
    private long notBefore;

    /** From when on every beat in the logs was heard; what rests on an earlier one ends a lease later. */
    private long listeningSince;

    /** When the newest own beat that proves anything was sent, in nanoseconds since {@link #start}. */
    private volatile long heardSince = NEVER;

    private volatile long heardSinceWallMillis;

    private record Sent(long number, long nanos, long wallMillis) {}

    /** An own beat that came back, and where. */
    private record Echo(Sent beat, long position) {}

    /** What is known of one channel. */
    private static final class Path {
        long heardUpTo = Backplane.NOT_KNOWN;
        Sent since = new Sent(-1, NEVER, 0);

        /** Of a second path: it did not take something that this node said, and has not got it since. */
        boolean owing;

        final List<Echo> echoes = new ArrayList<>();
    }

    /** What is known of another node. */
    private static final class Peer {
        final long[] heardUpTo;
        long lastHeard;
        long leaseNanos;

        Peer(int paths) {
            heardUpTo = new long[paths];
            Arrays.fill(heardUpTo, Backplane.NOT_KNOWN);
        }

        boolean hasHeard(long[] positions) {
            for (int i = 0; i < positions.length; i++) {
                if (positions[i] >= 0 && heardUpTo[i] >= positions[i]) {
                    return true;
                }
            }
            return false;
        }
    }

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Waiting(long[] positions, boolean inLogs, long published, CompletableFuture<Boolean> confirmed) {}

    /**
     * @param paths how many channels there are, the logs first
     * @param leaseNanos for how long this node trusts copies of strict caches after a beat
     * @param nanos a clock that only moves on, while the process runs
     * @param wall the wall clock, which also moves while the machine sleeps
     */
    Coherence(long node, int logs, int paths, long leaseNanos, LongSupplier nanos, InstantSource wall, Mutant mutant) {
        this.node = node;
        this.logs = logs;
        this.leaseNanos = leaseNanos;
        this.nanos = nanos;
        this.wall = wall;
        this.mutant = mutant;
        this.start = nanos.getAsLong();
        this.paths = new Path[paths];
        for (int i = 0; i < paths; i++) {
            this.paths[i] = new Path();
        }
        // Beats of an earlier life of this node must not be taken for ours.
        this.beats = wall.millis() << 16;
    }

    /** Nobody else writes what this process holds, or nobody tells it: then nothing is ever heard, nor beaten. */
    boolean isSilent() {
        return paths.length == 0;
    }

    /**
     * Until when, by the wall clock, a copy may be answered as fresh; {@link #NOT_TRUSTED} when not at all. To be asked before
     * the copy is read, and compared with the wall clock after: a machine that slept has a wall clock far ahead of this.
     */
    long trustedUntil(long boundNanos) {
        long since = heardSince;
        long wallSince = heardSinceWallMillis;
        return nanos.getAsLong() - start - since < boundNanos ? wallSince + boundNanos / 1_000_000 + 1 : NOT_TRUSTED;
    }

    boolean isTrusted(long boundNanos) {
        return wall.millis() <= trustedUntil(boundNanos);
    }

    /** How long ago this node had certainly heard everything. Milliseconds; {@code Long.MAX_VALUE} when never. */
    long stalenessMillis() {
        long since = heardSince;
        return since == NEVER ? Long.MAX_VALUE : TimeUnit.NANOSECONDS.toMillis(now() - since);
    }

    private long now() {
        return nanos.getAsLong() - start;
    }

    /** A beat for every channel, to be sent at once. */
    synchronized List<Notice> beat(boolean leaving) {
        Sent beat = new Sent(++beats, now(), wall.millis());
        sent[(int) (beat.number() & BEATS_KEPT - 1)] = beat;
        List<Notice> perPath = new ArrayList<>();
        for (Path path : paths) {
            // What was missed in a gap has not been acted on before everything was dropped; and whoever takes this for
            // a
            // proof of having heard all that this node said must not, while that is not so.
            long told = sweeping || path.owing ? Backplane.NOT_KNOWN : path.heardUpTo;
            perPath.add(
                    new Notice.Beat(node, beat.number(), told, TimeUnit.NANOSECONDS.toMillis(leaseNanos) + 1, leaving));
        }
        return perPath;
    }

    /** A channel was heard up to {@code position}, and what these notices say has been done. */
    void heard(int channel, List<Notice> notices, long position) {
        List<Runnable> completions;
        synchronized (this) {
            Path path = paths[channel];
            for (Notice notice : notices) {
                if (notice instanceof Notice.Beat beat) {
                    if (beat.node() == node) {
                        ownBeat(channel, beat, position);
                    } else {
                        otherBeat(channel, beat);
                    }
                }
            }
            path.heardUpTo = Math.max(path.heardUpTo, position);
            conclude();
            completions = settle();
        }
        completions.forEach(Runnable::run);
    }

    private void ownBeat(int channel, Notice.Beat beat, long position) {
        Sent known = sent[(int) (beat.number() & BEATS_KEPT - 1)];
        if (known == null || known.number() != beat.number() || sweeping || known.nanos() < notBefore) {
            return;
        }
        if (mutant == Mutant.BEAT_BY_RECEIVE_TIME) {
            known = new Sent(known.number(), now(), wall.millis());
        }
        Path path = paths[channel];
        if (channel < logs) {
            if (known.nanos() > path.since.nanos()) {
                path.since = known;
            }
        } else if (path.echoes.size() < BEATS_KEPT) {
            path.echoes.add(new Echo(known, position));
        }
    }

    private void otherBeat(int channel, Notice.Beat beat) {
        if (beat.leaving()) {
            peers.remove(beat.node());
            return;
        }
        Peer peer = peers.computeIfAbsent(beat.node(), fresh -> new Peer(paths.length));
        peer.heardUpTo[channel] = Math.max(peer.heardUpTo[channel], beat.heardUpTo());
        peer.lastHeard = now();
        peer.leaseNanos = TimeUnit.MILLISECONDS.toNanos(beat.leaseMillis());
    }

    /** Draws the conclusion from all channels; the caller holds the lock. */
    private void conclude() {
        Sent best = byLogs();
        // Beside logs a second path only carries notices: who has joined lately and cannot be reached over it writes to
        // the logs.
        for (int i = logs; logs == 0 && i < paths.length; i++) {
            Sent bySecondPath = bySecondPath(i);
            if (knowsAll(now()) && bySecondPath.nanos() > best.nanos()) {
                best = bySecondPath;
            }
        }
        if (best.nanos() > heardSince) {
            // The wall clock first: whoever sees the new one of a pair must not see an older other.
            heardSinceWallMillis = best.wallMillis();
            heardSince = best.nanos();
        }
    }

    /** A majority of the logs has been heard up to this beat, so one log at least that has any announced notice. */
    private Sent byLogs() {
        Sent best = new Sent(-1, NEVER, 0);
        for (int i = 0; i < logs; i++) {
            Sent candidate = paths[i].since;
            int asGood = 0;
            for (int j = 0; j < logs; j++) {
                asGood += paths[j].since.nanos() >= candidate.nanos() ? 1 : 0;
            }
            if (2 * asGood > logs && candidate.nanos() > best.nanos()) {
                best = candidate;
            }
        }
        return best;
    }

    /** Every node known has heard this beat and was heard since: what it had said before has been heard too. */
    private Sent bySecondPath(int channel) {
        Path path = paths[channel];
        path.echoes.removeIf(echo -> {
            boolean byAll = peers.values().stream().allMatch(peer -> peer.heardUpTo[channel] >= echo.position());
            if (byAll && echo.beat().nanos() > path.since.nanos()) {
                path.since = echo.beat();
            }
            return byAll;
        });
        return path.since;
    }

    /**
     * A channel may have missed something: every copy of this process must be dropped.
     *
     * @return a number for {@link #swept}, when that has been done
     */
    synchronized long gap(int channel) {
        if (mutant == Mutant.TRIMMED_LOG_TRUSTED) {
            return 0;
        }
        if (channel < logs || logs == 0) {
            listeningSince = now();
        }
        for (Path each : paths) {
            each.since = new Sent(-1, NEVER, 0);
            each.echoes.clear();
        }
        heardSince = NEVER;
        sweeping = true;
        return ++sweepNumber;
    }

    /** Whether a second path lacks something that this node said. */
    synchronized void owes(int channel, boolean owing) {
        paths[channel].owing = owing;
    }

    /** What was held before the gap is gone; beats sent from now on count again. */
    synchronized void swept(long number) {
        if (number == sweepNumber) {
            sweeping = false;
            notBefore = now();
        }
    }

    /**
     * Completes with true when no other node trusts a copy older than a notice any more, with false when that cannot be said.
     *
     * @param positions where each channel has the notice, {@link Backplane#NOT_KNOWN} where it may not
     */
    CompletionStage<Boolean> confirm(long[] positions) {
        int took = 0;
        for (int i = 0; i < logs; i++) {
            took += positions[i] >= 0 ? 1 : 0;
        }
        CompletableFuture<Boolean> confirmed = new CompletableFuture<>();
        List<Runnable> completions;
        synchronized (this) {
            waiting.add(new Waiting(positions.clone(), 2 * took > logs, now(), confirmed));
            completions = settle();
        }
        completions.forEach(Runnable::run);
        return confirmed;
    }

    /** To be called now and then: time alone settles some questions. */
    void tick() {
        List<Runnable> completions;
        synchronized (this) {
            long now = now();
            if (now - byLogs().nanos() < leaseNanos) {
                peers.values().removeIf(peer -> now - peer.lastHeard > LEASES_REMEMBERED * peer.leaseNanos);
            }
            completions = settle();
        }
        completions.forEach(Runnable::run);
    }

    private List<Runnable> settle() {
        List<Runnable> completions = new ArrayList<>();
        waiting.removeIf(each -> {
            Boolean verdict = verdict(each);
            if (verdict != null) {
                completions.add(() -> each.confirmed().complete(verdict));
            }
            return verdict != null;
        });
        return completions;
    }

    private @Nullable Boolean verdict(Waiting each) {
        long now = now();
        boolean knowsAll = knowsAll(now);
        boolean leaseOver = now - each.published() > longestLease();
        if (!each.inLogs() && logs > 0) {
            return false;
        }
        if (!each.inLogs()) {
            // Whoever hears the logs, which this node cannot reach, keeps its lease: only an answer of everyone will
            // do.
            boolean byAll = peers.values().stream().allMatch(peer -> peer.hasHeard(each.positions()));
            boolean told = false;
            for (int i = logs; i < paths.length; i++) {
                told |= each.positions()[i] >= 0 && paths[i].heardUpTo >= each.positions()[i];
            }
            if (knowsAll && told && byAll) {
                return true;
            }
            return leaseOver || !anySecondPath(each) ? false : null;
        }
        if (leaseOver) {
            return true;
        }
        // Whoever trusts by beats that stand before the notice in the logs is known once those have been heard.
        if (!knowsAll || 2 * heardIn(each) <= logs) {
            return null;
        }
        for (Peer peer : peers.values()) {
            boolean silent = now - peer.lastHeard > peer.leaseNanos
                    || mutant == Mutant.SILENT_NODES_IGNORED && now - peer.lastHeard > peer.leaseNanos / 4;
            if (!silent && !peer.hasHeard(each.positions())) {
                return null;
            }
        }
        return true;
    }

    /** Nobody trusts copies whom this node has never heard. */
    private boolean knowsAll(long now) {
        return now - listeningSince > longestLease();
    }

    private boolean anySecondPath(Waiting each) {
        for (int i = logs; i < paths.length; i++) {
            if (each.positions()[i] >= 0) {
                return true;
            }
        }
        return false;
    }

    private int heardIn(Waiting each) {
        int heard = 0;
        for (int i = 0; i < logs; i++) {
            heard += each.positions()[i] >= 0 && paths[i].heardUpTo >= each.positions()[i] ? 1 : 0;
        }
        return heard;
    }

    private long longestLease() {
        long longest = leaseNanos;
        for (Peer peer : peers.values()) {
            longest = Math.max(longest, peer.leaseNanos);
        }
        return longest;
    }

    /** Other nodes that were heard within their lease. */
    synchronized int alive() {
        long now = now();
        return (int) peers.values().stream()
                .filter(peer -> now - peer.lastHeard <= peer.leaseNanos)
                .count();
    }
}
