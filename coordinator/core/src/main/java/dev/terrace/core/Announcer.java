package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneListener;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Version;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells other nodes what this one wrote, hears what they wrote, and beats. Notices that no channel took are sent again with the
 * beats until one does; newest per key, bounded. Thread-safe.
 */
final class Announcer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);
    private static final int MOST_UNSENT = 65_536;
    private static final int RESENT_AT_ONCE = 1_000;

    private final Coherence coherence;
    private final List<Backplane> channels;
    private final int logs;
    private final Heed heed;
    private final ScheduledExecutorService timer;
    private final long beatNanos;
    private final long node;
    private final Mutant mutant;
    private final Map<Object, Notice> unsent = new LinkedHashMap<>();
    private final Map<Integer, Map<Object, Notice>> owed = new HashMap<>();
    private final AtomicBoolean beatWanted = new AtomicBoolean();
    private final AtomicBoolean resending = new AtomicBoolean();
    private final Counter heardNotices;
    private final Counter gaps;
    private final Counter strictWaits;
    private final Counter announced;
    private final Counter unannounced;
    private final Counter dropped;
    private volatile boolean closed;

    /** Does what notices of other nodes say. */
    interface Heed {
        void changed(Notice.Changed notice);

        void marker(Notice.Marker notice);

        void external(Notice.External notice);

        /** Everything that this process holds may be old; completes with false when it could not find out what is new. */
        CompletionStage<Boolean> gap();
    }

    /**
     * @param channels logs first
     * @param beatNanos pause between beats
     */
    Announcer(
            Coherence coherence,
            List<Backplane> channels,
            int logs,
            long node,
            Heed heed,
            ScheduledExecutorService timer,
            long beatNanos,
            MetricRegistry metrics,
            Mutant mutant) {
        this.coherence = coherence;
        this.channels = List.copyOf(channels);
        this.logs = logs;
        this.node = node;
        this.heed = heed;
        this.timer = timer;
        this.beatNanos = beatNanos;
        this.mutant = mutant;
        this.heardNotices = metrics.counter("coherence.notices.heard");
        this.gaps = metrics.counter("coherence.gaps");
        this.strictWaits = metrics.counter("coherence.strict.waits");
        this.announced = metrics.counter("coherence.notices.announced");
        this.unannounced = metrics.counter("coherence.notices.unannounced");
        this.dropped = metrics.counter("coherence.notices.dropped");
        gauge(metrics, "coherence.staleness.bound", coherence::stalenessMillis);
        gauge(metrics, "coherence.nodes", () -> (long) coherence.alive());
        gauge(metrics, "coherence.notices.unsent", () -> (long) unsent());
    }

    private static void gauge(MetricRegistry metrics, String name, Gauge<Long> gauge) {
        metrics.remove(name);
        metrics.register(name, gauge);
    }

    /** Begins to hear and to beat. */
    void start() {
        if (channels.isEmpty()) {
            return;
        }
        for (int i = 0; i < channels.size(); i++) {
            channels.get(i).start(node, new Ear(i));
        }
        beat();
        timer.scheduleAtFixedRate(this::tick, beatNanos, beatNanos, TimeUnit.NANOSECONDS);
    }

    private final class Ear implements BackplaneListener {
        private final int channel;

        Ear(int channel) {
            this.channel = channel;
        }

        @Override
        public void heard(List<Notice> notices, long position) {
            boolean answer = false;
            for (Notice notice : notices) {
                try {
                    answer |= heed(notice);
                } catch (RuntimeException e) {
                    // It was not done, so nothing that this process holds can be relied on.
                    LOG.error(
                            "a notice could not be heeded channel={}",
                            channels.get(channel).name(),
                            e);
                    gap("a notice could not be heeded");
                }
            }
            coherence.heard(channel, notices, position);
            if (answer) {
                beatSoon();
            }
        }

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

        @Override
        public void gap(String why) {
            gaps.inc();
            LOG.info("backplane gap channel={} why={}", channels.get(channel).name(), why);
            long number = coherence.gap(channel);
            if (number > 0) {
                try {
                    timer.execute(() -> sweep(number));
                } catch (RejectedExecutionException closing) {
                    LOG.debug("no sweep while closing");
                }
            }
        }
    }

    private void sweep(long number) {
        try {
            heed.gap().thenAccept(done -> {
                if (done) {
                    coherence.swept(number);
                } else if (!closed) {
                    timer.schedule(() -> sweep(number), beatNanos, TimeUnit.NANOSECONDS);
                }
            });
        } catch (RuntimeException e) {
            // Not swept, so never trusted again: the safe side of a bug.
            LOG.error("copies could not be dropped after a gap, they stay untrusted", e);
        }
    }

    /** A beat without waiting for the next tick; many wishes make one. */
    private void beatSoon() {
        if (beatWanted.compareAndSet(false, true)) {
            try {
                timer.execute(() -> {
                    beatWanted.set(false);
                    beat();
                });
            } catch (RejectedExecutionException closing) {
                LOG.debug("no beat while closing");
            }
        }
    }

    private void tick() {
        try {
            beat();
            coherence.tick();
            resend();
            pay();
        } catch (RuntimeException e) {
            LOG.error("a beat failed", e);
        }
    }

    private void beat() {
        if (closed) {
            return;
        }
        List<Notice> beats = coherence.beat(false);
        for (int i = 0; i < channels.size(); i++) {
            channels.get(i).publish(List.of(beats.get(i)));
        }
    }

    /**
     * Says so.
     *
     * @param confirm whether to wait until no node trusts an older copy
     * @return true when every other node that keeps listening will hear it, or has; false when that cannot be said
     */
    CompletionStage<Boolean> announce(List<Notice> notices, boolean confirm) {
        if (channels.isEmpty()) {
            return CompletableFuture.completedStage(false);
        }
        if (confirm) {
            strictWaits.inc();
        }
        CompletionStage<Boolean> stage = publish(notices).thenCompose(positions -> {
            if (confirm) {
                CompletionStage<Boolean> confirmed = coherence.confirm(positions);
                // Hears the own notice's position, and shows the others that this node is there.
                beatSoon();
                return confirmed;
            }
            return inLogs(positions)
                    ? CompletableFuture.completedStage(true)
                    : logs < channels.size() ? coherence.confirm(positions) : CompletableFuture.completedStage(false);
        });
        CompletionStage<Boolean> counted = stage.thenApply(sure -> {
            if (sure) {
                announced.inc(notices.size());
            } else {
                unannounced.inc(notices.size());
                keep(notices);
            }
            return sure;
        });
        return mutant == Mutant.ACKNOWLEDGED_BEFORE_ANNOUNCED ? CompletableFuture.completedStage(true) : counted;
    }

    private boolean inLogs(long[] positions) {
        int took = 0;
        for (int i = 0; i < logs; i++) {
            took += positions[i] >= 0 ? 1 : 0;
        }
        return 2 * took > logs;
    }

    /** Where the channels have them; complete as soon as a majority of the logs has, or all have answered. */
    private CompletionStage<long[]> publish(List<Notice> notices) {
        long[] positions = new long[channels.size()];
        Arrays.fill(positions, Backplane.NOT_KNOWN);
        int[] open = {channels.size()};
        CompletableFuture<long[]> published = new CompletableFuture<>();
        for (int i = 0; i < channels.size(); i++) {
            int channel = i;
            channels.get(i).publish(notices).whenComplete((position, bug) -> {
                long[] enough = null;
                if (channel >= logs && (bug != null || position == null || position < 0)) {
                    owe(channel, notices);
                }
                synchronized (positions) {
                    positions[channel] = bug != null || position == null ? Backplane.NOT_KNOWN : position;
                    open[0]--;
                    if (open[0] == 0 || inLogs(positions)) {
                        enough = positions.clone();
                    }
                }
                if (enough != null) {
                    published.complete(enough);
                }
            });
        }
        return published;
    }

    /** A second path did not take these: until it has, it proves nothing to those who hear this node over it. */
    private void owe(int channel, List<Notice> notices) {
        synchronized (owed) {
            coherence.owes(channel, true);
            Map<Object, Notice> ofChannel = owed.computeIfAbsent(channel, first -> new LinkedHashMap<>());
            for (Notice notice : notices) {
                if (ofChannel.size() < MOST_UNSENT || ofChannel.containsKey(subject(notice))) {
                    ofChannel.merge(subject(notice), notice, Announcer::newer);
                } else {
                    // Never paid back, so this path stays a mere carrier; the logs are what counts.
                    ofChannel.put("overflow", notice);
                }
            }
        }
    }

    private void pay() {
        for (int i = logs; i < channels.size(); i++) {
            int channel = i;
            List<Notice> batch;
            synchronized (owed) {
                Map<Object, Notice> ofChannel = owed.getOrDefault(channel, Map.of());
                if (ofChannel.isEmpty()) {
                    continue;
                }
                batch = ofChannel.values().stream().limit(RESENT_AT_ONCE).toList();
            }
            channels.get(channel).publish(batch).whenComplete((position, bug) -> {
                if (bug != null || position == null || position < 0) {
                    return;
                }
                synchronized (owed) {
                    Map<Object, Notice> ofChannel = owed.getOrDefault(channel, new LinkedHashMap<>());
                    batch.forEach(notice -> ofChannel.remove(subject(notice), notice));
                    if (ofChannel.isEmpty()) {
                        coherence.owes(channel, false);
                    }
                }
            });
        }
    }

    private static Object subject(Notice notice) {
        if (notice instanceof Notice.Changed changed) {
            return changed.key();
        }
        return notice instanceof Notice.Marker marker
                ? List.of(marker.cache(), marker.tag() == null ? "" : marker.tag())
                : notice;
    }

    private void keep(List<Notice> notices) {
        synchronized (unsent) {
            for (Notice notice : notices) {
                Object subject = subject(notice);
                if (unsent.size() >= MOST_UNSENT && !unsent.containsKey(subject)) {
                    dropped.inc();
                } else {
                    unsent.merge(subject, notice, Announcer::newer);
                }
            }
        }
    }

    private static Notice newer(Notice one, Notice other) {
        if (one instanceof Notice.Changed a && other instanceof Notice.Changed b) {
            return b.version().isNewerThan(a.version()) ? b : a;
        }
        if (one instanceof Notice.Marker a && other instanceof Notice.Marker b) {
            return b.version().isNewerThan(a.version()) ? b : a;
        }
        return other;
    }

    private int unsent() {
        synchronized (unsent) {
            return unsent.size();
        }
    }

    private void resend() {
        List<Notice> batch = new ArrayList<>();
        synchronized (unsent) {
            if (unsent.isEmpty() || !resending.compareAndSet(false, true)) {
                return;
            }
            unsent.values().stream().limit(RESENT_AT_ONCE).forEach(batch::add);
        }
        publish(batch).whenComplete((positions, bug) -> {
            if (bug == null && inLogs(positions)) {
                synchronized (unsent) {
                    batch.forEach(notice -> unsent.remove(subject(notice), notice));
                }
            }
            resending.set(false);
        });
    }

    /** For a key that a tier got late: other nodes may have read the older value since they were told. */
    void repeat(CacheKey key, Version version) {
        if (!channels.isEmpty()) {
            announce(List.of(new Notice.Changed(node, key, version, false)), false);
        }
    }

    long node() {
        return node;
    }

    boolean isSilent() {
        return channels.isEmpty();
    }

    /** Says good-bye, so that nobody waits for this node's lease, and stops hearing. */
    @Override
    public void close() {
        if (channels.isEmpty() || closed) {
            return;
        }
        closed = true;
        List<Notice> farewell = coherence.beat(true);
        for (int i = 0; i < channels.size(); i++) {
            channels.get(i).publish(List.of(farewell.get(i)));
        }
        for (Backplane channel : channels) {
            try {
                channel.close();
            } catch (RuntimeException e) {
                LOG.error("backplane did not close cleanly channel={}", channel.name(), e);
            }
        }
    }
}
