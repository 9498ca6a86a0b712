package dev.terrace.core.origin;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import dev.terrace.spi.WriteJournal.Dead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The dead letters, bounded by number and bytes. Guarded by {@link WriteBehind}'s lock. */
final class Graveyard {
    private final Map<Version, Dead> dead = new LinkedHashMap<>();
    private final Map<CacheKey, List<Dead>> byKey = new HashMap<>();
    private final int most;
    private final long mostBytes;
    private long bytes;

    Graveyard(int most, long mostBytes) {
        this.most = most;
        this.mostBytes = mostBytes;
    }

    boolean hasRoomFor(Dead letter) {
        return byKey.size() < most && bytes + Waiting.bytes(letter.entry()) <= mostBytes;
    }

    void add(Dead letter) {
        if (dead.put(letter.entry().version(), letter) == null) {
            byKey.computeIfAbsent(letter.key(), key -> new ArrayList<>(1)).add(letter);
            bytes += Waiting.bytes(letter.entry());
        }
    }

    /** Gone from the journal. */
    void remove(Dead letter) {
        dead.remove(letter.entry().version());
        byKey.computeIfPresent(letter.key(), (key, letters) -> {
            if (letters.remove(letter)) {
                bytes -= Waiting.bytes(letter.entry());
            }
            return letters.isEmpty() ? null : letters;
        });
    }

    /**
     * Those of {@code key} that a newer write has made meaningless. They are dead letters no longer; until the journal has forgotten
     * them, which may fail, {@link #of} still tells of them.
     */
    List<Dead> overtake(CacheKey key, Version version) {
        List<Dead> older = byKey.getOrDefault(key, List.of()).stream()
                .filter(letter -> version.isNewerThan(letter.entry().version()))
                .toList();
        older.forEach(letter -> dead.remove(letter.entry().version()));
        return older;
    }

    /** Those of {@code key} that the journal holds. */
    List<Dead> of(CacheKey key) {
        return List.copyOf(byKey.getOrDefault(key, List.of()));
    }

    @Nullable
    Dead find(Version version) {
        return dead.get(version);
    }

    List<Dead> all() {
        return List.copyOf(dead.values());
    }

    int size() {
        return dead.size();
    }
}
