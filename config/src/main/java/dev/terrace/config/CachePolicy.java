package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import java.time.Duration;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What can be set per cache and per class; null means "as the level above says".
 *
 * @param ttl time for which a value is fresh
 * @param staleTtl further time for which it may be answered, flagged stale, when the loader fails
 * @param negativeTtl time for which "the origin has no such value" is believed; zero asks every time
 * @param durable whether a write waits for L3's log
 * @param consistency what is promised about copies on other nodes
 * @param stalenessBound for {@link Consistency#BOUNDED}: how long a replaced value may be answered as fresh
 * @param replication how many copies must acknowledge a write
 * @param nearCache the near cache; per cache only
 * @param loading how loaders are waited for and when they run
 * @param write how writes reach the origin; null also where a writer alone decides
 * @param origin which origin loads reach, and how
 * @param failover how far it steps down with its node; per cache only
 * @param compression whether its values are compressed in L3; per cache only
 * @param localShare its part of L1
 */
public record CachePolicy(
        @Nullable Duration ttl,
        @Nullable Duration staleTtl,
        @Nullable Duration negativeTtl,
        @Nullable Boolean durable,
        @Nullable Consistency consistency,
        @Nullable Duration stalenessBound,
        @Nullable ConsistencyLevel replication,
        @Nullable NearCacheSettings nearCache,
        LoadingPolicy loading,
        @Nullable WritePolicy write,
        OriginPolicy origin,
        @Nullable CacheFailover failover,
        @Nullable Boolean compression,
        @Nullable LocalShare localShare) {
    /** Nothing set. */
    public static final CachePolicy INHERIT = new CachePolicy(null, null, null, null);

    /** A policy that leaves consistency, replication and the near cache to the level above. */
    public CachePolicy(
            @Nullable Duration ttl,
            @Nullable Duration staleTtl,
            @Nullable Duration negativeTtl,
            @Nullable Boolean durable) {
        this(
                ttl,
                staleTtl,
                negativeTtl,
                durable,
                null,
                null,
                null,
                null,
                LoadingPolicy.INHERIT,
                null,
                OriginPolicy.INHERIT,
                null,
                null,
                null);
    }

    /** This policy with another consistency; {@code bound} is for {@link Consistency#BOUNDED}, null for the default. */
    public CachePolicy withConsistency(@Nullable Consistency other, @Nullable Duration bound) {
        return with(draft -> {
            draft.consistency = other;
            draft.stalenessBound = bound;
        });
    }

    /** This policy with another number of acknowledgements. */
    public CachePolicy withReplication(@Nullable ConsistencyLevel other) {
        return with(draft -> draft.replication = other);
    }

    /** This policy with another near cache. */
    public CachePolicy withNearCache(@Nullable NearCacheSettings other) {
        return with(draft -> draft.nearCache = other);
    }

    /** This policy with another way to the origin. */
    public CachePolicy withWrite(@Nullable WritePolicy other) {
        return with(draft -> draft.write = other);
    }

    /** This policy with another way of loading. */
    public CachePolicy withLoading(LoadingPolicy other) {
        return with(draft -> draft.loading = other);
    }

    /** This policy with another origin. */
    public CachePolicy withOrigin(OriginPolicy other) {
        return with(draft -> draft.origin = other);
    }

    /** This policy with another way of stepping down. */
    public CachePolicy withFailover(@Nullable CacheFailover other) {
        return with(draft -> draft.failover = other);
    }

    /** This policy with another compression. */
    public CachePolicy withCompression(@Nullable Boolean other) {
        return with(draft -> draft.compression = other);
    }

    /** This policy with another part of L1. */
    public CachePolicy withLocalShare(@Nullable LocalShare other) {
        return with(draft -> draft.localShare = other);
    }

    private CachePolicy with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy to be changed: the one place that lists all parts for it. */
    private static final class Draft {
        private @Nullable Duration ttl;
        private @Nullable Duration staleTtl;
        private @Nullable Duration negativeTtl;
        private @Nullable Boolean durable;
        private @Nullable Consistency consistency;
        private @Nullable Duration stalenessBound;
        private @Nullable ConsistencyLevel replication;
        private @Nullable NearCacheSettings nearCache;
        private LoadingPolicy loading;
        private @Nullable WritePolicy write;
        private OriginPolicy origin;
        private @Nullable CacheFailover failover;
        private @Nullable Boolean compression;
        private @Nullable LocalShare localShare;

        Draft(CachePolicy of) {
            ttl = of.ttl;
            staleTtl = of.staleTtl;
            negativeTtl = of.negativeTtl;
            durable = of.durable;
            consistency = of.consistency;
            stalenessBound = of.stalenessBound;
            replication = of.replication;
            nearCache = of.nearCache;
            loading = of.loading;
            write = of.write;
            origin = of.origin;
            failover = of.failover;
            compression = of.compression;
            localShare = of.localShare;
        }

        CachePolicy finished() {
            return new CachePolicy(
                    ttl,
                    staleTtl,
                    negativeTtl,
                    durable,
                    consistency,
                    stalenessBound,
                    replication,
                    nearCache,
                    loading,
                    write,
                    origin,
                    failover,
                    compression,
                    localShare);
        }
    }
}
