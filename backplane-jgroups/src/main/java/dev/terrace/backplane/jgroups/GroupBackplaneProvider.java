package dev.terrace.backplane.jgroups;

import dev.terrace.api.SetupException;
import dev.terrace.config.BackplaneSettings;
import dev.terrace.config.BackplaneSettings.GroupSettings;
import dev.terrace.config.DistributedCacheSettings;
import dev.terrace.spi.Backplane;
import dev.terrace.spi.BackplaneProvider;
import dev.terrace.spi.TierContext;
import java.net.InetAddress;
import java.net.UnknownHostException;

/** Opens the group; named {@code jgroups}. Does not wait for other nodes. */
public final class GroupBackplaneProvider implements BackplaneProvider {
    private static final int SHORTEST_SECRET = 16;

    /** For {@link java.util.ServiceLoader}. */
    public GroupBackplaneProvider() {}

    @Override
    public String name() {
        return "jgroups";
    }

    @Override
    public Backplane open(String zone, TierContext context) {
        GroupSettings settings = context.settings(BackplaneSettings.class).group();
        check(settings);
        return new GroupBackplane(GroupPlan.of(cluster(context), settings), context.clock(), context.metrics());
    }

    /** Two clusters that share hosts do not share keys, and so not notices either. */
    private static String cluster(TierContext context) {
        try {
            return "terrace-" + context.settings(DistributedCacheSettings.class).keyPrefix();
        } catch (IllegalArgumentException none) {
            return "terrace";
        }
    }

    private static void check(GroupSettings settings) {
        InetAddress address;
        try {
            address = InetAddress.getByName(settings.bind());
        } catch (UnknownHostException e) {
            throw new SetupException(
                    "group: this machine has no address " + settings.bind(), "set the address to listen on");
        }
        if (settings.secret() == null && !address.isLoopbackAddress()) {
            throw new SetupException(
                    "group: listens on " + settings.bind() + ", where others can reach it, without a secret",
                    "give all nodes of the group the same secret of at least " + SHORTEST_SECRET
                            + " characters, or listen on 127.0.0.1");
        }
        if (settings.secret() != null && settings.secret().reveal().length() < SHORTEST_SECRET) {
            throw new SetupException(
                    "group: the secret is shorter than " + SHORTEST_SECRET + " characters", "use a longer one");
        }
        if (settings.members().isEmpty() && settings.dns() == null) {
            throw new SetupException("group: no members and no DNS name", "name at least one node of the group");
        }
        if (settings.dns() != null && settings.port() == 0) {
            throw new SetupException(
                    "group: a DNS name tells where nodes are but not on which port, and the port is 0",
                    "set the same port for all nodes");
        }
    }
}
