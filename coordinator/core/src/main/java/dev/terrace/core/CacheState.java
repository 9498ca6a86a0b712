package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import com.codahale.metrics.Timer;
import dev.terrace.api.Rung;
import dev.terrace.config.CacheFailover;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Version;
import java.nio.charset.StandardCharsets;

/** What the coordinator knows of one cache: its clear marker and its counters. Thread-safe. */
final class CacheState {
    final String name;
    final Trust trust;
    final TagMarkers tags = new TagMarkers();
    final byte[] nameBytes;
    final Counter hitsL1;
    final Counter hitsL2;
    final Counter hitsL3;
    final Counter negativeHits;
    final Counter misses;
    final Counter staleAnswers;
    final Counter loads;
    final Counter sharedLoads;
    final Counter loadFailures;
    final Counter loadsRefused;
    final Counter softTimeouts;
    final Counter refreshes;
    final Counter refreshesDropped;
    final Counter throttled;
    final Counter puts;
    final Counter invalidations;
    final Counter codecFailures;
    final Counter fillsRefused;
    final Timer getL1;
    final Timer getBelow;
    final Timer load;
    final LoadTime loadTime;
    final Freshening freshening;

    /** The worst rung the cache goes to. */
    final Rung maxRung;

    /** Whether only what is known to be fresh is answered. */
    final boolean neverStale;

    private volatile Version cleared = Version.ZERO;
    private volatile Stance stance = Stance.NORMAL;
    private volatile boolean markerFromBackupKnown;
    private volatile boolean markerFromRemoteKnown;

    CacheState(String name, Trust trust, MetricRegistry metrics) {
        this(name, trust, Freshening.NONE, metrics);
    }

    CacheState(String name, Trust trust, Freshening freshening, MetricRegistry metrics) {
        this(name, trust, freshening, CacheFailover.DEFAULTS, metrics);
    }

    CacheState(String name, Trust trust, Freshening freshening, CacheFailover failover, MetricRegistry metrics) {
        this.maxRung = Rung.valueOf(failover.maxRung().name());
        this.neverStale = failover.neverStale();
        this.freshening = freshening;
        this.loadTime = new LoadTime(freshening.isAhead());
        this.trust = trust;
        this.name = name;
        this.nameBytes = name.getBytes(StandardCharsets.UTF_8);
        String prefix = "cache." + name + ".";
        this.hitsL1 = metrics.counter(prefix + "hits.l1");
        this.hitsL2 = metrics.counter(prefix + "hits.l2");
        this.hitsL3 = metrics.counter(prefix + "hits.l3");
        this.negativeHits = metrics.counter(prefix + "hits.negative");
        this.misses = metrics.counter(prefix + "misses");
        this.staleAnswers = metrics.counter(prefix + "stale");
        this.loads = metrics.counter(prefix + "loads");
        this.sharedLoads = metrics.counter(prefix + "loads.shared");
        this.loadFailures = metrics.counter(prefix + "load.failures");
        this.loadsRefused = metrics.counter(prefix + "loads.refused");
        this.softTimeouts = metrics.counter(prefix + "load.soft_timeouts");
        this.refreshes = metrics.counter(prefix + "refreshes");
        this.refreshesDropped = metrics.counter(prefix + "refreshes.dropped");
        this.throttled = metrics.counter(prefix + "stale.throttled");
        this.puts = metrics.counter(prefix + "puts");
        this.invalidations = metrics.counter(prefix + "invalidations");
        this.codecFailures = metrics.counter(prefix + "codec.failures");
        this.fillsRefused = metrics.counter(prefix + "fills.refused");
        this.getL1 = metrics.timer(prefix + "get.l1.sampled");
        this.getBelow = metrics.timer(prefix + "get.below.sampled");
        this.load = metrics.timer(prefix + "load");
    }

    /** What the cache does on the rung where the node stands. */
    Stance stance() {
        return stance;
    }

    void stand(Stance newStance) {
        stance = newStance;
    }

    /** Everything up to {@code version} is gone. */
    synchronized void raise(Version version) {
        if (version.isNewerThan(cleared)) {
            cleared = version;
        }
    }

    /** L3 has said whether the cache was cleared before this process started. */
    void markerFromBackupIsKnown() {
        markerFromBackupKnown = true;
    }

    /** L2 has said up to when the cache was cleared; from then on notices say it. */
    void markerFromRemoteIsKnown() {
        markerFromRemoteKnown = true;
    }

    /** Notices may have been missed. */
    void forgetRemoteMarker() {
        markerFromRemoteKnown = false;
    }

    boolean isMarkerFromRemoteKnown() {
        return markerFromRemoteKnown;
    }

    boolean isMarkerFromBackupKnown() {
        return markerFromBackupKnown;
    }

    Version cleared() {
        return cleared;
    }

    /** True when the entry is known to have been invalidated with the cache, its namespace or one of its tags. */
    boolean hides(Entry entry) {
        return hides(entry.version()) || tags.judge(entry.version(), entry.tags()) == TagMarkers.Verdict.HIDDEN;
    }

    /** True when it depends on markers that must be asked for. */
    boolean mustAskFor(Entry entry) {
        return !hides(entry.version()) && tags.judge(entry.version(), entry.tags()) == TagMarkers.Verdict.UNKNOWN;
    }

    boolean hides(Version version) {
        return !version.isNewerThan(cleared);
    }

    boolean hides(long versionClock, long versionNode) {
        Version marker = cleared;
        int order = Long.compareUnsigned(versionClock, marker.clock());
        return order < 0 || order == 0 && Long.compareUnsigned(versionNode, marker.node()) <= 0;
    }

    /** Counts a hit where it was found. */
    void countHit(Found found) {
        switch (found.source()) {
            case L1 -> hitsL1.inc();
            case L2 -> hitsL2.inc();
            case L3 -> hitsL3.inc();
            case NEAR, JOURNAL, LOADER, NONE -> {
                // A search never ends in the near cache, and counts as a miss when it begins.
            }
        }
    }
}
