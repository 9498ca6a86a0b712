package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Notice;
import dev.terrace.spi.Tier;
import dev.terrace.spi.Version;
import java.util.concurrent.CompletionStage;

/** Does to this node's copies what notices of other nodes say. Thread-safe. */
final class Hearing implements Heed {
    private final Tiers tiers;
    private final LocalCopies copies;
    private final Cascade cascade;
    private final Writes writes;
    private final Missed missed;
    private final Markers markers;
    private final HybridClock clock;
    private final long tombstoneMillis;
    private final Counter applied;
    private final Counter ignored;
    private final Counter refusedVersions;

    /**
     * @param tombstoneMillis how long L3 remembers that an older copy is gone
     */
    Hearing(
            Tiers tiers,
            LocalCopies copies,
            Cascade cascade,
            Writes writes,
            Missed missed,
            Markers markers,
            HybridClock clock,
            long tombstoneMillis,
            MetricRegistry metrics) {
        this.tiers = tiers;
        this.copies = copies;
        this.cascade = cascade;
        this.writes = writes;
        this.missed = missed;
        this.markers = markers;
        this.clock = clock;
        this.tombstoneMillis = tombstoneMillis;
        this.applied = metrics.counter("coherence.notices.applied");
        this.ignored = metrics.counter("coherence.notices.ignored");
        this.refusedVersions = metrics.counter("versions.refused");
    }

    @Override
    public void changed(Notice.Changed notice) {
        if (!clock.observe(notice.version())) {
            // No tier will take what it announces, but dropping a copy does no harm.
            refusedVersions.inc();
            copies.forget(notice.key());
            return;
        }
        if (missed.remote() != null) {
            missed.remote().overtaken(notice.key(), notice.version());
        }
        if (tiers.backup() != null) {
            supersedeInBackup(tiers.backup(), notice.key(), notice.version());
        }
        (copies.changed(notice.key(), notice.version()) ? applied : ignored).inc();
    }

    /** L3 belongs to this node alone: what another node wrote is not in it, and the older value must not come back. */
    private void supersedeInBackup(Tier backup, CacheKey key, Version version) {
        long now = clock.millis();
        Entry gone = Entry.tombstone(key, version, now, now + tombstoneMillis);
        if (missed.backup() != null) {
            // Hides the older value until L3 has said whether it has one.
            missed.backup().begin(gone);
        }
        backup.get(key).thenAccept(lookup -> {
            if (lookup instanceof Lookup.Hit hit
                            && !version.isNewerThan(hit.entry().version())
                    || lookup instanceof Lookup.Miss) {
                if (missed.backup() != null) {
                    missed.backup().confirmed(gone);
                }
            } else {
                writes.storeInBackup(gone).thenAccept(outcome -> Missed.note(missed.backup(), gone, outcome));
            }
        });
    }

    @Override
    public void marker(Notice.Marker notice) {
        if (clock.observe(notice.version())) {
            markers.heard(notice.cache(), notice.tag(), notice.version());
            applied.inc();
        } else {
            refusedVersions.inc();
        }
    }

    @Override
    public void external(Notice.External notice) {
        copies.forget(notice.key());
        applied.inc();
    }

    @Override
    public CompletionStage<Boolean> gap() {
        copies.dropAll(clock.next());
        cascade.doubtBackup();
        return markers.learnAgain();
    }
}
