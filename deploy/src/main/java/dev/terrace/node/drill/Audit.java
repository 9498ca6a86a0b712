package dev.terrace.node.drill;

import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Reads every key of a ledger from a node and judges it by digest and version. One use; memory is that of {@value #AT_ONCE} answers. */
final class Audit {
    private static final int AT_ONCE = 32;
    private static final int TRIES = 3;
    private static final long PATIENCE_SECONDS = 60;

    private final NodeCalls node;
    private final Ledger ledger;
    private final long brokenNanos;
    private final Map<Ledger.Finding, Long> findings = new EnumMap<>(Ledger.Finding.class);
    private long unanswered;
    private long lostWrites;
    private long oldestLossNanos;

    /**
     * @param brokenNanos when it was broken: how old what is lost was then
     */
    Audit(NodeCalls node, Ledger ledger, long brokenNanos) {
        this.node = node;
        this.ledger = ledger;
        this.brokenNanos = brokenNanos;
    }

    /**
     * What was found.
     *
     * @param verified keys that hold the newest acknowledged write, with its bytes and version
     * @param older keys that hold an older acknowledged one
     * @param missing keys that hold nothing
     * @param wrong keys that hold what was never written, or under another version
     * @param unanswered keys that could not be read
     * @param lostWrites acknowledged writes that are gone, those that were overwritten later included
     * @param rpoMillis how long before the break the oldest of them was acknowledged; 0 when none is lost
     */
    record Result(
            long verified, long older, long missing, long wrong, long unanswered, long lostWrites, long rpoMillis) {}

    Result run() throws InterruptedException, DrillFailure {
        Semaphore turns = new Semaphore(AT_ONCE);
        for (int index = 0; index < ledger.entries(); index++) {
            if (!turns.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                throw new DrillFailure("reads take longer than " + PATIENCE_SECONDS + " s");
            }
            read(index, TRIES, turns);
        }
        if (!turns.tryAcquire(AT_ONCE, PATIENCE_SECONDS, TimeUnit.SECONDS)) {
            throw new DrillFailure("reads take longer than " + PATIENCE_SECONDS + " s");
        }
        return result();
    }

    private void read(int index, int tries, Semaphore turns) {
        node.get(index, "").whenComplete((answer, error) -> {
            boolean said = error == null && (answer.status() == 200 || answer.status() == 404);
            if (!said && tries > 1) {
                read(index, tries - 1, turns);
                return;
            }
            try {
                note(index, said ? answer : null);
            } finally {
                turns.release();
            }
            if (error instanceof Error broken && !(error instanceof CompletionException)) {
                throw broken;
            }
        });
    }

    private synchronized void note(int index, NodeCalls.@Nullable Answer answer) {
        if (answer == null) {
            unanswered++;
            return;
        }
        findings.merge(ledger.judge(index, answer.value(), answer.version()), 1L, Long::sum);
        for (Ledger.Ack lost : ledger.lost(index, answer.value())) {
            lostWrites++;
            oldestLossNanos = Math.max(oldestLossNanos, brokenNanos - lost.atNanos());
        }
    }

    private long of(Ledger.Finding finding) {
        return findings.getOrDefault(finding, 0L);
    }

    private synchronized Result result() {
        return new Result(
                of(Ledger.Finding.NEWEST),
                of(Ledger.Finding.OLDER),
                of(Ledger.Finding.MISSING),
                of(Ledger.Finding.WRONG_BYTES) + of(Ledger.Finding.WRONG_VERSION),
                unanswered,
                lostWrites,
                TimeUnit.NANOSECONDS.toMillis(oldestLossNanos));
    }
}
