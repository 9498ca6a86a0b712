package dev.terrace.tier.redis;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.TierContext;

/** Opens the log of notices of one zone; named {@code redis}. Does not wait for a server. */
public final class RedisBackplaneProvider implements BackplaneProvider {
    /** For {@link java.util.ServiceLoader}. */
    public RedisBackplaneProvider() {}

    @Override
    public String name() {
        return "redis";
    }

    @Override
    public Backplane open(String zone, TierContext context) {
        return new RedisLog(zone, context.settings(DistributedCacheSettings.class), context.metrics());
    }
}
