package dev.terrace.core;

import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.KeyWatch;
import dev.terrace.spi.KeyWatchProvider;
import java.util.ArrayList;
import java.util.List;

/** Opens what hears of other programs that write to L2, where the settings ask for it. */
final class WatchOpening {
    private final BackplaneSettings wanted;
    private final RemoteLayout layout;

    WatchOpening(BackplaneSettings wanted, RemoteLayout layout) {
        this.wanted = wanted;
        this.layout = layout;
    }

    /** One for each zone that is named; else one, which finds out what there is. All of them, or none when one fails. */
    List<KeyWatch> open() {
        DistributedCacheSettings remote = layout.settings();
        if (!remote.enabled() || !wanted.externalWriters()) {
            return List.of();
        }
        KeyWatchProvider provider = Providers.watches(remote.backend());
        List<ZoneSettings> named = remote.replication().zones();
        if (named.isEmpty()) {
            return List.of(provider.open("", layout.whole()));
        }
        List<KeyWatch> watches = new ArrayList<>();
        Opened opened = new Opened();
        try {
            named.forEach(zone -> watches.add(opened.and(provider.open(zone.name(), layout.zone(zone)))));
            return watches;
        } catch (RuntimeException e) {
            opened.closeBecause(e);
            throw e;
        }
    }
}
