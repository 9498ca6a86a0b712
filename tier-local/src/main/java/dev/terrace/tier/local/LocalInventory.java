package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.LocalReport;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What L1 holds, as people are told. Thread-safe. */
final class LocalInventory {
    private final Shelf shelf;
    private final LocalCacheSettings settings;
    private final Shrinking shrinking;

    LocalInventory(Shelf shelf, LocalCacheSettings settings, Shrinking shrinking) {
        this.shelf = shelf;
        this.settings = settings;
        this.shrinking = shrinking;
    }

    LocalReport report() {
        GroupCounts counts = shelf.budget.counts();
        Map<String, Long> evictions = new HashMap<>();
        for (EvictionCause cause : EvictionCause.values()) {
            evictions.put(cause.text(), shelf.counters.evicted(cause).getCount());
        }
        return new LocalReport(
                shelf.budget.entries(),
                shelf.shape.entries(),
                memory(),
                shrinking.container(),
                evictions,
                parts(counts),
                shares(),
                sizes(counts));
    }

    LocalReport.Memory memory() {
        return new LocalReport.Memory(
                shelf.budget.bytes(),
                shelf.budget.maxBytes(),
                shelf.shape.liveBytes(),
                indexBytes(),
                heapBytes(),
                shelf.reservedBytes(),
                shelf.residentBytes(),
                settings.maxMemoryMib() << 20);
    }

    long indexBytes() {
        int own = shelf.map.ownSlots() == null ? 0 : Cells.BYTES_PER_SLOT;
        return (long) shelf.table.slots() * (SlotTable.INDEX_BYTES_PER_SLOT + own);
    }

    long heapBytes() {
        return (long) shelf.table.slots()
                * SlotTable.heapBytesPerSlot(
                        settings.evictionPolicy(), shelf.groups.share(), shelf.map.ownSlots() != null);
    }

    private List<LocalReport.Part> parts(GroupCounts counts) {
        List<LocalReport.Part> parts = new ArrayList<>();
        for (int number = 0; number < shelf.groups.count(); number++) {
            Map<String, Long> evictions = new HashMap<>();
            long evicted = 0;
            for (EvictionCause cause : EvictionCause.values()) {
                evictions.put(cause.text(), counts.evictions(number, cause));
                evicted += counts.evictions(number, cause);
            }
            if (counts.entries(number) != 0 || evicted != 0) {
                Groups.Group group = shelf.groups.group(number);
                parts.add(new LocalReport.Part(
                        group.cache(), group.className(), counts.entries(number), counts.bytes(number), evictions));
            }
        }
        parts.sort(Comparator.comparingLong(LocalReport.Part::bytes).reversed());
        return parts;
    }

    private List<LocalReport.Share> shares() {
        List<LocalReport.Share> shares = new ArrayList<>();
        for (int pool = 1; pool < shelf.groups.pools().size(); pool++) {
            Groups.Pool of = shelf.groups.pools().get(pool);
            shares.add(new LocalReport.Share(
                    of.name(),
                    of.share().reservedPercent(),
                    of.share().mostPercent(),
                    shelf.budget.entriesOf(pool),
                    shelf.budget.bytesOf(pool)));
        }
        return shares;
    }

    private static List<LocalReport.Size> sizes(GroupCounts counts) {
        List<LocalReport.Size> sizes = new ArrayList<>();
        for (int size = 0; size < GroupCounts.SIZES; size++) {
            if (counts.ofSize(size) != 0) {
                sizes.add(new LocalReport.Size(1L << size, counts.ofSize(size)));
            }
        }
        return sizes;
    }
}
