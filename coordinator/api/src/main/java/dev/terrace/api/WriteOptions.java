package dev.terrace.api;

import dev.terrace.spi.ReplicationMode;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What a caller asks of one write, over what the settings say of its key. Immutable; begin with {@link #DEFAULTS}:
 * {@code WriteOptions.DEFAULTS.withReplication(QUORUM).withTags("user:7")}.
 *
 * @param replication how many copies must acknowledge the write; null for what the settings say
 * @param ttl how long the value is fresh; null for what the settings say
 * @param tags labels by which groups of entries are invalidated
 * @param durable whether the write waits until L3 has it in its log; null for what the settings say
 */
public record WriteOptions(
        @Nullable ReplicationMode replication,
        @Nullable Duration ttl,
        Set<String> tags,
        @Nullable Boolean durable) {
    /** As the settings say, without tags. */
    public static final WriteOptions DEFAULTS = new WriteOptions(null, null, Set.of(), null);

    /** The longest time to live. */
    public static final Duration LONGEST_TTL = Duration.ofDays(3650);

    /** Most tags of one entry. */
    public static final int MOST_TAGS = 32;

    /** The longest tag, in characters. */
    public static final int LONGEST_TAG = 128;

    /**
     * Checks the parts.
     *
     * @throws BadInputException when the time to live is not positive or longer than ten years, or for tags that are empty, too
     *     long or too many
     */
    public WriteOptions {
        if (ttl != null && (ttl.toMillis() <= 0 || ttl.compareTo(LONGEST_TTL) > 0)) {
            throw new BadInputException(
                    "ttl " + ttl + " is not between 1 ms and " + LONGEST_TTL.toDays() + " days",
                    "invalidate the key to remove it");
        }
        if (tags.size() > MOST_TAGS) {
            throw new BadInputException(tags.size() + " tags exceed the most of " + MOST_TAGS, "use fewer");
        }
        tags.forEach(WriteOptions::check);
        tags = Set.copyOf(tags);
    }

    /**
     * Checks a tag.
     *
     * @throws BadInputException when it is null, empty or too long
     */
    public static void check(@Nullable String tag) {
        if (tag == null || tag.isEmpty()) {
            throw new BadInputException("null or empty tag", "a tag has 1 to " + LONGEST_TAG + " characters");
        }
        if (tag.length() > LONGEST_TAG) {
            throw new BadInputException(
                    "tag of " + tag.length() + " characters exceeds the longest of " + LONGEST_TAG,
                    "shorten or hash it");
        }
    }

    /** The same, acknowledged by so many copies. */
    public WriteOptions withReplication(ReplicationMode mode) {
        return new WriteOptions(mode, ttl, tags, durable);
    }

    /** The same, fresh for so long. */
    public WriteOptions withTtl(Duration newTtl) {
        return new WriteOptions(replication, newTtl, tags, durable);
    }

    /** The same with these tags instead. */
    public WriteOptions withTags(String... newTags) {
        return withTags(List.of(newTags));
    }

    /** The same with these tags instead. */
    public WriteOptions withTags(Collection<String> newTags) {
        newTags.forEach(WriteOptions::check);
        return new WriteOptions(replication, ttl, new TreeSet<>(newTags), durable);
    }

    /** The same, waiting for L3's log or not. */
    public WriteOptions withDurable(boolean newDurable) {
        return new WriteOptions(replication, ttl, tags, newDurable);
    }
}
