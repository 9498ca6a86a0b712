package dev.terrace.tier.local;

import com.codahale.metrics.Counter;
import com.codahale.metrics.Gauge;
import com.codahale.metrics.MetricRegistry;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Envelope;
import dev.terrace.spi.EnvelopeView;
import dev.terrace.spi.Evicting;
import dev.terrace.spi.KeyBuffer;
import dev.terrace.spi.LocalTier;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Probed;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.lang.ref.WeakReference;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The local tier. Thread-safe.
 *
 * <p>Writers of one key hold its lock stripe; room is made before a write, by entries and by bytes, never while a stripe
 * is held. Readers take no lock of ours. After {@link #close()} nothing touches native memory: writers see {@code closed}
 * under their stripe, readers announce themselves in their {@link ReadScratch} and closing waits for them.
 */
final class ChronicleTier implements LocalTier, Evicting, Probed {
    private static final Logger LOG = LoggerFactory.getLogger(ChronicleTier.class);
    private static final int STRIPES = 64;
    private static final long PROBE_MILLIS = 60_000;
    private static final int MOST_ATTEMPTS = 32;
    private static final int MOST_EVICTIONS_PER_WRITE = 1 << 20;

    private final InstantSource clock;
    private final KeyHash hash;
    private final MapShape shape;
    private final OffHeapMap map;
    private final SlotTable table;
    private final Budget budget;
    private final Sweeper sweeper;
    private final long ttlMillis;
    private final long baseMillis;
    private final ReentrantLock[] stripes = new ReentrantLock[STRIPES];
    private final Queue<WeakReference<ReadScratch>> scratches = new ConcurrentLinkedQueue<>();
    private final ThreadLocal<ReadScratch> scratch;
    private final Counter evictedForSize;
    private final Counter evictedExpired;
    private final Counter corrupt;
    private final Counter refused;
    private final Counter collisions;
    private final Counter errors;
    private volatile boolean closed;

    ChronicleTier(LocalCacheSettings settings, InstantSource clock, MetricRegistry metrics, KeyHash hash) {
        this.clock = clock;
        this.hash = hash;
        this.shape = MapShape.of(settings);
        this.map = OffHeapMap.open(shape);
        this.table = new SlotTable((int) shape.entries(), settings.evictionPolicy(), clock.millis());
        this.budget = new Budget(shape.entries(), shape.liveBytes());
        this.ttlMillis = settings.ttl().toMillis();
        this.baseMillis = clock.millis();
        for (int i = 0; i < STRIPES; i++) {
            stripes[i] = new ReentrantLock();
        }
        this.scratch = ThreadLocal.withInitial(this::registerScratch);
        this.evictedForSize = metrics.counter("l1.evictions.size");
        this.evictedExpired = metrics.counter("l1.evictions.expired");
        this.corrupt = metrics.counter("l1.corrupt");
        this.refused = metrics.counter("l1.refused");
        this.collisions = metrics.counter("l1.collisions");
        this.errors = metrics.counter("l1.errors");
        gauge(metrics, "l1.entries", budget::entries);
        gauge(metrics, "l1.bytes", budget::bytes);
        gauge(metrics, "l1.bytes.reserved", this::reservedBytes);
        this.sweeper = new Sweeper(this, settings.sweepInterval());
        LOG.info(
                "local tier opened entries={} live_bytes={} reserved_bytes={} segments={} largest_value_bytes={}",
                shape.entries(),
                shape.liveBytes(),
                map.reservedBytes(),
                shape.segments(),
                shape.largestValueBytes());
    }

    private static void gauge(MetricRegistry metrics, String name, Gauge<Long> gauge) {
        metrics.remove(name);
        metrics.register(name, gauge);
    }

    private ReadScratch registerScratch() {
        ReadScratch mine = new ReadScratch();
        scratches.removeIf(known -> known.get() == null);
        scratches.add(new WeakReference<>(mine));
        return mine;
    }

    @Override
    public TierLevel level() {
        return TierLevel.L1;
    }

    @Override
    public boolean read(KeyBuffer key, EnvelopeView into) {
        if (!locate(key.array(), key.length(), key.nameLength(), into)) {
            return false;
        }
        if (!into.isFor(key)) {
            collisions.inc();
            return false;
        }
        return true;
    }

    /** Finds the entry under the hash of the key, in its time and sound, but perhaps another key's. */
    private boolean locate(byte[] nameAndKey, int length, int nameLength, EnvelopeView into) {
        ReadScratch mine = scratch.get();
        boolean damaged = false;
        mine.enter();
        try {
            if (closed) {
                return false;
            }
            hash.hash(nameAndKey, length, nameLength, mine.hash);
            // Straight into the view's own array, so that a nested read through another view cannot disturb it.
            mine.value.envelope = into.array();
            if (!map.get(mine.key.set(mine.hash[0], mine.hash[1]), mine.value)) {
                return false;
            }
            long now = clock.millis();
            if (now >= mine.value.deadlineMillis) {
                return false;
            }
            // The checksum covers the envelope, not the prefix: its slot must at least exist, and its deadline is
            // believed only as far as the envelope's own.
            damaged = !table.exists(mine.value.slot) || into.wrap(mine.value.envelope, mine.value.length) != null;
            if (!damaged && now >= into.staleUntilMillis()) {
                return false;
            }
            if (!damaged) {
                table.touch(mine.value.slot, mine.reads++);
                into.readAt(now);
                return true;
            }
        } catch (RuntimeException e) {
            // Whatever Chronicle throws must not reach a caller; to them it is a miss.
            errors.inc();
            LOG.warn("local tier read failed", e);
            return false;
        } finally {
            mine.leave();
        }
        corrupt.inc();
        remove(mine.hash[0], mine.hash[1]);
        return false;
    }

    private void remove(long high, long low) {
        ReentrantLock stripe = stripe(low);
        stripe.lock();
        try {
            if (!closed) {
                ReadScratch mine = scratch.get();
                mine.value.envelope = new byte[0];
                if (map.get(mine.key.set(high, low), mine.value)) {
                    removeLocked(mine.key, mine.value.slot);
                }
            }
        } finally {
            stripe.unlock();
        }
    }

    /** The caller holds the stripe of {@code key}. */
    private void removeLocked(HashKey key, int slot) {
        map.remove(key);
        if (table.exists(slot) && table.holds(slot, key)) {
            // The slot first: whoever is granted an entry by the budget must find a free slot.
            int charge = table.chargeOf(slot);
            table.release(slot);
            budget.release(1, charge);
        }
    }

    @Override
    public StoreOutcome store(Entry entry, WriteCondition condition) {
        byte[] envelope = Envelope.encode(entry);
        HashKey key = hashOf(entry.key());
        boolean tooLarge = envelope.length + StoredValue.PREFIX_BYTES > shape.largestValueBytes();
        Need need = new Need();
        try {
            for (int attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
                StoreOutcome outcome = attempt(entry, condition, key, envelope, tooLarge, need);
                if (outcome != null) {
                    return outcome;
                }
                evictFor(need);
            }
            drop(entry.key());
        } catch (RuntimeException e) {
            errors.inc();
            LOG.warn("local tier write failed", e);
            return new StoreOutcome.Unavailable(TierLevel.L1, Unavailability.ERROR, String.valueOf(e.getMessage()));
        }
        refused.inc();
        return new StoreOutcome.Refused(
                TierLevel.L1,
                "entry of " + envelope.length + " bytes found no room in L1 after " + MOST_ATTEMPTS
                        + " tries; raise local_cache.max_memory_mb");
    }

    /** What the last attempt lacked. */
    private static final class Need {
        int entries;
        long bytes;
    }

    /** One try under the stripe; null when room must be made first. */
    private @Nullable StoreOutcome attempt(
            Entry entry, WriteCondition condition, HashKey key, byte[] envelope, boolean tooLarge, Need need) {
        ReentrantLock stripe = stripe(key.low);
        stripe.lock();
        try {
            if (closed) {
                return new StoreOutcome.Unavailable(TierLevel.L1, Unavailability.CLOSED, "the local tier is closed");
            }
            long now = clock.millis();
            StoredValue old = new StoredValue();
            boolean present = map.get(key, old);
            EnvelopeView held = present ? live(old, entry.key(), now) : null;
            StoreOutcome refusal = Conditions.refuse(condition, entry, held, now);
            if (refusal != null) {
                return refusal;
            }
            long deadline = Math.min(entry.staleUntilMillis(), now + ttlMillis);
            if (tooLarge || now >= deadline) {
                // What is held is older than what the caller knows of: it must not be answered any more.
                if (present) {
                    removeLocked(key, old.slot);
                }
                return tooLarge ? refuseTooLarge(envelope) : StoreOutcome.APPLIED;
            }
            if (present && !(table.exists(old.slot) && table.holds(old.slot, key))) {
                // A damaged prefix. The slot that was meant stays until it is evicted, which is harmless.
                map.remove(key);
                present = false;
            }
            return write(key, envelope, deadline, present ? old.slot : -1, need);
        } finally {
            stripe.unlock();
        }
    }

    private StoreOutcome refuseTooLarge(byte[] envelope) {
        refused.inc();
        return new StoreOutcome.Refused(
                TierLevel.L1,
                "entry of " + envelope.length + " bytes exceeds the largest that L1 takes, "
                        + (shape.largestValueBytes() - StoredValue.PREFIX_BYTES)
                        + "; raise local_cache.max_memory_mb");
    }

    /** What is held under the entry's own key and may still be answered, or null. */
    private @Nullable EnvelopeView live(StoredValue stored, CacheKey key, long now) {
        EnvelopeView view = new EnvelopeView();
        if (view.wrap(stored.envelope, stored.length) != null) {
            corrupt.inc();
            return null;
        }
        if (!view.isFor(key)) {
            collisions.inc();
            return null;
        }
        return now < stored.deadlineMillis ? view : null;
    }

    private @Nullable StoreOutcome write(HashKey key, byte[] envelope, long deadline, int oldSlot, Need need) {
        int charge = shape.charge(envelope.length + StoredValue.PREFIX_BYTES);
        boolean replaces = oldSlot >= 0;
        need.entries = replaces ? 0 : 1;
        need.bytes = (long) charge - (replaces ? table.chargeOf(oldSlot) : 0);
        if (!budget.tryReserve(need.entries, need.bytes)) {
            return null;
        }
        int expiry = (int) Math.min(Integer.MAX_VALUE, (deadline - baseMillis) / 1000 + 1);
        int slot = replaces ? oldSlot : table.allocate(key.high, key.low, charge, expiry);
        if (slot < 0) {
            budget.release(need.entries, need.bytes);
            return null;
        }
        StoredValue value = new StoredValue();
        value.take(slot, deadline, envelope);
        String full = map.put(key, value);
        if (full == null) {
            if (replaces) {
                table.replace(slot, charge, expiry);
            }
            return StoreOutcome.APPLIED;
        }
        // One segment is full though the whole is not. Evicting a few at random frees it in the end.
        LOG.debug("local tier segment full reason={}", full);
        if (!replaces) {
            table.release(slot);
        }
        budget.release(need.entries, need.bytes);
        need.entries = Math.max(1, shape.segments());
        need.bytes = (long) charge * shape.segments();
        return null;
    }

    private void evictFor(Need need) {
        // A whole-map shortage ends as soon as the need fits; a full segment asks for a share of every segment.
        long goal = Math.min(MOST_EVICTIONS_PER_WRITE, Math.max(1, need.entries));
        for (int evicted = 0; evicted < MOST_EVICTIONS_PER_WRITE; evicted++) {
            if (evicted >= goal && budget.fits(1, need.bytes) || !evictOne(!budget.fits(0, need.bytes))) {
                return;
            }
        }
    }

    private boolean evictOne(boolean bytesShort) {
        int slot = table.victim(bytesShort);
        if (slot < 0) {
            return false;
        }
        if (removeSlot(slot, false)) {
            evictedForSize.inc();
        }
        return true;
    }

    /**
     * Removes what the slot holds now.
     *
     * @param onlyExpired look again under the stripe: a writer may have put something new under the same key since the
     *     sweeper looked
     */
    private boolean removeSlot(int slot, boolean onlyExpired) {
        HashKey key = new HashKey();
        table.keyOf(slot, key);
        ReentrantLock stripe = stripe(key.low);
        stripe.lock();
        try {
            if (closed || !table.holds(slot, key) || onlyExpired && !table.isExpired(slot, secondsNow())) {
                return false;
            }
            removeLocked(key, slot);
            return true;
        } finally {
            stripe.unlock();
        }
    }

    /** Frees slots whose time is over, from {@code from} on, at most {@code count}. Called by the sweeper. */
    void sweepExpired(int from, int count) {
        int nowSeconds = secondsNow();
        int end = (int) Math.min((long) from + count, table.highWater());
        for (int slot = from; slot < end && !closed; slot++) {
            if (table.isExpired(slot, nowSeconds) && removeSlot(slot, true)) {
                evictedExpired.inc();
            }
        }
    }

    /** On the clock of {@link SlotTable}'s expiry times. */
    private int secondsNow() {
        return (int) ((clock.millis() - baseMillis) / 1000);
    }

    /** Frees slots that hold entries of {@code cache} not newer than {@code upTo}. Called by the sweeper. */
    void sweepCleared(int from, int count, String cache, Version upTo) {
        EnvelopeView view = new EnvelopeView();
        StoredValue stored = new StoredValue();
        HashKey key = new HashKey();
        int end = (int) Math.min((long) from + count, table.highWater());
        for (int slot = from; slot < end; slot++) {
            if (!table.isResident(slot)) {
                continue;
            }
            table.keyOf(slot, key);
            ReentrantLock stripe = stripe(key.low);
            stripe.lock();
            try {
                if (closed) {
                    return;
                }
                if (table.holds(slot, key)
                        && map.get(key, stored)
                        && view.wrap(stored.envelope, stored.length) == null
                        && !view.version().isNewerThan(upTo)
                        && Envelope.decode(view) instanceof Envelope.Sound sound
                        && sound.entry().key().cache().equals(cache)) {
                    removeLocked(key, slot);
                }
            } finally {
                stripe.unlock();
            }
        }
    }

    /** Address space that the map has reserved, more than what it has touched. */
    long reservedBytes() {
        // Chronicle reads native memory for this; under a stripe, like a writer.
        ReentrantLock stripe = stripes[0];
        stripe.lock();
        try {
            return closed ? 0 : map.reservedBytes();
        } finally {
            stripe.unlock();
        }
    }

    int highWater() {
        return table.highWater();
    }

    /** Takes the place of one entry for a moment. */
    @Override
    public CompletionStage<String> probe() {
        long now = clock.millis();
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
        boolean there = lookUp(key) instanceof Lookup.Hit;
        drop(key);
        return CompletableFuture.completedStage(
                there
                        ? ""
                        : outcome instanceof StoreOutcome.Applied
                                ? "what was written is not there"
                                : outcome.toString());
    }

    @Override
    public void drop(CacheKey key) {
        HashKey hashed = hashOf(key);
        remove(hashed.high, hashed.low);
    }

    @Override
    public void dropAll() {
        try {
            int end = table.highWater();
            for (int slot = 0; slot < end && !closed; slot++) {
                if (table.isResident(slot)) {
                    removeSlot(slot, false);
                }
            }
        } catch (RuntimeException e) {
            errors.inc();
            throw e;
        }
    }

    @Override
    public long evict(double share, RandomGenerator random) {
        long evicted = 0;
        int end = table.highWater();
        for (int slot = 0; slot < end && !closed; slot++) {
            if (table.isResident(slot) && random.nextDouble() < share && removeSlot(slot, false)) {
                evicted++;
            }
        }
        evictedForSize.inc(evicted);
        return evicted;
    }

    private HashKey hashOf(CacheKey key) {
        long[] halves = new long[2];
        hash.hash(key.nameAndKey(), key.nameAndKey().length, key.nameLength(), halves);
        return new HashKey().set(halves[0], halves[1]);
    }

    private ReentrantLock stripe(long low) {
        return stripes[(int) (low >>> 58)];
    }

    private Lookup lookUp(CacheKey key) {
        if (closed) {
            return new Lookup.Unavailable(TierLevel.L1, Unavailability.CLOSED, "the local tier is closed");
        }
        EnvelopeView view = new EnvelopeView();
        if (!locate(key.nameAndKey(), key.nameAndKey().length, key.nameLength(), view)) {
            return Lookup.MISS;
        }
        if (!view.isFor(key)) {
            collisions.inc();
            return Lookup.MISS;
        }
        return Envelope.decode(view) instanceof Envelope.Sound sound ? new Lookup.Hit(sound.entry()) : Lookup.MISS;
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return CompletableFuture.completedStage(lookUp(key));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> found = new HashMap<>();
        for (CacheKey key : keys) {
            found.put(key, lookUp(key));
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
        sweeper.clear(cache, upTo);
        return CompletableFuture.completedStage(null);
    }

    @Override
    public TierStatus status() {
        return new TierStatus(
                TierLevel.L1,
                closed ? TierStatus.State.CLOSED : TierStatus.State.READY,
                "Chronicle Map, off-heap, in process",
                "at most " + shape.entries() + " entries, " + (shape.liveBytes() >> 20) + " MiB of entries",
                closed ? 0 : budget.entries(),
                closed ? 0 : budget.bytes());
    }

    @Override
    public void close() {
        for (ReentrantLock stripe : stripes) {
            stripe.lock();
        }
        try {
            if (closed) {
                return;
            }
            closed = true;
        } finally {
            for (ReentrantLock stripe : stripes) {
                stripe.unlock();
            }
        }
        sweeper.close();
        for (WeakReference<ReadScratch> known : scratches) {
            ReadScratch reader = known.get();
            // A read takes microseconds and waits for nothing, so this does too.
            while (reader != null && reader.isBusy()) {
                Thread.onSpinWait();
            }
        }
        map.close();
    }
}
