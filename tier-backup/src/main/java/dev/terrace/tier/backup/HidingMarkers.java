package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Entry;
import dev.terrace.spi.MarkerKeys;
import dev.terrace.spi.Version;
import dev.terrace.tier.backup.RemoteFolder.Found;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * Whether an entry was invalidated with its cache, its namespace or one of its tags before everything was lost. While not all is back, an entry may be
 * here before the marker that hides it; so nothing is handed out before its markers were asked for. Remembers some thousands of them.
 * Thread-safe.
 */
final class HidingMarkers {
    private static final int MOST_REMEMBERED = 20_000;

    private final Function<CacheKey, CompletionStage<Found>> find;
    private final Map<CacheKey, Version> known = new ConcurrentHashMap<>();

    /** @param find finds a marker; never fails */
    HidingMarkers(Function<CacheKey, CompletionStage<Found>> find) {
        this.find = find;
    }

    /** {@code entry} itself, nothing when it is hidden, or why that cannot be said. Never fails. */
    CompletionStage<Found> seen(Entry entry) {
        CompletionStage<Found> verdict = CompletableFuture.completedStage(Found.of(entry));
        for (CacheKey key : keysOf(entry)) {
            Version marker = known.get(key);
            if (marker == null) {
                verdict = verdict.thenCombine(
                        find.apply(key).thenApply(found -> remember(key, found)), (before, found) -> {
                            if (before.entry() == null) {
                                return before;
                            }
                            Entry told = found.entry();
                            return !found.unknown().isEmpty()
                                    ? found
                                    : told != null && isHidden(entry, told.version()) ? Found.NOTHING : before;
                        });
            } else if (isHidden(entry, marker)) {
                return CompletableFuture.completedStage(Found.NOTHING);
            }
        }
        return verdict;
    }

    private Found remember(CacheKey key, Found found) {
        if (found.unknown().isEmpty() && known.size() < MOST_REMEMBERED) {
            Entry marker = found.entry();
            known.put(key, marker == null ? Version.ZERO : marker.version());
        }
        return found;
    }

    private static boolean isHidden(Entry entry, Version marker) {
        return !entry.version().isNewerThan(marker);
    }

    private static List<CacheKey> keysOf(Entry entry) {
        String cache = entry.key().cache();
        List<CacheKey> keys = new ArrayList<>();
        keys.add(MarkerKeys.ofCache(cache));
        String namespace = MarkerKeys.namespaceOf(cache);
        if (namespace != null) {
            keys.add(MarkerKeys.ofNamespace(namespace));
        }
        entry.tags().forEach(tag -> keys.add(MarkerKeys.ofTag(cache, tag)));
        return keys;
    }
}
