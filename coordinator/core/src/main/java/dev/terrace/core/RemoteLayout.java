package dev.terrace.core;

import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.TierContext;
import dev.terrace.spi.ZoneDetection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How L2 is laid out, and what its parts are to be opened with. Not thread-safe. */
final class RemoteLayout {
    private final Surroundings surroundings;
    private @Nullable ZoneDetection detection;

    RemoteLayout(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    DistributedCacheSettings settings() {
        return surroundings.settings().distributedCache();
    }

    /** The whole of L2. */
    TierContext whole() {
        return surroundings;
    }

    /** As the only deployment sees it: its nodes may be named as those of a zone. */
    TierContext alone() {
        List<ZoneSettings> named = settings().replication().zones();
        return named.size() == 1 ? zone(named.get(0)) : surroundings;
    }

    /** The nodes and credentials of {@code zone} only. */
    TierContext zone(ZoneSettings zone) {
        return surroundings.within(settings().ofZone(zone));
    }

    /** The whole of L2, with keys that no other log uses. */
    TierContext aside(ZoneSettings zone) {
        DistributedCacheSettings remote = settings();
        return surroundings.within(remote.withKeyPrefix(remote.keyPrefix() + "~" + zone.name()));
    }

    /** Asks the servers, where the settings leave it open; one for all who want to know. */
    ZoneDetection detection() {
        if (detection == null) {
            detection = Providers.zones(settings().backend()).detect(surroundings);
        }
        return detection;
    }
}
