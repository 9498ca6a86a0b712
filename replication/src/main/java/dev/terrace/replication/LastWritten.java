package dev.terrace.replication;

import dev.terrace.spi.CacheKey;
import dev.terrace.spi.Version;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The keys that this node was the last to write, as far as it knows, and with which version. Bounded. Thread-safe. */
final class LastWritten {
    private final Map<CacheKey, Version> versions;

    LastWritten(int most) {
        versions = new LinkedHashMap<>(16, 0.75f, true) {
            private static final long serialVersionUID = 1L;

            @Override
            protected boolean removeEldestEntry(Map.Entry<CacheKey, Version> eldest) {
                return size() > most;
            }
        };
    }

    synchronized @Nullable Version of(CacheKey key) {
        return versions.get(key);
    }

    synchronized void wrote(CacheKey key, Version version) {
        versions.merge(key, version, (known, offered) -> offered.isNewerThan(known) ? offered : known);
    }

    synchronized void overtaken(CacheKey key) {
        versions.remove(key);
    }
}
