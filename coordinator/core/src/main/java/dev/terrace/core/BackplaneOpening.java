package dev.terrace.core;

import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.config.ZoneSettings;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import java.util.ArrayList;
import java.util.List;

/** Opens the channels between nodes that the settings ask for: a log for each zone, and the group. */
final class BackplaneOpening {
    private final BackplaneSettings wanted;
    private final RemoteLayout layout;

    BackplaneOpening(BackplaneSettings wanted, RemoteLayout layout) {
        this.wanted = wanted;
        this.layout = layout;
    }

    /** All of them, or none when one fails. */
    List<Backplane> open() {
        if (!wanted.enabled()) {
            return List.of();
        }
        List<Backplane> channels = new ArrayList<>();
        Opened opened = new Opened();
        try {
            DistributedCacheSettings remote = layout.settings();
            if (remote.enabled()) {
                BackplaneProvider logs = Providers.backplane(remote.backend(), "terrace-tier-redis");
                remote.zones().forEach(zone -> channels.add(opened.and(log(logs, zone))));
            }
            if (wanted.group().enabled()) {
                channels.add(opened.and(Providers.backplane("jgroups", "terrace-backplane-jgroups")
                        .open("", layout.whole())));
            }
            return channels;
        } catch (RuntimeException e) {
            opened.closeBecause(e);
            throw e;
        }
    }

    private Backplane log(BackplaneProvider logs, ZoneSettings zone) {
        if (layout.settings().zonesAreGuessed()) {
            return new UndecidedBackplane(
                    "log-" + zone.name(),
                    layout.detection(),
                    several -> logs.open(zone.name(), several ? layout.zone(zone) : layout.aside(zone)));
        }
        return layout.settings().zones().size() == 1
                ? logs.open("", layout.alone())
                : logs.open(zone.name(), layout.zone(zone));
    }
}
