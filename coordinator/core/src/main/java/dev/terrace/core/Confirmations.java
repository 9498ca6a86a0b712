package dev.terrace.core;

import dev.terrace.spi.Backplane;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Notices whose writers wait until no other node trusts an older copy. Not thread-safe. */
final class Confirmations {
    private final HeardChannel[] channels;
    private final int logs;
    private final Peers peers;
    private final List<Waiting> waiting = new ArrayList<>();

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Waiting(long[] positions, boolean inLogs, long published, CompletableFuture<Boolean> confirmed) {}

    Confirmations(HeardChannel[] channels, int logs, Peers peers) {
        this.channels = channels;
        this.logs = logs;
        this.peers = peers;
    }

    /**
     * Waits for one.
     *
     * @param positions where each channel has it, {@link Backplane#NOT_KNOWN} where it may not
     */
    void add(long[] positions, long now, CompletableFuture<Boolean> confirmed) {
        int took = 0;
        for (int i = 0; i < logs; i++) {
            took += positions[i] >= 0 ? 1 : 0;
        }
        waiting.add(new Waiting(positions.clone(), 2 * took > logs, now, confirmed));
    }

    /**
     * Takes out those of which something can be said now.
     *
     * @param knowsAll whether nobody trusts copies whom this node has never heard
     * @param longestLease of all nodes, this one included
     * @return what tells their writers, to be run without locks
     */
    List<Runnable> settle(long now, boolean knowsAll, long longestLease) {
        List<Runnable> completions = new ArrayList<>();
        waiting.removeIf(each -> {
            Boolean verdict = verdict(each, now, knowsAll, now - each.published() > longestLease);
            if (verdict != null) {
                completions.add(() -> each.confirmed().complete(verdict));
            }
            return verdict != null;
        });
        return completions;
    }

    private @Nullable Boolean verdict(Waiting each, long now, boolean knowsAll, boolean leaseOver) {
        if (!each.inLogs()) {
            return logs > 0 ? Boolean.FALSE : bySecondPaths(each, knowsAll, leaseOver);
        }
        if (leaseOver) {
            return true;
        }
        // Whoever trusts by beats that stand before the notice in the logs is known once those have been heard.
        if (!knowsAll || 2 * heardIn(each) <= logs) {
            return null;
        }
        return peers.allHeardOrSilent(each.positions(), now) ? Boolean.TRUE : null;
    }

    /** Whoever is not heard may keep its lease for reasons that are not seen here: only an answer of everyone will do. */
    private @Nullable Boolean bySecondPaths(Waiting each, boolean knowsAll, boolean leaseOver) {
        boolean sent = false;
        boolean heard = false;
        for (int i = logs; i < channels.length; i++) {
            sent |= each.positions()[i] >= 0;
            heard |= each.positions()[i] >= 0 && channels[i].heardUpTo() >= each.positions()[i];
        }
        if (knowsAll && heard && peers.allHeard(each.positions())) {
            return true;
        }
        return leaseOver || !sent ? Boolean.FALSE : null;
    }

    private int heardIn(Waiting each) {
        int heard = 0;
        for (int i = 0; i < logs; i++) {
            heard += each.positions()[i] >= 0 && channels[i].heardUpTo() >= each.positions()[i] ? 1 : 0;
        }
        return heard;
    }
}
