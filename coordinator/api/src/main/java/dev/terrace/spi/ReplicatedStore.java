package dev.terrace.spi;

import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A remote tier that keeps copies in several zones. The methods of {@link Tier} use the mode that the settings name. Stages
 * complete normally, and within the deadline of the settings. Thread-safe. See {@code docs/adr/0005}.
 */
public interface ReplicatedStore extends Tier {
    /** What {@code key} holds, by the rules of {@code mode}. */
    CompletionStage<Lookup> read(CacheKey key, ReplicationMode mode);

    /**
     * Writes.
     *
     * @param make makes the entry of {@code key} with the version that the protocol chose; may be called more than once
     */
    CompletionStage<Replicated> write(CacheKey key, Function<Version, Entry> make, ReplicationMode mode);

    /** Writes what {@code change} makes of what is there, as one step. Always by a majority, whatever the mode. */
    CompletionStage<Replicated> change(CacheKey key, Change change);

    /** Room for what each zone missed, by the zone's name; empty where nothing is kept. */
    default Map<String, HintRoom> hintRoom() {
        return Map.of();
    }

    /**
     * Room for what one zone missed.
     *
     * @param percentFull 100 when no more is kept, which the comparison of zones heals
     * @param trouble what is wrong with it, for people; empty when nothing is
     */
    record HintRoom(int percentFull, String trouble) {}

    /** Decides a conditional write. May be asked more than once; must not have side effects. */
    interface Change {
        /**
         * What to write.
         *
         * @param held what is there: a value, tombstone or negative answer, or null
         * @param version the version that the new entry must carry
         * @return null to refuse
         */
        @Nullable
        Entry decide(@Nullable Entry held, Version version);
    }
}
