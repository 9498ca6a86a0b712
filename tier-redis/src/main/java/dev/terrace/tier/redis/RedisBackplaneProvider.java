package dev.terrace.tier.redis;

import dev.terrace.config.BackplaneSettings;
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
        return new RedisLog(
                zone, context.settings(DistributedCacheSettings.class), context.metrics(), keepEntries(context));
    }

    /** An entry holds one notice or more, so this keeps at least what the setting says. */
    private static int keepEntries(TierContext context) {
        BackplaneSettings settings;
        try {
            settings = context.settings(BackplaneSettings.class);
        } catch (IllegalArgumentException none) {
            settings = BackplaneSettings.defaults();
        }
        return (int) Math.min(Integer.MAX_VALUE, settings.maxLength());
    }
}
