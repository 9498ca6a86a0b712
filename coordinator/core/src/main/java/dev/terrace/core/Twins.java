package dev.terrace.core;

import dev.terrace.spi.Notice;
import java.util.concurrent.TimeUnit;

/**
 * Notices when another process says that it is this node: two settings files with one node id. Neither would hear what the
 * other writes, because a node's own notices are not for itself. Not thread-safe.
 *
 * <p>A process that has just started may still hear beats of its own earlier life. Those stand in a channel before the first
 * beat of this life, but for one that was on its way; so what counts are beats after an own one came back, from the second on.
 */
final class Twins {
    private static final int LEFT_ON_THE_WAY = 1;

    private final boolean[] echoed;
    private int strange;
    private long count;
    private long until = Coherence.NEVER;

    Twins(int channels) {
        this.echoed = new boolean[channels];
    }

    /** An own beat came back over this channel. */
    void echoed(int channel) {
        echoed[channel] = true;
    }

    /** A beat with this node's id came that this process never sent. */
    void heard(int channel, Notice.Beat beat, long now) {
        if (!echoed[channel] || beat.leaving() || ++strange <= LEFT_ON_THE_WAY) {
            return;
        }
        count++;
        // It beats several times in a lease.
        until = now + TimeUnit.MILLISECONDS.toNanos(beat.leaseMillis());
    }

    /** How many beats of another process were heard. */
    long count() {
        return count;
    }

    /** Whether there is one now. */
    boolean isOne(long now) {
        return now < until;
    }
}
