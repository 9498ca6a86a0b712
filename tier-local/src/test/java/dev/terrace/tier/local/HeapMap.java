package dev.terrace.tier.local;

import com.codahale.metrics.MetricRegistry;
import dev.terrace.testkit.ManualClock;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A map whose entries tests can lose, and which tells them what is asked of it. */
final class HeapMap implements EntryMap {
    static final int CAPACITY = 1_000;

    private final Map<Long, StoredValue> held = new ConcurrentHashMap<>();
    private final Map<Long, Long> highs = new ConcurrentHashMap<>();
    private Consumer<HashKey> before = key -> {};
    private Runnable onBeside = () -> {};
    private boolean full;
    private int besides;

    /** Called before an entry is read or removed; what it throws is the map's answer. */
    void beforeEach(Consumer<HashKey> call) {
        before = call;
    }

    /** With this map in it. */
    Shelf shelf(ManualClock clock, MetricRegistry metrics) {
        var settings = PersistedFixture.settings(CAPACITY, 8);
        return new Shelf(
                settings,
                new Groups(),
                clock,
                new LocalCounters(metrics),
                KeyHash.XXH128,
                MapShape.of(settings, false),
                this);
    }

    @Override
    public boolean get(HashKey key, StoredValue using) {
        before.accept(key);
        StoredValue found = held.get(key.low);
        if (found == null) {
            return false;
        }
        using.slot = found.slot;
        using.deadlineMillis = found.deadlineMillis;
        using.resize(found.length);
        System.arraycopy(found.envelope, 0, using.envelope, 0, found.length);
        return true;
    }

    @Override
    public @Nullable String put(HashKey key, StoredValue value) {
        if (full) {
            held.remove(key.low);
            return "full";
        }
        StoredValue copy = StoredValue.of(value.slot, value.deadlineMillis, value.copy());
        held.put(key.low, copy);
        highs.put(key.low, key.high);
        return null;
    }

    @Override
    public void remove(HashKey key, int slot) {
        before.accept(key);
        held.remove(key.low);
    }

    @Override
    public void compact(HashKey key) {}

    @Override
    public List<Resident> beside(HashKey key) {
        besides++;
        onBeside.run();
        return held.entrySet().stream()
                .map(one -> new Resident(
                        new HashKey().set(highs.getOrDefault(one.getKey(), 0L), one.getKey()), one.getValue().slot))
                .toList();
    }

    /** From now on nothing more finds room. */
    void fill() {
        full = true;
    }

    /** Called when room is to be made beside a key. */
    void whenRoomIsMade(Runnable call) {
        onBeside = call;
    }

    int besides() {
        return besides;
    }

    @Override
    public long reservedBytes() {
        return 0;
    }

    @Override
    public int size() {
        return held.size();
    }

    @Override
    public Pages pages() {
        return FileMap.KERNELS;
    }

    @Override
    public String description() {
        return "in the heap";
    }

    @Override
    public void close(boolean alone) {}
}
