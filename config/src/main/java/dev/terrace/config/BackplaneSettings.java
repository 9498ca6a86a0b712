package dev.terrace.config;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The backplane: how nodes tell each other of writes.
 *
 * @param enabled whether there is one
 * @param maxLength most notices kept in a zone's log; a node that was away for longer drops its copies
 * @param beat pause between two beats of this node; null for as often as its tightest bound asks
 * @param lease how long a node may answer strict copies without having heard; a dead node delays strict writes that long, once
 * @param externalWriters whether writes by other programs are listened for
 * @param group the second path, from node to node
 */
public record BackplaneSettings(
        boolean enabled,
        long maxLength,
        @Nullable Duration beat,
        Duration lease,
        boolean externalWriters,
        GroupSettings group) {
    /**
     * The second path.
     *
     * @param enabled whether there is one
     * @param bind the address this node listens on; anything but loopback needs a secret
     * @param port the port this node listens on; 0 for any free one
     * @param members the other nodes, when they are known beforehand
     * @param dns a name that resolves to the nodes, in place of members
     * @param secret what a node must know to join; null for none
     */
    public record GroupSettings(
            boolean enabled,
            String bind,
            int port,
            List<HostAndPort> members,
            @Nullable String dns,
            @Nullable Secret secret) {
        /** Copies the list. */
        public GroupSettings {
            members = List.copyOf(members);
        }
    }

    /** Off; when switched on, a million notices, beats as needed, a lease of 5 seconds, no group. */
    public static BackplaneSettings defaults() {
        return new BackplaneSettings(
                false,
                1_000_000,
                null,
                Duration.ofSeconds(5),
                false,
                new GroupSettings(false, "127.0.0.1", 7800, List.of(), null, null));
    }

    /** These settings, switched on or off. */
    public BackplaneSettings withEnabled(boolean on) {
        return new BackplaneSettings(on, maxLength, beat, lease, externalWriters, group);
    }
}
