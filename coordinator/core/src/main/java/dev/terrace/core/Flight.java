package dev.terrace.core;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * One search for one key: first through the tiers, then, when somebody who has a loader claims it, at the origin. Shared
 * by all who miss meanwhile. Thread-safe.
 */
final class Flight {
    final CacheKey key;

    /** Drawn when the miss began; a load's result is stored under it. */
    final Version began;

    /** What the tiers hold. Never fails. */
    final CompletableFuture<Found> lookup = new CompletableFuture<>();

    /** What the origin said. Completes only if {@link #claimLoad} was won. */
    final CompletableFuture<Found> loaded = new CompletableFuture<>();

    private final AtomicBoolean loadClaimed = new AtomicBoolean();

    /** Guarded by the table of flights. */
    int users;

    private volatile boolean fenced;

    Flight(CacheKey key, Version began) {
        this.key = key;
        this.began = began;
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
}
