package dev.terrace.core;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How well this node hears what other nodes write, at a moment.
 *
 * @param trusted whether copies under the tightest promise of any cache are answered as fresh now
 * @param trustedSince since when, without a break; null when they are not trusted
 * @param stalenessMillis how long ago this node had certainly heard everything; {@code Long.MAX_VALUE} when never
 * @param nodes other nodes that were heard within their lease
 * @param unsent notices of this node that no channel has taken yet
 * @param gaps how often something may have been missed, so that every copy was dropped
 * @param nodeIdClash whether another process says that it is this node; then neither trusts its copies
 * @param channels each channel, logs first
 */
public record CoherenceStatus(
        boolean trusted,
        @Nullable Instant trustedSince,
        long stalenessMillis,
        int nodes,
        int unsent,
        long gaps,
        boolean nodeIdClash,
        List<Channel> channels) {
    /** Copies the list. */
    public CoherenceStatus {
        channels = List.copyOf(channels);
    }

    /**
     * One way between nodes, or one on which other programs' changes are heard.
     *
     * @param name as in metrics: {@code log}, {@code group}; {@code watch} for one that hears other programs
     * @param trouble why it does not work, for people; empty while all is well
     */
    public record Channel(String name, String trouble) {}

    /** In one line, for people. */
    public String line() {
        StringBuilder line = new StringBuilder(trusted ? "copies trusted" : "copies not trusted");
        line.append(
                stalenessMillis == Long.MAX_VALUE
                        ? ", never heard everything"
                        : ", heard everything " + stalenessMillis + " ms ago");
        line.append(", ").append(nodes).append(" other nodes");
        if (nodeIdClash) {
            line.append(", ANOTHER PROCESS HAS THIS NODE'S ID");
        }
        if (unsent > 0) {
            line.append(", ").append(unsent).append(" notices unsent");
        }
        for (Channel channel : channels) {
            line.append(", ").append(channel.name()).append(": ");
            line.append(channel.trouble().isEmpty() ? "well" : channel.trouble());
        }
        return line.toString();
    }
}
