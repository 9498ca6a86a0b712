package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.Notice;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Hears one channel: has done what notices say, and only then says that they were heard. Thread-safe. */
final class Ear implements BackplaneListener {
    private static final Logger LOG = LoggerFactory.getLogger(Ear.class);

    private final int channel;
    private final String name;
    private final long node;
    private final Coherence coherence;
    private final Heed heed;
    private final ScheduledExecutorService timer;
    private final long pauseNanos;
    private final Runnable answer;
    private final Mutant mutant;
    private final Counter heardNotices;
    private final Counter gaps;
    private final Counter twins;
    private volatile boolean closed;
    private long twinsHeard;

    /**
     * @param pauseNanos before copies are dropped again, when that could not be done
     * @param answer sends a beat soon, because a writer waits for it
     */
    Ear(
            int channel,
            String name,
            long node,
            Coherence coherence,
            Heed heed,
            ScheduledExecutorService timer,
            long pauseNanos,
            Runnable answer,
            MetricRegistry metrics,
            Mutant mutant) {
        this.channel = channel;
        this.name = name;
        this.node = node;
        this.coherence = coherence;
        this.heed = heed;
        this.timer = timer;
        this.pauseNanos = pauseNanos;
        this.answer = answer;
        this.mutant = mutant;
        this.heardNotices = metrics.counter("coherence.notices.heard");
        this.gaps = metrics.counter("coherence.gaps");
        this.twins = metrics.counter("coherence.node_id_clashes");
    }

    @Override
    public void heard(List<Notice> notices, long position) {
        boolean answerWanted = false;
        for (Notice notice : notices) {
            try {
                answerWanted |= heed(notice);
            } catch (RuntimeException e) {
                // It was not done, so nothing that this process holds can be relied on.
                LOG.error("a notice could not be heeded channel={}", name, e);
                gap("a notice could not be heeded");
            }
        }
        coherence.heard(channel, notices, position);
        lookForTwins();
        if (answerWanted) {
            answer.run();
        }
    }

    /** True when the writer waits for an answer. */
    private boolean heed(Notice notice) {
        if (!(notice instanceof Notice.Beat)) {
            heardNotices.inc();
        }
        if (notice instanceof Notice.Changed changed) {
            heed.changed(changed);
            return changed.confirm();
        }
        if (notice instanceof Notice.Marker marker) {
            if (mutant != Mutant.MARKER_DROPPED) {
                heed.marker(marker);
            }
            return marker.confirm();
        }
        if (notice instanceof Notice.External external) {
            heed.external(external);
        }
        return false;
    }

    /** What a process with our id writes never reaches us, so every copy may be old. */
    private void lookForTwins() {
        long heard = coherence.twinsHeard();
        if (heard == twinsHeard) {
            return;
        }
        if (twinsHeard == 0) {
            LOG.error(
                    "another process has the id of this node; neither hears the other's writes, and copies of both are"
                            + " not trusted until one has another id node={} channel={}",
                    node,
                    name);
        }
        twins.inc(heard - twinsHeard);
        twinsHeard = heard;
        gap("another process has the id of this node");
    }

    @Override
    public void gap(String why) {
        gaps.inc();
        LOG.info("backplane gap channel={} why={}", name, why);
        long number = coherence.gap(channel);
        if (number > 0) {
            try {
                timer.execute(() -> sweep(number));
            } catch (RejectedExecutionException closing) {
                LOG.debug("no sweep while closing");
            }
        }
    }

    private void sweep(long number) {
        try {
            heed.gap()
                    .thenAccept(done -> {
                        if (done) {
                            coherence.swept(number);
                        } else if (!closed) {
                            timer.schedule(() -> sweep(number), pauseNanos, TimeUnit.NANOSECONDS);
                        }
                    })
                    .exceptionally(bug -> {
                        notSwept(number, bug);
                        return null;
                    });
        } catch (RuntimeException e) {
            notSwept(number, e);
        }
    }

    /** Not trusted before it was done. */
    private void notSwept(long number, Throwable bug) {
        if (!closed) {
            LOG.error("copies could not be dropped after a gap, they stay untrusted until they can", bug);
            try {
                timer.schedule(() -> sweep(number), pauseNanos, TimeUnit.NANOSECONDS);
            } catch (RejectedExecutionException closing) {
                LOG.debug("no sweep while closing");
            }
        }
    }

    /** Tries no more to drop copies. */
    void close() {
        closed = true;
    }
}
