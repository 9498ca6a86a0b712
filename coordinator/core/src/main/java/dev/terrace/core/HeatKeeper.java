package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.EntrySource;
import dev.terrace.spi.HybridClock;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Tier;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Notes in L3 and in L2 which keys are hot here, as entries of a reserved cache: so they are sealed and backed up like any, a restart finds
 * them, and so do other nodes. Every node has notes of its own, which fade. Thread-safe.
 */
final class HeatKeeper {
    static final String CACHE = Markers.RESERVED_PREFIX + "heat";

    /** Nodes draw one of these; who draws another's overwrites its notes, and has the keys of its own traffic in them. */
    private static final int SLOTS = 16;

    /** 100,000 keys, the most that settings allow. */
    private static final int MOST_NOTES = 100;

    private static final long LIFE_MILLIS = TimeUnit.DAYS.toMillis(7);
    private static final double HALF_LIFE_MILLIS = TimeUnit.HOURS.toMillis(6);
    private static final Logger LOG = LoggerFactory.getLogger(HeatKeeper.class);

    private final Heat heat;
    private final NearCaches near;
    private final Tiers tiers;
    private final HybridClock clock;
    private final int keys;

    HeatKeeper(Heat heat, NearCaches near, Tiers tiers, HybridClock clock, int keys) {
        this.heat = heat;
        this.near = near;
        this.tiers = tiers;
        this.clock = clock;
        this.keys = keys;
    }

    /** Writes down what is hot now. Never fails; what a tier does not take is written again with the next note. */
    CompletionStage<Void> note() {
        return note(tiers.remote());
    }

    /** As {@link #note}, into L3 only: for who is about to close and must not wait for servers. */
    CompletionStage<Void> noteInBackup() {
        return note(null);
    }

    private CompletionStage<Void> note(@Nullable Tier remote) {
        if (keys == 0 || tiers.backup() == null) {
            return CompletableFuture.completedStage(null);
        }
        List<HeatNote.Warm> hottest = withNear(heat.hottestThenCool());
        List<CompletableFuture<StoreOutcome>> written = new ArrayList<>();
        long now = clock.millis();
        for (int from = 0, i = 0; from < hottest.size(); from += HeatNote.MOST_KEYS, i++) {
            byte[] note = HeatNote.write(hottest.subList(from, Math.min(hottest.size(), from + HeatNote.MOST_KEYS)));
            long until = now + LIFE_MILLIS;
            CacheKey key = key(Math.floorMod(clock.node(), SLOTS), i);
            Entry entry = new Entry(key, EntryKind.VALUE, clock.next(), now, until, until, List.of(), note);
            written.add(tiers.backup().put(entry, WriteCondition.IF_NEWER).toCompletableFuture());
            if (remote != null) {
                written.add(remote.put(entry, WriteCondition.IF_NEWER).toCompletableFuture());
            }
        }
        return CompletableFuture.allOf(written.toArray(CompletableFuture[]::new))
                .thenAccept(done -> {
                    long refused = written.stream()
                            .filter(outcome -> !(outcome.join() instanceof StoreOutcome.Applied))
                            .count();
                    if (refused > 0) {
                        LOG.debug("notes of hot keys were not taken refused={} of={}", refused, written.size());
                    }
                });
    }

    /** What near caches answer L1 never hears of: it is hotter than anything counted. */
    private List<HeatNote.Warm> withNear(List<HeatNote.Warm> counted) {
        List<CacheKey> hottest = near.hottest(keys);
        if (hottest.isEmpty()) {
            return counted;
        }
        double top = counted.isEmpty() ? 1 : counted.get(0).weight() + 1;
        Map<CacheKey, Double> all = new HashMap<>();
        counted.forEach(warm -> all.put(warm.key(), warm.weight()));
        for (int i = 0; i < hottest.size(); i++) {
            if (hottest.get(i).keyLength() <= HeatNote.LONGEST_KEY_BYTES) {
                all.put(hottest.get(i), top + 1 - (double) i / hottest.size());
            }
        }
        return sorted(all);
    }

    private List<HeatNote.Warm> sorted(Map<CacheKey, Double> weights) {
        return weights.entrySet().stream()
                .map(entry -> new HeatNote.Warm(entry.getKey(), entry.getValue()))
                .sorted(Comparator.comparingDouble(HeatNote.Warm::weight).reversed())
                .limit(keys)
                .toList();
    }

    private static CacheKey key(int slot, int note) {
        return CacheKey.of(CACHE, slot + "/" + note);
    }

    /** The keys that all notes name, hottest first. Completes normally. */
    CompletionStage<List<CacheKey>> hottest(EntrySource source) {
        if (keys == 0) {
            return CompletableFuture.completedStage(List.of());
        }
        List<CacheKey> notes = new ArrayList<>();
        for (int slot = 0; slot < SLOTS; slot++) {
            for (int i = 0; i < Math.min(MOST_NOTES, (keys - 1) / HeatNote.MOST_KEYS + 1); i++) {
                notes.add(key(slot, i));
            }
        }
        CompletionStage<Map<CacheKey, Lookup>> fromRemote = tiers.remote() == null
                ? CompletableFuture.completedStage(Map.of())
                : tiers.remote().getAll(notes);
        return source.getAll(notes).thenCombine(fromRemote, (own, others) -> {
            Map<CacheKey, Double> weights = new HashMap<>();
            notes.forEach(key -> add(newer(own.get(key), others.get(key)), weights));
            return sorted(weights).stream().map(HeatNote.Warm::key).toList();
        });
    }

    private static @Nullable Entry newer(@Nullable Lookup one, @Nullable Lookup other) {
        Entry first = one instanceof Lookup.Hit hit ? hit.entry() : null;
        Entry second = other instanceof Lookup.Hit hit ? hit.entry() : null;
        return first == null || second != null && second.version().isNewerThan(first.version()) ? second : first;
    }

    private void add(@Nullable Entry note, Map<CacheKey, Double> weights) {
        if (note != null && note.isValue()) {
            double age = Math.max(0, clock.millis() - note.createdMillis());
            double left = Math.pow(0.5, age / HALF_LIFE_MILLIS);
            HeatNote.read(note.payload()).forEach(warm -> weights.merge(warm.key(), warm.weight() * left, Double::sum));
        }
    }
}
