package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One search for one key: first through the tiers, then, when somebody who has a loader claims it, at the origin. Shared
 * by all who miss meanwhile. Thread-safe.
 */
final class Flight {
    final CacheKey key;

    /** Drawn when the miss began; a load's result is stored under it. */
    final Version began;

    /** What the tiers hold. Never fails. Completed by {@link #searched}. */
    final CompletableFuture<Found> lookup = new CompletableFuture<>();

    /** What the origin said. Completes only if {@link #claimLoad} was won. */
    final CompletableFuture<Found> loaded = new CompletableFuture<>();

    /** Completes when whoever has something stale has waited for the load long enough. */
    final CompletableFuture<@Nullable Void> patience = new CompletableFuture<>();

    /** Whether what began before it is good enough for those in it. */
    final boolean sharesOlder;

    /** When it began, on a clock that only moves on, but not while the machine sleeps. */
    final long beganNanos;

    /** When it began, on the wall clock, which also moves while the machine sleeps. */
    final long beganMillis;

    /** What loads it, once that is certain. */
    volatile @Nullable Load load;

    /** True when somebody waits for its load. */
    volatile boolean wanted;

    private final AtomicBoolean loadClaimed = new AtomicBoolean();
    private volatile boolean settled;
    private volatile boolean fenced;

    // Guarded by the table of flights.
    private int users;
    private int loaders;
    private boolean abandoned;

    /** The flight of the same key that was there before and is not over yet; guarded by the table of flights. */
    @Nullable
    Flight older;

    Flight(CacheKey key, Version began, long beganNanos, long beganMillis, boolean sharesOlder) {
        this.key = key;
        this.began = began;
        this.beganNanos = beganNanos;
        this.beganMillis = beganMillis;
        this.sharesOlder = sharesOlder;
    }

    /** Whether it began less than so long ago, by both clocks. */
    boolean isYoungerThan(long ageNanos, long nowNanos, long nowMillis) {
        return nowNanos - beganNanos < ageNanos && nowMillis - beganMillis < TimeUnit.NANOSECONDS.toMillis(ageNanos);
    }

    /** What is known already is to be loaded anew before it is over. */
    void refreshing(Found found) {
        lookup.complete(found);
    }

    /** Ends the search with what the tiers hold. */
    void searched(Found found, long nowMillis) {
        settled = found.settles(nowMillis);
        lookup.complete(found);
    }

    /** True when the tiers answered the question, so that no loader was needed; decided once, for all who share it. */
    boolean isSettled() {
        return settled;
    }

    /** True when somebody has seen to the load, or is about to. */
    boolean isLoadClaimed() {
        return loadClaimed.get();
    }

    /** True for the one caller that must see to the load. */
    boolean claimLoad() {
        return loadClaimed.compareAndSet(false, true);
    }

    /** Something newer was written: this flight must not fill L1 any more. */
    void fence() {
        fenced = true;
    }

    boolean isFenced() {
        return fenced;
    }

    /**
     * True when a newcomer may share it. Once the tiers have answered, what they said grows old: from then on only those
     * with a loader may join, and only while a load is under way or certain to follow.
     */
    boolean mayJoin(boolean withLoader) {
        if (abandoned) {
            return false;
        }
        return !lookup.isDone() || withLoader && loaders > 0 && !settled && !loaded.isDone();
    }

    void enter(boolean withLoader) {
        users++;
        loaders += withLoader ? 1 : 0;
    }

    void leave(boolean withLoader) {
        users--;
        loaders -= withLoader ? 1 : 0;
    }

    void abandon() {
        abandoned = true;
    }

    boolean isEmpty() {
        return users <= 0;
    }
}
