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
        return dead.size() < most && bytes + Waiting.bytes(letter.entry()) <= mostBytes;
    }

    void add(Dead letter) {
        if (dead.put(letter.entry().version(), letter) == null) {
            byKey.computeIfAbsent(letter.key(), key -> new ArrayList<>(1)).add(letter);
            bytes += Waiting.bytes(letter.entry());
        }
    }

    void remove(Dead letter) {
        if (dead.remove(letter.entry().version()) != null) {
            bytes -= Waiting.bytes(letter.entry());
            byKey.computeIfPresent(letter.key(), (key, letters) -> {
                letters.remove(letter);
                return letters.isEmpty() ? null : letters;
            });
        }
    }

    /** Those of {@code key} that a newer write has made meaningless. */
    List<Dead> olderThan(CacheKey key, Version version) {
        return byKey.getOrDefault(key, List.of()).stream()
                .filter(letter -> version.isNewerThan(letter.entry().version()))
                .toList();
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
