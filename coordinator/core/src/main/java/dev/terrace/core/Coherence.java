package dev.terrace.core;

import dev.terrace.core.OwnBeats.Sent;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.Notice;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
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
    /** Long before every reading of the clock. */
    static final long NEVER = Long.MIN_VALUE / 2;

    /** Not trusted, whatever the wall clock says. */
    static final long NOT_TRUSTED = Long.MIN_VALUE;

    private final long node;
    private final int logs;
    private final long leaseNanos;
    private final LongSupplier nanos;
    private final InstantSource wall;
    private final Mutant mutant;
    private final HeardChannel[] channels;
    private final Peers peers;
    private final OwnBeats ownBeats;
    private final Twins twins;
    private final Confirmations confirmations;
    private final long start;
    private long sweepNumber;
    private boolean sweeping;
    private long notBefore;

    /** From when on every beat in the logs was heard; what rests on an earlier one ends a lease later. */
    private long listeningSince;

    /** When the newest own beat that proves anything was sent, in nanoseconds since {@link #start}. */
    private volatile long heardSince = NEVER;

    private volatile long heardSinceWallMillis;

    /** The promise whose keeping is told to people. */
    private long watchedBoundNanos = Long.MAX_VALUE;

    private long keptSinceWallMillis;

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
        this.keptSinceWallMillis = wall.millis();
        this.channels = new HeardChannel[paths];
        for (int i = 0; i < paths; i++) {
            channels[i] = new HeardChannel();
        }
        this.peers = new Peers(paths, mutant);
        this.twins = new Twins(paths);
        this.confirmations = new Confirmations(channels, logs, peers);
        // Beats of an earlier life of this node must not be taken for ours.
        this.ownBeats = new OwnBeats(wall.millis() << 16);
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

    /** From now on {@link #keptSinceMillis} is about copies of this bound. */
    synchronized void watch(long boundNanos) {
        watchedBoundNanos = boundNanos;
    }

    /** Since when, by the wall clock, copies of the watched bound are trusted without a break; null when they are not. */
    synchronized @Nullable Long keptSinceMillis() {
        return isTrusted(watchedBoundNanos) ? keptSinceWallMillis : null;
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
        Sent beat = ownBeats.next(now(), wall.millis());
        List<Notice> perChannel = new ArrayList<>();
        for (HeardChannel channel : channels) {
            // What was missed in a gap has not been acted on before everything was dropped; and whoever takes this for
            // a proof of having heard all that this node said must not, while that is not so.
            long told = sweeping || channel.isOwing() ? Backplane.NOT_KNOWN : channel.heardUpTo();
            perChannel.add(
                    new Notice.Beat(node, beat.number(), told, TimeUnit.NANOSECONDS.toMillis(leaseNanos) + 1, leaving));
        }
        return perChannel;
    }

    /** A channel was heard up to {@code position}, and what these notices say has been done. */
    void heard(int channel, List<Notice> notices, long position) {
        settle(() -> {
            for (Notice notice : notices) {
                if (notice instanceof Notice.Beat beat) {
                    if (beat.node() == node) {
                        ownBeat(channel, beat, position);
                    } else {
                        peers.heard(channel, beat, now());
                    }
                }
            }
            channels[channel].heardUpTo(position);
            conclude();
            return confirmations.settle(now(), knowsAll(now()), longestLease());
        });
    }

    private void ownBeat(int channel, Notice.Beat beat, long position) {
        if (!ownBeats.isOurs(beat.number())) {
            twins.heard(channel, beat, now());
            return;
        }
        twins.echoed(channel);
        Sent known = ownBeats.find(beat.number());
        if (known == null || sweeping || known.nanos() < notBefore) {
            return;
        }
        if (mutant == Mutant.BEAT_BY_RECEIVE_TIME) {
            known = new Sent(known.number(), now(), wall.millis());
        }
        if (channel < logs) {
            channels[channel].proves(known);
        } else {
            channels[channel].echoes(known, position);
        }
    }

    /** Draws the conclusion from all channels; the caller holds the lock. */
    private void conclude() {
        if (twins.isOne(now())) {
            // What the other one says is taken for our own and not heard.
            heardSince = NEVER;
            return;
        }
        Sent best = byLogs();
        // Beside logs a second path only carries notices: who has joined lately and cannot be reached over it writes to
        // the logs.
        for (int i = 0; logs == 0 && i < channels.length; i++) {
            Sent bySecondPath = channels[i].sinceByAll(peers, i);
            if (knowsAll(now()) && bySecondPath.nanos() > best.nanos()) {
                best = bySecondPath;
            }
        }
        if (best.nanos() > heardSince) {
            if (now() - heardSince >= watchedBoundNanos) {
                keptSinceWallMillis = wall.millis();
            }
            // The wall clock first: whoever sees the new one of a pair must not see an older other.
            heardSinceWallMillis = best.wallMillis();
            heardSince = best.nanos();
        }
    }

    /** A majority of the logs has been heard up to this beat, so one log at least that has any announced notice. */
    private Sent byLogs() {
        Sent best = Sent.NONE;
        for (int i = 0; i < logs; i++) {
            Sent candidate = channels[i].since();
            int asGood = 0;
            for (int j = 0; j < logs; j++) {
                asGood += channels[j].since().nanos() >= candidate.nanos() ? 1 : 0;
            }
            if (2 * asGood > logs && candidate.nanos() > best.nanos()) {
                best = candidate;
            }
        }
        return best;
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
        for (HeardChannel each : channels) {
            each.forget();
        }
        heardSince = NEVER;
        sweeping = true;
        return ++sweepNumber;
    }

    /** Whether copies from before a gap may still be there. */
    synchronized boolean isSweeping() {
        return sweeping;
    }

    /** Whether an own beat has come back since the start, or since the last gap. */
    boolean hasHeard() {
        return heardSince != NEVER;
    }

    /** Whether a second path lacks something that this node said. */
    synchronized void owes(int channel, boolean owing) {
        channels[channel].owes(owing);
    }

    /** What was held before the gap is gone; beats sent from now on count again. */
    synchronized void swept(long number) {
        if (number == sweepNumber) {
            sweeping = false;
            notBefore = now();
        }
    }

    /** How often another process was heard that says it is this node. */
    synchronized long twinsHeard() {
        return twins.count();
    }

    /** Whether another process says that it is this node, and was heard of late. */
    synchronized boolean hasTwin() {
        return twins.isOne(now());
    }

    /**
     * Completes with true when no other node trusts a copy older than a notice any more, with false when that cannot be said.
     *
     * @param positions where each channel has the notice, {@link Backplane#NOT_KNOWN} where it may not
     */
    CompletionStage<Boolean> confirm(long[] positions) {
        CompletableFuture<Boolean> confirmed = new CompletableFuture<>();
        settle(() -> {
            confirmations.add(positions, now(), confirmed);
            return confirmations.settle(now(), knowsAll(now()), longestLease());
        });
        return confirmed;
    }

    /** To be called now and then: time alone settles some questions. */
    void tick() {
        settle(() -> {
            long now = now();
            if (now - byLogs().nanos() < leaseNanos) {
                peers.forgetSilent(now);
            }
            return confirmations.settle(now, knowsAll(now), longestLease());
        });
    }

    /** Changes something, then tells who waited for it, without the lock. */
    private void settle(Supplier<List<Runnable>> change) {
        List<Runnable> completions;
        synchronized (this) {
            completions = change.get();
        }
        completions.forEach(Runnable::run);
    }

    /** Nobody trusts copies whom this node has never heard. */
    private boolean knowsAll(long now) {
        return now - listeningSince > longestLease();
    }

    private long longestLease() {
        return peers.longestLease(leaseNanos);
    }

    /** Other nodes that were heard within their lease. */
    synchronized int alive() {
        return peers.alive(now());
    }
}
