package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.Evicting;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalReport;
import dev.terrace.spi.LocalReporter;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.random.RandomGenerator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The local tier: the SPI over {@link LocalReads}, {@link LocalWrites} and {@link Clearing}, which share one {@link Shelf}. Thread-safe.
 * After {@link #close()} nothing touches native memory.
 */
class OffHeapTier implements LocalTier, Evicting, Probed, LocalReporter {
    private static final Logger LOG = LoggerFactory.getLogger(OffHeapTier.class);
    private static final long PROBE_MILLIS = 60_000;

    private final Shelf shelf;
    private final LocalReads reads;
    private final LocalWrites writes;
    private final Clearing clearing;
    private final Cleared cleared;
    private final Sweeper sweeper;
    private final Shrinking shrinking;
    private final HugePages hugePages;
    private final LocalInventory inventory;

    OffHeapTier(LocalCacheSettings settings, InstantSource clock, MetricRegistry metrics, KeyHash hash) {
        this(settings, new Groups(), clock, metrics, hash);
    }

    OffHeapTier(LocalCacheSettings settings, Groups groups, InstantSource clock, MetricRegistry metrics, KeyHash hash) {
        this(settings, shelf(settings, groups, clock, metrics, hash));
    }

    private static Shelf shelf(
            LocalCacheSettings settings, Groups groups, InstantSource clock, MetricRegistry metrics, KeyHash hash) {
        MapShape shape = MapShape.of(settings, groups.share());
        return new Shelf(
                settings,
                groups,
                clock,
                new LocalCounters(metrics),
                hash,
                shape,
                MemoryMap.open(shape, settings.hugePages()));
    }

    /** Over a shelf that this tier closes. */
    OffHeapTier(LocalCacheSettings settings, Shelf shelf) {
        LocalCounters counters = shelf.counters;
        this.shelf = shelf;
        this.reads = new LocalReads(shelf);
        this.writes = new LocalWrites(shelf, settings.ttl().toMillis());
        this.clearing = new Clearing(shelf);
        this.cleared = new Cleared(shelf);
        counters.gauge("l1.entries", shelf.budget::entries);
        counters.gauge("l1.bytes", shelf.budget::bytes);
        this.shrinking = new Shrinking(shelf, settings);
        this.inventory = new LocalInventory(shelf, settings, shrinking);
        counters.gauge("l1.bytes.live", shelf.budget::bytes);
        counters.gauge("l1.bytes.limit", shelf.budget::maxBytes);
        counters.gauge("l1.bytes.reserved", shelf::reservedBytes);
        counters.gauge("l1.bytes.resident", shelf::residentBytes);
        counters.gauge("l1.bytes.index", inventory::indexBytes);
        counters.gauge("l1.bytes.heap", inventory::heapBytes);
        this.hugePages = new HugePages(shelf, settings.hugePages());
        this.sweeper = new Sweeper(
                clearing,
                cleared,
                () -> {
                    shrinking.look();
                    hugePages.look();
                },
                settings.sweepInterval());
        LOG.info(
                "local tier opened entries={} live_bytes={} reserved_bytes={} segments={} largest_value_bytes={}",
                shelf.shape.entries(),
                shelf.shape.liveBytes(),
                shelf.reservedBytes(),
                shelf.shape.segments(),
                shelf.shape.largestValueBytes());
    }

    @Override
    public TierLevel level() {
        return TierLevel.L1;
    }

    @Override
    public boolean read(KeyBuffer key, EnvelopeView into) {
        return reads.read(key, into);
    }

    @Override
    public StoreOutcome store(Entry entry, WriteCondition condition) {
        return writes.store(entry, condition);
    }

    @Override
    public void drop(CacheKey key) {
        HashKey hashed = shelf.hashOf(key);
        shelf.remove(hashed.high, hashed.low);
    }

    @Override
    public boolean dropOlder(CacheKey key, Version version) {
        return writes.dropOlder(key, version);
    }

    @Override
    public void dropAll() {
        clearing.all();
    }

    @Override
    public long evict(double share, RandomGenerator random) {
        return clearing.share(share, random);
    }

    @Override
    public LocalReport report() {
        return inventory.report();
    }

    final Shelf shelf() {
        return shelf;
    }

    final Shrinking shrinking() {
        return shrinking;
    }

    final HugePages hugePages() {
        return hugePages;
    }

    final Clearing clearing() {
        return clearing;
    }

    final Cleared cleared() {
        return cleared;
    }

    final long reservedBytes() {
        return shelf.reservedBytes();
    }

    /** Takes the place of one entry for a moment. */
    @Override
    public CompletionStage<String> probe() {
        long now = shelf.clock.millis();
        CacheKey key = CacheKey.of("terrace.health", "canary");
        Entry song = new Entry(
                key,
                EntryKind.VALUE,
                Version.of(now, 0, 0),
                now,
                now + PROBE_MILLIS,
                now + PROBE_MILLIS,
                List.of(),
                new byte[] {1});
        StoreOutcome outcome = store(song, WriteCondition.IF_NEWER);
        boolean there = reads.lookUp(key) instanceof Lookup.Hit;
        drop(key);
        return CompletableFuture.completedStage(
                there
                        ? ""
                        : outcome instanceof StoreOutcome.Applied
                                ? "what was written is not there"
                                : outcome.toString());
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return CompletableFuture.completedStage(reads.lookUp(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> found = new HashMap<>();
        for (CacheKey key : keys) {
            found.put(key, reads.lookUp(key));
        }
        return CompletableFuture.completedStage(found);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return CompletableFuture.completedStage(store(entry, condition));
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        List<StoreOutcome> outcomes = new ArrayList<>(entries.size());
        for (Entry entry : entries) {
            outcomes.add(store(entry, WriteCondition.IF_NEWER));
        }
        return CompletableFuture.completedStage(outcomes);
    }

    /** Completes at once; the sweeper gives the space back. */
    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        cleared.add(cache, upTo);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public TierStatus status() {
        boolean closed = shelf.isClosed();
        return new TierStatus(
                TierLevel.L1,
                closed ? TierStatus.State.CLOSED : TierStatus.State.READY,
                shelf.map.description(),
                "at most " + shelf.shape.entries() + " entries, " + (shelf.shape.liveBytes() >> 20) + " MiB of entries"
                        + shrinking.detail(),
                closed ? 0 : shelf.budget.entries(),
                closed ? 0 : shelf.budget.bytes());
    }

    @Override
    public void close() {
        sweeper.close();
        shelf.close();
        shelf.counters.close();
    }
}
