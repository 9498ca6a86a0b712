package dev.terrace.core;

import dev.terrace.core.OwnBeats.Sent;
import dev.terrace.spi.Backplane;
import java.util.ArrayList;
import java.util.List;

/** How far one channel has been heard, and which own beats came back over it. Not thread-safe. */
final class HeardChannel {
    private final List<Echo> echoes = new ArrayList<>();
    private long heardUpTo = Backplane.NOT_KNOWN;
    private Sent since = Sent.NONE;
    private boolean owing;

    /** An own beat that came back, and where. */
    private record Echo(Sent beat, long position) {}

    long heardUpTo() {
        return heardUpTo;
    }

    void heardUpTo(long position) {
        heardUpTo = Math.max(heardUpTo, position);
    }

    /** Of a second path: it did not take something that this node said, and has not got it since. */
    boolean isOwing() {
        return owing;
    }

    void owes(boolean nowOwing) {
        owing = nowOwing;
    }

    /** What was said before this beat has been heard. */
    Sent since() {
        return since;
    }

    /** An own beat came back over a log, which proves at once that everything before it was heard. */
    void proves(Sent beat) {
        if (beat.nanos() > since.nanos()) {
            since = beat;
        }
    }

    /** An own beat came back over a second path, which proves something when all others have heard it too. */
    void echoes(Sent beat, long position) {
        if (echoes.size() < OwnBeats.KEPT) {
            echoes.add(new Echo(beat, position));
        }
    }

    /** Every node known has heard this beat and was heard since: what it had said before has been heard too. */
    Sent sinceByAll(Peers peers, int channel) {
        echoes.removeIf(echo -> {
            boolean byAll = peers.allHeard(channel, echo.position());
            if (byAll) {
                proves(echo.beat());
            }
            return byAll;
        });
        return since;
    }

    /** What came back proves nothing any more. */
    void forget() {
        since = Sent.NONE;
        echoes.clear();
    }
}
