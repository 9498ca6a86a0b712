package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.TierContext;

/** Opens zones on Redis; named {@code redis}. Does not wait for a server. */
public final class RedisReplicaProvider implements ReplicaProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RedisReplicaProvider() {}

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public Replica open(String zone, TierContext context) {
        return new RedisZone(
                zone, context.settings(DistributedCacheSettings.class), context.clock(), context.metrics());
    }
}
