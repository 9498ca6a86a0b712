package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.KeyWatchProvider;
import dev.terrace.spi.TierContext;

/** Opens watches over Redis; named {@code redis}. Does not wait for a server. */
public final class RedisKeyWatchProvider implements KeyWatchProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RedisKeyWatchProvider() {}

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public KeyWatch open(String zone, TierContext context) {
        return new RedisKeyWatch(zone, context.settings(DistributedCacheSettings.class));
    }
}
