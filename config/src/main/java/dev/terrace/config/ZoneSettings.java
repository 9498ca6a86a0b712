package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import dev.terrace.config.DistributedCacheSettings.Topology;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * One zone: an independent Redis deployment that holds a full copy of the keys assigned to it.
 *
 * @param name by which every node knows it; changing it moves its keys
 * @param nodes where to find it: the server, the sentinels, or some nodes of the Redis Cluster
 * @param topology what the nodes are
 * @param weight its share of the keys, relative to the other zones'; at least 1
 * @param sentinelMaster the master's name, for {@link Topology#SENTINEL}
 * @param username ACL user; null for that of {@link DistributedCacheSettings}
 * @param password null for that of {@link DistributedCacheSettings}
 * @param tls null for that of {@link DistributedCacheSettings}
 * @param nearest whether this node reads here first where any zone may answer
 * @param state whether it stays; see {@code docs/adr/0008} for the order in which that is changed
 */
public record ZoneSettings(
        String name,
        List<HostAndPort> nodes,
        Topology topology,
        int weight,
        @Nullable String sentinelMaster,
        @Nullable String username,
        @Nullable Secret password,
        @Nullable TlsSettings tls,
        boolean nearest,
        State state) {
    /** Whether a zone stays. */
    public enum State {
        /** It holds its share of the keys, before and after. */
        SERVING,
        /** It is new, and its share of the keys is on its way. */
        JOINING,
        /** Its keys are on their way to the others. */
        LEAVING
    }

    // Zone names are parts of metric names and of addresses of the admin server.
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}");

    /** Copies the list. */
    public ZoneSettings {
        nodes = List.copyOf(nodes);
    }

    /** A zone of weight 1 with the credentials of {@link DistributedCacheSettings}. */
    public static ZoneSettings of(String name, Topology topology, HostAndPort... nodes) {
        return new ZoneSettings(name, List.of(nodes), topology, 1, null, null, null, null, false, State.SERVING);
    }

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }
}
