package dev.terrace.tier.redis;

import dev.terrace.api.SetupException;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.Replica;
import dev.terrace.spi.ReplicaProvider;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.ZoneDetection;
import java.util.List;

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
                zone, of(zone, context.settings(DistributedCacheSettings.class)), context.clock(), context.metrics());
    }

    @Override
    public ZoneDetection detect(TierContext context) {
        return new RedisDetection(context.settings(DistributedCacheSettings.class));
    }

    private static DistributedCacheSettings of(String zone, DistributedCacheSettings settings) {
        List<ZoneSettings> zones = settings.zones();
        return zones.stream()
                .filter(one -> one.name().equals(zone))
                .findFirst()
                .map(settings::ofZone)
                .orElseThrow(() -> new SetupException(
                        "there is no zone '" + zone + "'; there are "
                                + zones.stream().map(ZoneSettings::name).toList(),
                        "name one of distributed_cache.zones"));
    }
}
