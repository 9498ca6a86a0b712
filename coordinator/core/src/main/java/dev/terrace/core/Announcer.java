package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Gauges;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Version;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells other nodes what this one wrote, and beats. Notices that no channel took are sent again with the beats until one does;
 * newest per key, bounded. Thread-safe.
 */
final class Announcer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Announcer.class);

    private final Coherence coherence;
    private final List<Backplane> channels;
    private final List<Ear> ears = new ArrayList<>();
    private final int logs;
    private final ScheduledExecutorService timer;
    private final long beatNanos;
    private final long node;
    private final Mutant mutant;
    private final Backlog unsent = new Backlog();
    private final Map<Integer, Backlog> owed = new HashMap<>();
    private final Set<Integer> owedTooMuch = new HashSet<>();
    private final AtomicBoolean beatWanted = new AtomicBoolean();
    private final AtomicBoolean resending = new AtomicBoolean();
    private final Gauges gauges;
    private final Counter gaps;
    private final Counter strictWaits;
    private final Counter announced;
    private final Counter unannounced;
    private final Counter dropped;
    private Runnable eachBeat = () -> {};
    private volatile boolean closed;

    /**
     * @param channels logs first
     * @param beatNanos pause between beats
     * @param boundNanos the tightest promise about copies, for the metric that says whether it is kept
     */
    Announcer(
            Coherence coherence,
            List<Backplane> channels,
            int logs,
            long node,
            Heed heed,
            ScheduledExecutorService timer,
            long beatNanos,
            long boundNanos,
            MetricRegistry metrics,
            Mutant mutant) {
        this.coherence = coherence;
        this.channels = List.copyOf(channels);
        this.logs = logs;
        this.node = node;
        this.timer = timer;
        this.beatNanos = beatNanos;
        coherence.watch(boundNanos);
        this.mutant = mutant;
        for (int i = 0; i < channels.size(); i++) {
            String name = channels.get(i).name();
            ears.add(new Ear(i, name, node, coherence, heed, timer, beatNanos, this::beatSoon, metrics, mutant));
        }
        this.gaps = metrics.counter("coherence.gaps");
        this.strictWaits = metrics.counter("coherence.strict.waits");
        this.announced = metrics.counter("coherence.notices.announced");
        this.unannounced = metrics.counter("coherence.notices.unannounced");
        this.dropped = metrics.counter("coherence.notices.dropped");
        this.gauges = new Gauges(metrics);
        gauges.put("coherence.staleness.bound", coherence::stalenessMillis);
        gauges.put("coherence.trusted", () -> coherence.isTrusted(boundNanos) ? 1L : 0L);
        gauges.put("coherence.nodes", () -> (long) coherence.alive());
        gauges.put("coherence.notices.unsent", () -> (long) unsent());
    }

    /** What else is to be done with each beat, and once more when nothing is heard any more. Before the start. */
    void alsoEachBeat(Runnable task) {
        eachBeat = task;
    }

    /** Begins to hear and to beat. */
    void start() {
        if (channels.isEmpty()) {
            return;
        }
        for (int i = 0; i < channels.size(); i++) {
            channels.get(i).start(node, ears.get(i));
        }
        beat();
        timer.scheduleAtFixedRate(this::tick, beatNanos, beatNanos, TimeUnit.NANOSECONDS);
    }

    /** What operators see. */
    CoherenceStatus status() {
        Long keptSince = coherence.keptSinceMillis();
        return new CoherenceStatus(
                keptSince != null,
                keptSince == null ? null : Instant.ofEpochMilli(keptSince),
                coherence.stalenessMillis(),
                coherence.alive(),
                unsent(),
                gaps.getCount(),
                coherence.hasTwin(),
                channels.stream()
                        .map(channel -> new CoherenceStatus.Channel(channel.name(), channel.trouble()))
                        .toList());
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
            if (!closed) {
                eachBeat.run();
            }
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
        return announce(notices, confirm, false);
    }

    /** Says what no promise rests on; others hear it a moment later than the rest, and it costs less. */
    CompletionStage<Boolean> announceSoon(List<Notice> notices) {
        return announce(notices, false, true);
    }

    private CompletionStage<Boolean> announce(List<Notice> notices, boolean confirm, boolean soon) {
        if (channels.isEmpty()) {
            return CompletableFuture.completedStage(false);
        }
        if (confirm) {
            strictWaits.inc();
        }
        CompletionStage<Boolean> stage = publish(notices, soon).thenCompose(positions -> {
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
    private CompletionStage<long[]> publish(List<Notice> notices, boolean soon) {
        long[] positions = new long[channels.size()];
        Arrays.fill(positions, Backplane.NOT_KNOWN);
        int[] open = {channels.size()};
        CompletableFuture<long[]> published = new CompletableFuture<>();
        for (int i = 0; i < channels.size(); i++) {
            int channel = i;
            Backplane to = channels.get(i);
            (soon ? to.publishSoon(notices) : to.publish(notices)).whenComplete((position, bug) -> {
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
            Backlog ofChannel = owed.computeIfAbsent(channel, first -> new Backlog());
            for (Notice notice : notices) {
                if (!ofChannel.add(notice)) {
                    // Never paid back, so this path stays a mere carrier; the logs are what counts.
                    owedTooMuch.add(channel);
                }
            }
        }
    }

    private void pay() {
        for (int i = logs; i < channels.size(); i++) {
            int channel = i;
            List<Notice> batch;
            synchronized (owed) {
                Backlog ofChannel = owed.get(channel);
                if (ofChannel == null || ofChannel.isEmpty()) {
                    continue;
                }
                batch = ofChannel.next();
            }
            channels.get(channel).publish(batch).whenComplete((position, bug) -> {
                if (bug != null || position == null || position < 0) {
                    return;
                }
                synchronized (owed) {
                    Backlog ofChannel = owed.computeIfAbsent(channel, none -> new Backlog());
                    ofChannel.sent(batch);
                    if (ofChannel.isEmpty() && !owedTooMuch.contains(channel)) {
                        coherence.owes(channel, false);
                    }
                }
            });
        }
    }

    private void keep(List<Notice> notices) {
        synchronized (unsent) {
            for (Notice notice : notices) {
                if (!unsent.add(notice)) {
                    dropped.inc();
                }
            }
        }
    }

    private int unsent() {
        synchronized (unsent) {
            return unsent.size();
        }
    }

    private void resend() {
        List<Notice> batch;
        synchronized (unsent) {
            if (unsent.isEmpty() || !resending.compareAndSet(false, true)) {
                return;
            }
            batch = unsent.next();
        }
        publish(batch, true).whenComplete((positions, bug) -> {
            if (bug == null && inLogs(positions)) {
                synchronized (unsent) {
                    unsent.sent(batch);
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

    /** The channels, logs first. */
    List<Backplane> channels() {
        return channels;
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
        gauges.close();
        if (channels.isEmpty() || closed) {
            return;
        }
        closed = true;
        ears.forEach(Ear::close);
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
        eachBeat.run();
    }
}
