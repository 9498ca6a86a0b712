package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.LocalReport;
import java.io.IOException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Makes L1 smaller while its container is short of memory: lowers the bound, evicts what is above it, moves what stays together, and gives
 * the pages that are free then back to the system. One thread calls {@link #look}; the rest is thread-safe.
 */
final class Shrinking {
    private static final Logger LOG = LoggerFactory.getLogger(Shrinking.class);

    private final Shelf shelf;
    private final boolean never;
    private final ContainerMemory source;
    private final MemoryPressure pressure;
    private volatile ContainerMemory.@Nullable Reading last;
    private boolean blind;

    Shrinking(Shelf shelf, LocalCacheSettings settings) {
        this(shelf, settings, new ContainerMemory(settings.cgroup()));
    }

    Shrinking(Shelf shelf, LocalCacheSettings settings, ContainerMemory source) {
        this.shelf = shelf;
        // What is in a file is the system's to drop from memory: to evict it here would free nothing.
        this.never = settings.shrinkAtPercent() >= LocalCacheSettings.NEVER_SHRINK
                || !shelf.map.pages().canBeGivenBack();
        this.source = source;
        this.pressure = new MemoryPressure(settings.shrinkAtPercent(), shelf.shape.liveBytes());
    }

    /** What the last look found, of those that could see; null when there is no limit. */
    LocalReport.@Nullable Container container() {
        ContainerMemory.Reading reading = last;
        return reading == null
                ? null
                : new LocalReport.Container(reading.used(), reading.max(), shelf.counters.shrinks.getCount());
    }

    /** For the status: empty when L1 is as large as it may be. */
    String detail() {
        long limit = shelf.budget.maxBytes();
        ContainerMemory.Reading reading = last;
        return limit >= shelf.shape.liveBytes() || reading == null
                ? ""
                : ", shrunk to " + (limit >> 20) + " MiB because the container uses " + (reading.used() >> 20) + " of "
                        + (reading.max() >> 20) + " MiB";
    }

    /** Looks at the container, and does what follows from that. */
    void look() {
        if (never) {
            return;
        }
        ContainerMemory.Reading reading;
        try {
            reading = source.read();
        } catch (IOException unreadable) {
            // Not to be taken for a container without a limit: it may be just when everything is short.
            if (!blind && !shelf.isClosed()) {
                LOG.warn("the container's memory cannot be read, L1 stays as large as it may be now", unreadable);
            }
            blind = true;
            return;
        }
        blind = false;
        last = reading;
        long before = shelf.budget.maxBytes();
        long now = reading == null ? pressure.unlimited() : pressure.decide(reading, shelf.budget.bytes());
        if (now < before) {
            shelf.budget.limitBytes(now);
            shelf.counters.shrinks.inc();
            long evicted = shelf.counters.evicted(EvictionCause.SHRINK).getCount();
            long released = fit();
            evicted = shelf.counters.evicted(EvictionCause.SHRINK).getCount() - evicted;
            LOG.warn(
                    "the container is short of memory, L1 shrinks limit_bytes={} before_bytes={} evicted={} given_back_bytes={} container_used_bytes={} container_max_bytes={}",
                    now,
                    before,
                    evicted,
                    released,
                    reading == null ? 0 : reading.used(),
                    reading == null ? 0 : reading.max());
        } else if (now > before) {
            shelf.budget.limitBytes(now);
            LOG.info("the container has room, L1 may grow limit_bytes={} before_bytes={}", now, before);
        }
    }

    /** Evicts what is above the bound, and where that can be, moves what stays and gives free pages back: how many bytes. */
    long fit() {
        evict();
        if (!shelf.map.pages().canBeGivenBack()) {
            return 0;
        }
        move();
        return release();
    }

    private void evict() {
        while (shelf.budget.isOver() && !shelf.isClosed()) {
            int slot = shelf.table.victim(true, shelf.budget.evictable());
            if (slot < 0) {
                return;
            }
            shelf.removeSlot(slot, EvictionCause.SHRINK);
        }
    }

    private void move() {
        int tiers = shelf.tiers();
        for (int tier = 0; tier < tiers && !shelf.isClosed(); tier++) {
            shelf.tighten(tier);
        }
    }

    private long release() {
        long[] released = {0};
        int tiers = shelf.tiers();
        for (int tier = 0; tier < tiers; tier++) {
            int here = tier;
            // One tier at a time: writers wait for as long as it takes to look through one bit per chunk.
            shelf.stripes.lockAll(() ->
                    released[0] += shelf.isClosed() ? 0 : shelf.map.pages().release(here));
        }
        return released[0];
    }
}
