package dev.terrace.core;

import dev.terrace.spi.Backplane;
import dev.terrace.spi.Notice;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** What beats told of the other nodes. Times are nanoseconds of one clock that only moves on. Not thread-safe. */
final class Peers {
    /** A node that has said nothing for so many leases is forgotten, while the logs are heard. */
    private static final int LEASES_REMEMBERED = 60;

    private final int channels;
    private final Mutant mutant;
    private final Map<Long, Peer> known = new HashMap<>();

    private static final class Peer {
        final long[] heardUpTo;
        long lastHeard;
        long leaseNanos;

        Peer(int channels) {
            heardUpTo = new long[channels];
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

    Peers(int channels, Mutant mutant) {
        this.channels = channels;
        this.mutant = mutant;
    }

    /** Another node's beat came over {@code channel}. */
    void heard(int channel, Notice.Beat beat, long now) {
        if (beat.leaving()) {
            known.remove(beat.node());
            return;
        }
        Peer peer = known.computeIfAbsent(beat.node(), fresh -> new Peer(channels));
        peer.heardUpTo[channel] = Math.max(peer.heardUpTo[channel], beat.heardUpTo());
        peer.lastHeard = now;
        peer.leaseNanos = TimeUnit.MILLISECONDS.toNanos(beat.leaseMillis());
    }

    /** Forgets those that have been silent for very long. */
    void forgetSilent(long now) {
        known.values().removeIf(peer -> now - peer.lastHeard > LEASES_REMEMBERED * peer.leaseNanos);
    }

    /** The longest lease of all, {@code own} included. */
    long longestLease(long own) {
        long longest = own;
        for (Peer peer : known.values()) {
            longest = Math.max(longest, peer.leaseNanos);
        }
        return longest;
    }

    /** Whether every one has heard {@code channel} up to {@code position}. */
    boolean allHeard(int channel, long position) {
        return known.values().stream().allMatch(peer -> peer.heardUpTo[channel] >= position);
    }

    /** Whether every one has heard one of these. */
    boolean allHeard(long[] positions) {
        return known.values().stream().allMatch(peer -> peer.hasHeard(positions));
    }

    /** Whether every one has heard one of these, or trusts nothing any more because its lease has run out. */
    boolean allHeardOrSilent(long[] positions, long now) {
        for (Peer peer : known.values()) {
            boolean silent = now - peer.lastHeard > peer.leaseNanos
                    || mutant == Mutant.SILENT_NODES_IGNORED && now - peer.lastHeard > peer.leaseNanos / 4;
            if (!silent && !peer.hasHeard(positions)) {
                return false;
            }
        }
        return true;
    }

    /** How many were heard within their lease. */
    int alive(long now) {
        return (int) known.values().stream()
                .filter(peer -> now - peer.lastHeard <= peer.leaseNanos)
                .count();
    }
}
