package dev.terrace.tier.local;

import dev.terrace.config.LocalCacheSettings;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;

/** Opens the local tier; named {@code chronicle}. */
public final class ChronicleTierProvider implements TierProvider {
    /** For {@link java.util.ServiceLoader}. */
    public ChronicleTierProvider() {}

    @Override
    public String name() {
        return "chronicle";
    }

    @Override
    public TierLevel level() {
        return TierLevel.L1;
    }

    @Override
    public Tier open(TierContext context) {
        RequiredFlags.check();
        return new ChronicleTier(
                context.settings(LocalCacheSettings.class), context.clock(), context.metrics(), KeyHash.XXH128);
    }
}
