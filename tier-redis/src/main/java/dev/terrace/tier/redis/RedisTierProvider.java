package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;

/** Opens the remote tier; named {@code redis}. Does not wait for a server. */
public final class RedisTierProvider implements TierProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RedisTierProvider() {}

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public TierLevel level() {
        return TierLevel.L2;
    }

    @Override
    public Tier open(TierContext context) {
        DistributedCacheSettings settings = context.settings(DistributedCacheSettings.class);
        return new RedisTier(settings, new Connector(settings), context.clock(), context.metrics());
    }
}
