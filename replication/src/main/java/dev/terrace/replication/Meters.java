package dev.terrace.replication;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;

/** What replication counts. Thread-safe. */
final class Meters {
    final Counter leased;
    final Counter twoRounds;
    final Counter unknown;
    final Counter failed;
    final Counter writeBacks;
    final Counter lateAcks;
    final Counter forgotten;
    final Counter dataMayBeLost;
    final Counter tooFarAhead;
    final Counter merged;
    final Counter suspected;
    final Counter hintsForgotten;
    final Counter hintsNotStored;
    final Counter affirmed;
    final Counter notAffirmed;
    final Counter rounds;
    final Counter compared;
    final Counter withheld;
    private final Map<String, OfZone> zones = new TreeMap<>();

    /** Per zone. */
    static final class OfZone {
        final Counter acksMissed;
        final Counter repairs;

        /** Reads that asked another zone too, because this one took unusually long. */
        final Counter hedges;

        final Counter hintsDropped;
        final Counter hintsReplayed;
        final Counter resyncs;
        final Counter copied;

        /** Keys of which the zone had an older copy or none, in the last round of comparing that this node did. */
        final AtomicLong drift = new AtomicLong();

        private OfZone(MetricRegistry metrics, String prefix) {
            acksMissed = metrics.counter(prefix + "acks_missed");
            hedges = metrics.counter(prefix + "hedges");
            repairs = metrics.counter(prefix + "repairs");
            hintsDropped = metrics.counter(prefix + "hints.dropped");
            hintsReplayed = metrics.counter(prefix + "hints.replayed");
            resyncs = metrics.counter(prefix + "resyncs");
            copied = metrics.counter(prefix + "resync.copied");
            metrics.remove(prefix + "drift");
            metrics.register(prefix + "drift", (Gauge<Long>) drift::get);
        }
    }

    Meters(MetricRegistry metrics, List<String> names) {
        leased = metrics.counter("replication.writes.one_round");
        twoRounds = metrics.counter("replication.writes.two_rounds");
        unknown = metrics.counter("replication.writes.unknown");
        failed = metrics.counter("replication.writes.failed");
        writeBacks = metrics.counter("replication.reads.written_back");
        lateAcks = metrics.counter("replication.acks.late");
        forgotten = metrics.counter("replication.zones.forgotten");
        dataMayBeLost = metrics.counter("replication.data_may_be_lost");
        tooFarAhead = metrics.counter("replication.versions.too_far_ahead");
        merged = metrics.counter("replication.writes.merged");
        suspected = metrics.counter("replication.zones.suspected");
        hintsForgotten = metrics.counter("replication.hints.forgotten");
        hintsNotStored = metrics.counter("replication.hints.not_stored");
        affirmed = metrics.counter("replication.promises.ended");
        notAffirmed = metrics.counter("replication.promises.not_ended");
        rounds = metrics.counter("replication.compare.rounds");
        compared = metrics.counter("replication.compare.looked");
        withheld = metrics.counter("replication.compare.withheld");
        for (String name : names) {
            zones.put(name, new OfZone(metrics, prefix(name)));
        }
    }

    private static String prefix(String zone) {
        return "replication.zone." + zone + ".";
    }

    static void gauge(MetricRegistry metrics, String zone, String name, Gauge<?> gauge) {
        metrics.remove(prefix(zone) + name);
        metrics.register(prefix(zone) + name, gauge);
    }

    OfZone zone(String name) {
        OfZone known = zones.get(name);
        if (known == null) {
            throw new IllegalArgumentException("no zone " + name);
        }
        return known;
    }
}
