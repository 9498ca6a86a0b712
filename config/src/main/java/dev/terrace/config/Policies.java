package dev.terrace.config;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which policy holds for a key: that of the first class whose pattern matches, over that of its cache, over the tiers'
 * defaults. Immutable, thread-safe; without classes a look-up is one map access.
 */
public final class Policies {
    private final Map<String, Policy> byCache = new HashMap<>();
    private final List<CacheClass> classes;
    private final Settings settings;
    private final Policy fallback;

    /**
     * A complete policy.
     *
     * @param className the matching class, or empty
     * @param ttl time for which a value is fresh
     * @param staleTtl further time for which it may be answered when the loader fails
     * @param negativeTtl time for which "no such value" is believed
     * @param durable whether a write waits for L3's log
     */
    public record Policy(String className, Duration ttl, Duration staleTtl, Duration negativeTtl, boolean durable) {
        private Policy with(String name, CachePolicy over) {
            return new Policy(
                    name,
                    over.ttl() != null ? over.ttl() : ttl,
                    over.staleTtl() != null ? over.staleTtl() : staleTtl,
                    over.negativeTtl() != null ? over.negativeTtl() : negativeTtl,
                    over.durable() != null ? over.durable() : durable);
        }
    }

    /** Prepares the look-up. */
    public Policies(Settings settings) {
        this.settings = settings;
        this.classes = settings.classes();
        Duration ttl = settings.distributedCache().enabled()
                ? settings.distributedCache().ttl()
                : settings.localCache().ttl();
        this.fallback = new Policy(
                "",
                ttl,
                Duration.ZERO,
                Duration.ZERO,
                settings.backupStorage().enabled() && settings.backupStorage().durable());
        settings.caches().forEach((name, policy) -> byCache.put(name, fallback.with("", policy)));
    }

    /** The policy of a whole cache, classes left aside. */
    public Policy ofCache(String cache) {
        return byCache.getOrDefault(cache, fallback);
    }

    /** True when some class may match keys, so that the key's text matters. */
    public boolean hasClasses() {
        return !classes.isEmpty();
    }

    /** The policy of a key; {@code key} is asked for its text only when there are classes. */
    public Policy of(String cache, Supplier<String> key) {
        Policy ofCache = ofCache(cache);
        if (classes.isEmpty()) {
            return ofCache;
        }
        String text = key.get();
        CacheClass matching = firstMatch(cache, text);
        return matching == null ? ofCache : ofCache.with(matching.name(), matching.policy());
    }

    private @Nullable CacheClass firstMatch(String cache, String key) {
        String whole = cache + ":" + key;
        for (CacheClass candidate : classes) {
            if (matches(candidate.pattern(), key) || matches(candidate.pattern(), whole)) {
                return candidate;
            }
        }
        return null;
    }

    /** Glob with {@code *} only; linear in text times stars, whatever the pattern. */
    static boolean matches(String pattern, String text) {
        int p = 0;
        int t = 0;
        int star = -1;
        int resume = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                resume = t;
            } else if (p < pattern.length() && pattern.charAt(p) == text.charAt(t)) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++resume;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }

    /** The settings these policies come from. */
    public Settings settings() {
        return settings;
    }
}
