package dev.terrace.tier.local;

import dev.terrace.config.LimitSettings;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import dev.terrace.spi.Tier;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.TierLevel;
import dev.terrace.spi.TierProvider;
import java.nio.file.Path;

/** Opens the local tier; named {@code offheap}. */
public final class OffHeapTierProvider implements TierProvider {
    /** For {@link java.util.ServiceLoader}. */
    public OffHeapTierProvider() {}

    @Override
    public String name() {
        return "offheap";
    }

    @Override
    public TierLevel level() {
        return TierLevel.L1;
    }

    @Override
    public Tier open(TierContext context) {
        NativeLibrary.check();
        LocalCacheSettings settings = context.settings(LocalCacheSettings.class);
        Settings all = context.offered(Settings.class).orElse(null);
        Groups groups = new Groups(all);
        Path folder = settings.persist();
        if (folder != null) {
            LimitSettings limits = all == null ? LimitSettings.defaults() : all.limits();
            return PersistedTier.open(
                    settings,
                    groups,
                    folder,
                    context.clock(),
                    limits.maxClockDrift(),
                    context.metrics(),
                    KeyHash.XXH128);
        }
        return new OffHeapTier(settings, groups, context.clock(), context.metrics(), KeyHash.XXH128);
    }
}
