package dev.terrace.testkit;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.LeaseStore;
import dev.terrace.spi.RateStore;
import dev.terrace.spi.Unavailability;
import dev.terrace.spi.Version;
import java.time.Duration;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Leases and token buckets on the heap, whose stages are complete when returned. Thread-safe. */
public final class HeapFleet implements LeaseStore, RateStore {
    private static final Claimed NO_CLAIM = new Claimed.Unavailable(Unavailability.DISCONNECTED, "away");

    private final InstantSource clock;
    private final Function<CacheKey, @Nullable Version> held;
    private final Map<CacheKey, Lease> leases = new HashMap<>();
    private final Map<String, Double> fullAtMicros = new HashMap<>();
    private int claims;
    private volatile boolean away;

    private record Lease(String owner, boolean wanted, long untilMillis) {}

    /**
     * Empty.
     *
     * @param held the version of the entry that lies beside a lease
     */
    public HeapFleet(InstantSource clock, Function<CacheKey, @Nullable Version> held) {
        this.clock = clock;
        this.held = held;
    }

    private synchronized <T> CompletionStage<T> answered(T no, Supplier<T> answer) {
        return CompletableFuture.completedStage(away ? no : answer.get());
    }

    /** Whether it answers anything but that it cannot. */
    public void setAway(boolean isAway) {
        away = isAway;
    }

    private @Nullable Lease lease(CacheKey key) {
        Lease lease = leases.get(key);
        return lease == null || lease.untilMillis() <= clock.millis() ? null : lease;
    }

    /** Who holds the lease on {@code key}; null when nobody does. */
    public synchronized @Nullable String owner(CacheKey key) {
        Lease lease = lease(key);
        return lease == null ? null : lease.owner();
    }

    /** How often a lease was claimed. */
    public synchronized int claims() {
        return claims;
    }

    @Override
    public CompletionStage<Claimed> claim(Claim claim) {
        return answered(NO_CLAIM, () -> {
            claims++;
            Version there = held.apply(claim.key());
            if (claim.seen() != null && there != null && there.isNewerThan(claim.seen())) {
                return new Claimed.Changed(there);
            }
            Lease lease = lease(claim.key());
            if (lease != null && !lease.owner().equals(claim.owner())) {
                leases.put(claim.key(), new Lease(lease.owner(), true, lease.untilMillis()));
                return new Claimed.Held(lease.owner(), Duration.ofMillis(lease.untilMillis() - clock.millis()));
            }
            boolean wanted = lease != null && lease.wanted();
            leases.put(claim.key(), new Lease(claim.owner(), wanted, until(claim.keep())));
            return new Claimed.Granted();
        });
    }

    private long until(Duration keep) {
        return clock.millis() + Math.max(1, keep.toMillis());
    }

    private @Nullable Lease owned(CacheKey key, String owner) {
        Lease lease = lease(key);
        return lease != null && lease.owner().equals(owner) ? lease : null;
    }

    @Override
    public CompletionStage<Claimed> renew(CacheKey key, String owner, Duration keep) {
        return answered(NO_CLAIM, () -> {
            Lease lease = owned(key, owner);
            if (lease == null) {
                return new Claimed.Held("", Duration.ZERO);
            }
            leases.put(key, new Lease(owner, lease.wanted(), until(keep)));
            return new Claimed.Granted();
        });
    }

    @Override
    public CompletionStage<Released> release(CacheKey key, String owner) {
        return answered(Released.UNAVAILABLE, () -> {
            Lease lease = owned(key, owner);
            if (lease == null) {
                return Released.NOT_HELD;
            }
            leases.remove(key);
            return lease.wanted() ? Released.WANTED : Released.UNWANTED;
        });
    }

    @Override
    public CompletionStage<Taken> take(String bucket, int wanted, int leave, Rate rate) {
        return answered(new Taken.Unavailable(Unavailability.DISCONNECTED, "away"), () -> {
            double now = clock.millis() * 1_000.0;
            double each = 1_000_000.0 / rate.perSecond();
            double deep = each * rate.burst();
            double full = Math.min(Math.max(fullAtMicros.getOrDefault(bucket, now), now), now + deep);
            double left = deep - each * leave;
            int taken = (int) Math.max(0, Math.min(wanted, Math.floor((now + left - full) / each + 0.001)));
            full += taken * each;
            fullAtMicros.put(bucket, full);
            return new Taken.Tokens(
                    taken, Duration.of((long) Math.ceil(Math.max(0, full + each - left - now)), ChronoUnit.MICROS));
        });
    }
}
