package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.EntryKind;
import dev.terrace.spi.Replica.Standing;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A zone's server: what it keeps on disk, and what it keeps only while it runs. */
final class SimZone {
    /** Thrown to say that the fence is closed. */
    static final class Forgetful extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Forgetful() {
            super("the zone has forgotten", null, false, false);
        }
    }

    final String name;
    private final VirtualTime time;
    private final long epochMillis;
    private final Set<Weakness> weaknesses;

    /** Told of whatever happens here. */
    Runnable changed = () -> {};

    // Survives a restart, if there is a disk.
    private Map<CacheKey, Entry> entries = new HashMap<>();
    private Map<CacheKey, Version> promises = new HashMap<>();
    private @Nullable String record;

    // Does not.
    private @Nullable String loaded;
    private final Set<String> sessions = new HashSet<>();
    private int life;

    // Yesterday's disk.
    private Map<CacheKey, Entry> savedEntries = new HashMap<>();
    private Map<CacheKey, Version> savedPromises = new HashMap<>();
    private @Nullable String savedRecord;

    boolean down;

    /** How often it was asked what it holds. */
    int reads;

    /** It is going to restart. */
    boolean leaving;

    /** Stopped, with its connections open: requests wait in them. */
    private boolean frozen;

    private final List<Runnable> waiting = new ArrayList<>();

    /** Told of every entry that it is filled with; for faults that strike then. */
    @Nullable
    Consumer<Entry> onRestore;

    /** Told of every question for the highest version; for faults that strike then. */
    @Nullable
    Consumer<CacheKey> onQuery;

    /** Told of every promise that it gives; for faults that strike then. */
    @Nullable
    Consumer<CacheKey> onPromise;

    /** When it last forgot something; negative for never. */
    long forgotNanos = Long.MIN_VALUE / 2;

    /**
     * @param epochMillis what its clock shows at the beginning of time
     */
    SimZone(String name, VirtualTime time, long epochMillis, Set<Weakness> weaknesses) {
        this.name = name;
        this.time = time;
        this.epochMillis = epochMillis;
        this.weaknesses = weaknesses;
    }

    /** A request arrives. */
    void receive(Runnable request) {
        if (frozen) {
            waiting.add(request);
        } else if (!down) {
            request.run();
            changed.run();
        }
    }

    void freeze() {
        frozen = true;
    }

    void thaw() {
        frozen = false;
        List<Runnable> late = List.copyOf(waiting);
        waiting.clear();
        late.forEach(this::receive);
    }

    private long now() {
        return epochMillis + time.millis();
    }

    private static String id(CacheKey key) {
        return key.toString();
    }

    private @Nullable Entry held(CacheKey key) {
        Entry held = entries.get(key);
        if (held == null) {
            return null;
        }
        boolean early = weaknesses.contains(Weakness.TOMBSTONES_DROPPED_EARLY)
                && held.kind() == EntryKind.TOMBSTONE
                && now() - held.createdMillis() > 300;
        if (held.isExpired(now()) || early) {
            entries.remove(key);
            return null;
        }
        return held;
    }

    /** What a client must hold to pass: the token of the incarnation it believes in. */
    void fence(@Nullable String token) {
        boolean passes = token != null && token.equals(loaded);
        boolean weakly = weaknesses.contains(Weakness.FORGETFUL_VOTES)
                || weaknesses.contains(Weakness.MARKER_IS_PROOF) && record != null
                || weaknesses.contains(Weakness.SCRIPTS_RELOAD) && record != null && record.equals(token);
        if (!passes && !weakly) {
            throw new Forgetful();
        }
    }

    @Nullable
    String record() {
        return record;
    }

    @Nullable
    Entry read(CacheKey key) {
        reads++;
        return held(key);
    }

    @Nullable
    Version highest(CacheKey key) {
        Entry held = held(key);
        Version promised = promises.get(key);
        if (held == null) {
            return promised;
        }
        return promised != null && promised.isNewerThan(held.version()) ? promised : held.version();
    }

    /** The highest version, asked for by a write. */
    @Nullable
    Version query(CacheKey key) {
        if (onQuery != null) {
            onQuery.accept(key);
        }
        return highest(key);
    }

    /** Null when given, else what stands against it. */
    @Nullable
    Version promise(CacheKey key, Version version) {
        Version highest = highest(key);
        if (highest != null && highest.isNewerThan(version)) {
            return highest;
        }
        promises.put(key, version);
        if (onPromise != null) {
            onPromise.accept(key);
        }
        return null;
    }

    void restorePromise(CacheKey key, Version version) {
        promises.merge(key, version, (kept, offered) -> offered.isNewerThan(kept) ? offered : kept);
    }

    void forgetPromise(CacheKey key, Version version) {
        promises.remove(key, version);
    }

    StoreOutcome store(Entry entry, WriteCondition condition) {
        Entry held = held(entry.key());
        if (held != null && held.version().equals(entry.version())) {
            return StoreOutcome.APPLIED;
        }
        if (weaknesses.contains(Weakness.SUPERSEDED_FIRST)
                && held != null
                && held.version().isNewerThan(entry.version())) {
            return new StoreOutcome.Superseded(held.version());
        }
        // Before anything else: what is older than a promise was not taken, whatever else is held by now.
        Version promised = promises.get(entry.key());
        if (promised != null && promised.isNewerThan(entry.version())) {
            return new StoreOutcome.Promised(promised);
        }
        if (condition instanceof WriteCondition.IfVersion wanted) {
            if (held == null) {
                return new StoreOutcome.Superseded(null);
            }
            if (!held.version().equals(wanted.expected())) {
                return new StoreOutcome.Superseded(held.version());
            }
        }
        if (held != null && held.version().isNewerThan(entry.version())) {
            return new StoreOutcome.Superseded(held.version());
        }
        entries.put(entry.key(), entry);
        return StoreOutcome.APPLIED;
    }

    StoreOutcome accept(Entry entry) {
        Entry held = held(entry.key());
        if (held != null && !entry.version().isNewerThan(held.version())) {
            return held.version().equals(entry.version())
                    ? StoreOutcome.APPLIED
                    : new StoreOutcome.Superseded(held.version());
        }
        Version promised = promises.get(entry.key());
        if (promised == null || !promised.equals(entry.version())) {
            return promised != null && promised.isNewerThan(entry.version())
                    ? new StoreOutcome.Promised(promised)
                    : new StoreOutcome.Superseded(held == null ? null : held.version());
        }
        entries.put(entry.key(), entry);
        if (weaknesses.contains(Weakness.ACCEPTING_ENDS_PROMISE)) {
            promises.remove(entry.key());
        }
        return StoreOutcome.APPLIED;
    }

    StoreOutcome restore(Entry entry) {
        Entry held = held(entry.key());
        if (held != null && held.version().isNewerThan(entry.version())) {
            return new StoreOutcome.Superseded(held.version());
        }
        entries.put(entry.key(), entry);
        if (onRestore != null) {
            onRestore.accept(entry);
        }
        return StoreOutcome.APPLIED;
    }

    ReplicaPage page(@Nullable String cursor, int limit) {
        String after = "";
        if (cursor != null) {
            int mark = cursor.indexOf('|');
            if (Integer.parseInt(cursor.substring(0, mark)) != life) {
                return new ReplicaPage(List.of(), null, "the zone has restarted");
            }
            after = cursor.substring(mark + 1);
        }
        TreeMap<String, CacheKey> known = new TreeMap<>();
        entries.keySet().forEach(key -> known.put(id(key), key));
        promises.keySet().forEach(key -> known.put(id(key), key));
        List<ReplicaPage.Item> items = new ArrayList<>();
        List<ReplicaPage.Item> promised = new ArrayList<>();
        int looked = 0;
        for (Map.Entry<String, CacheKey> one : known.tailMap(after, false).entrySet()) {
            CacheKey key = one.getValue();
            Entry entry = entries.get(key);
            Version promise = promises.get(key);
            if (entry != null) {
                items.add(new ReplicaPage.Item(key, entry.version()));
            }
            if (promise != null) {
                promised.add(new ReplicaPage.Item(key, promise));
            }
            if (++looked == limit) {
                return new ReplicaPage(items, promised, life + "|" + one.getKey(), null);
            }
        }
        return new ReplicaPage(items, promised, null, null);
    }

    Standing standing() {
        if (record == null) {
            return entries.isEmpty() ? Standing.NEW : Standing.FORGETFUL;
        }
        boolean weakly = weaknesses.contains(Weakness.FORGETFUL_VOTES)
                || weaknesses.contains(Weakness.MARKER_IS_PROOF)
                || weaknesses.contains(Weakness.SCRIPTS_RELOAD);
        return record.equals(loaded) || weakly ? Standing.MEMBER : Standing.FORGETFUL;
    }

    /** Whether it was ever admitted. */
    boolean everVoted() {
        return record != null || forgotNanos > 0;
    }

    boolean begin(String token) {
        sessions.add(token);
        return true;
    }

    boolean admit(String token) {
        if (!sessions.contains(token) && !weaknesses.contains(Weakness.ADMITS_BLINDLY)) {
            return false;
        }
        loaded = token;
        record = token;
        return true;
    }

    /** What a roll-back would return to. */
    void save() {
        savedEntries = new HashMap<>(entries);
        savedPromises = new HashMap<>(promises);
        savedRecord = record;
    }

    private void restarted() {
        loaded = null;
        sessions.clear();
        life++;
        down = false;
        frozen = false;
        waiting.clear();
        forgotNanos = time.nanos();
        changed.run();
    }

    @Nullable
    Version version(CacheKey key) {
        Entry held = held(key);
        return held == null ? null : held.version();
    }

    /** Comes back with what it had. */
    void restart() {
        restarted();
    }

    /** Comes back with nothing. */
    void restartEmpty() {
        entries = new HashMap<>();
        promises = new HashMap<>();
        record = null;
        restarted();
    }

    /** Comes back as it was when it was last saved. */
    void restartRolledBack() {
        entries = new HashMap<>(savedEntries);
        promises = new HashMap<>(savedPromises);
        record = savedRecord;
        restarted();
    }

    /** Loses one key, as by eviction. */
    void lose(CacheKey key) {
        entries.remove(key);
    }

    /** Keys and versions, what has expired left out. */
    Map<String, Version> contents() {
        Map<String, Version> contents = new TreeMap<>();
        for (Entry entry : List.copyOf(entries.values())) {
            Entry held = held(entry.key());
            if (held != null) {
                contents.put(id(entry.key()), held.version());
            }
        }
        return contents;
    }
}
