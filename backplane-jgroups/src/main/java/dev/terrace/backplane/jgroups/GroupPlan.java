package dev.terrace.backplane.jgroups;

import dev.terrace.config.BackplaneSettings.GroupSettings;
import dev.terrace.config.HostAndPort;
import dev.terrace.config.Secret;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The settings, and what is not worth one.
 *
 * @param name groups of other names do not mix
 * @param bind where this node listens
 * @param port on which port; 0 for any free one
 * @param members some nodes of the group, to find the others; empty when {@code dns} is given
 * @param dns a name with an address per node, all on the same port; null for {@code members}
 * @param secret what members know and others do not; null on loopback only
 * @param timeout the deadline of every notice
 * @param silence how long a node may say nothing before it counts as gone
 */
record GroupPlan(
        String name,
        String bind,
        int port,
        List<HostAndPort> members,
        @Nullable String dns,
        @Nullable Secret secret,
        Duration timeout,
        Duration silence) {
    /** @param cluster what its nodes call the cluster; others on the same ports are not heard */
    static GroupPlan of(String cluster, GroupSettings settings) {
        return new GroupPlan(
                cluster,
                settings.bind(),
                settings.port(),
                settings.members(),
                settings.dns(),
                settings.secret(),
                Duration.ofMillis(500),
                Duration.ofSeconds(4));
    }
}
