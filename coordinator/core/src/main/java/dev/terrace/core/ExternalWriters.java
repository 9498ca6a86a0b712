package dev.terrace.core;

import com.codahale.metrics.Counter;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Tier;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Drops copies of this node that L2 does not confirm after somebody changed their key there, Terrace's own nodes included: a
 * watch does not tell who it was. Where this node has a copy, L2 is asked; a copy stays when L2 has the same version, or an older
 * one that has yet to be replaced. Where it has none, only what is on its way up is kept from becoming one. Thread-safe.
 */
final class ExternalWriters implements KeyWatch.Listener {
    private static final Logger LOG = LoggerFactory.getLogger(ExternalWriters.class);

    /** When more changes than this wait for L2's answer, copies are dropped unasked. */
    static final int MOST_ASKED = 1_000;

    private final LocalCopies copies;
    private final Tier remote;
    private final HybridClock clock;
    private final AtomicInteger asked = new AtomicInteger();
    private final Counter changes;
    private final Counter dropped;
    private final Counter gaps;

    ExternalWriters(LocalCopies copies, Tier remote, HybridClock clock, MetricRegistry metrics) {
        this.copies = copies;
        this.remote = remote;
        this.clock = clock;
        this.changes = metrics.counter("external.changes");
        this.dropped = metrics.counter("external.dropped");
        this.gaps = metrics.counter("external.gaps");
    }

    @Override
    public void changed(CacheKey key) {
        changes.inc();
        Entry copy = copies.held(key);
        if (copy == null) {
            copies.forget(key);
            return;
        }
        if (asked.incrementAndGet() > MOST_ASKED) {
            asked.decrementAndGet();
            forget(key);
            return;
        }
        remote.get(key).whenComplete((found, bug) -> {
            asked.decrementAndGet();
            if (bug != null || !confirms(found, copy)) {
                forget(key);
            }
        });
    }

    private static boolean confirms(@Nullable Lookup found, Entry copy) {
        return found instanceof Lookup.Hit hit && !hit.entry().version().isNewerThan(copy.version());
    }

    private void forget(CacheKey key) {
        dropped.inc();
        copies.forget(key);
    }

    @Override
    public void gap(String why) {
        gaps.inc();
        LOG.info("changes by other programs may have been missed, local copies are dropped why={}", why);
        copies.dropAll(clock.next());
    }
}
