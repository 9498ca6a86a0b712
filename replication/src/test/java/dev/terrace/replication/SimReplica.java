package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.Lookup;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaPage;
import dev.terrace.spi.StoreOutcome;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierStatus;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteCondition;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One node's client of a simulated zone. Single-threaded. */
final class SimReplica implements Replica {
    private final SimZone zone;
    private final SimLink link;
    private final VirtualTime time;
    private final SimHost host;
    private final long timeoutMillis;
    private final LongSupplier wallMillis;
    private @Nullable String token;

    SimReplica(SimZone zone, SimLink link, VirtualTime time, long timeoutMillis) {
        this(zone, link, time, timeoutMillis, link.host::wallMillis);
    }

    /**
     * @param epochMillis what the node's clock shows at the beginning of time
     */
    SimReplica(SimZone zone, SimLink link, VirtualTime time, long timeoutMillis, long epochMillis) {
        this(zone, link, time, timeoutMillis, () -> epochMillis + time.millis());
    }

    private SimReplica(SimZone zone, SimLink link, VirtualTime time, long timeoutMillis, LongSupplier wallMillis) {
        this.zone = zone;
        this.link = link;
        this.time = time;
        this.host = link.host;
        this.timeoutMillis = timeoutMillis;
        this.wallMillis = wallMillis;
    }

    /** Either an answer, or the fence's no and the record that lies in the zone. */
    private record Said<T>(
            @Nullable T answer, boolean fenced, @Nullable String record) {}

    private <T> CompletionStage<T> call(boolean fenced, Supplier<T> atZone, Function<Unavailability, T> failed) {
        CompletableFuture<T> result = new CompletableFuture<>();
        attempt(fenced, atZone, failed, result, true);
        time.after(timeoutMillis, () -> host.awake(1_000, () -> result.complete(failed.apply(Unavailability.TIMEOUT))));
        return result;
    }

    private <T> void attempt(
            boolean fenced,
            Supplier<T> atZone,
            Function<Unavailability, T> failed,
            CompletableFuture<T> result,
            boolean first) {
        String mine = token;
        link.<Said<T>>call(
                () -> {
                    try {
                        if (fenced) {
                            zone.fence(mine);
                        }
                        return new Said<>(atZone.get(), false, null);
                    } catch (SimZone.Forgetful no) {
                        return new Said<>(null, true, zone.record());
                    }
                },
                said -> {
                    if (!said.fenced()) {
                        result.complete(said.answer());
                    } else if (first && said.record() != null && !said.record().equals(mine)) {
                        token = said.record();
                        attempt(true, atZone, failed, result, false);
                    } else {
                        result.complete(failed.apply(Unavailability.FORGETFUL));
                    }
                },
                fenced);
    }

    private static Lookup no(Unavailability cause) {
        return new Lookup.Unavailable(TierLevel.L2, cause, "simulated");
    }

    private static StoreOutcome noStore(Unavailability cause) {
        return new StoreOutcome.Unavailable(TierLevel.L2, cause, "simulated");
    }

    private Lookup lookup(CacheKey key) {
        Entry held = zone.read(key);
        return held == null || held.isExpired(wallMillis.getAsLong()) ? Lookup.MISS : new Lookup.Hit(held);
    }

    @Override
    public String zone() {
        return zone.name;
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    @Override
    public CompletionStage<Lookup> vote(CacheKey key) {
        return call(true, () -> lookup(key), SimReplica::no);
    }

    @Override
    public CompletionStage<Lookup> get(CacheKey key) {
        return call(false, () -> lookup(key), SimReplica::no);
    }

    @Override
    public CompletionStage<Ballot> query(CacheKey key) {
        return call(true, () -> new Ballot.Known(zone.query(key)), cause -> new Ballot.Unknown(cause, "simulated"));
    }

    @Override
    public CompletionStage<Promise> promise(CacheKey key, Version version, Duration keep) {
        return call(
                true,
                () -> {
                    Version higher = zone.promise(key, version);
                    if (higher != null) {
                        return new Promise.Denied(higher);
                    }
                    time.after(keep.toMillis(), () -> zone.forgetPromise(key, version));
                    Lookup held = lookup(key);
                    return new Promise.Given(held instanceof Lookup.Hit hit ? hit.entry() : null);
                },
                cause -> new Promise.Unknown(cause, "simulated"));
    }

    @Override
    public CompletionStage<StoreOutcome> accept(Entry entry) {
        return call(true, () -> zone.accept(entry), SimReplica::noStore);
    }

    @Override
    public CompletionStage<StoreOutcome> put(Entry entry, WriteCondition condition) {
        return call(true, () -> zone.store(entry, condition), SimReplica::noStore);
    }

    @Override
    public CompletionStage<StoreOutcome> restore(Entry entry) {
        return call(false, () -> zone.restore(entry), SimReplica::noStore);
    }

    @Override
    public CompletionStage<Boolean> restorePromise(CacheKey key, Version version, Duration keep) {
        return call(
                false,
                () -> {
                    zone.restorePromise(key, version);
                    time.after(keep.toMillis(), () -> zone.forgetPromise(key, version));
                    return true;
                },
                cause -> false);
    }

    @Override
    public CompletionStage<Standing> examine() {
        return call(false, zone::standing, cause -> Standing.UNREACHABLE);
    }

    @Override
    public CompletionStage<Boolean> begin(String session) {
        return call(false, () -> zone.begin(session), cause -> false);
    }

    @Override
    public CompletionStage<Boolean> admit(String admitted) {
        return call(false, () -> zone.admit(admitted), cause -> false);
    }

    @Override
    public CompletionStage<ReplicaPage> page(@Nullable String cursor, int limit) {
        return call(
                false,
                () -> zone.page(cursor, Math.min(limit, 2)),
                cause -> new ReplicaPage(List.of(), null, cause.name()));
    }

    @Override
    public CompletionStage<Map<CacheKey, Lookup>> getAll(Collection<CacheKey> keys) {
        Map<CacheKey, Lookup> found = new HashMap<>();
        CompletableFuture<?>[] all = keys.stream()
                .map(key ->
                        get(key).thenAccept(lookup -> found.put(key, lookup)).toCompletableFuture())
                .toArray(CompletableFuture[]::new);
        return CompletableFuture.allOf(all).thenApply(done -> found);
    }

    @Override
    public CompletionStage<List<StoreOutcome>> putAll(List<Entry> entries) {
        List<CompletableFuture<StoreOutcome>> stored = new ArrayList<>();
        entries.forEach(entry -> stored.add(put(entry, WriteCondition.IF_NEWER).toCompletableFuture()));
        return CompletableFuture.allOf(stored.toArray(CompletableFuture[]::new))
                .thenApply(done -> stored.stream().map(CompletableFuture::join).toList());
    }

    @Override
    public CompletionStage<Void> clear(String cache, Version upTo) {
        return CompletableFuture.completedStage(null);
    }

    @Override
    public TierStatus status() {
        return new TierStatus(TierLevel.L2, TierStatus.State.READY, zone.name, "", -1, -1);
    }

    @Override
    public void close() {}
}
