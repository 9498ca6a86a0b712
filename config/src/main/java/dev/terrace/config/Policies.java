package dev.terrace.config;

import dev.terrace.config.DistributedCacheSettings.ConsistencyLevel;
import dev.terrace.spi.CacheKey;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Which policy holds for a key: that of the first class whose pattern matches, over that of its cache, over the tiers'
 * defaults. Immutable, thread-safe; without classes a look-up is one map access.
 */
public final class Policies {
    /** The staleness bound of {@link Consistency#BOUNDED} when none is set. */
    public static final Duration DEFAULT_STALENESS_BOUND = Duration.ofSeconds(1);

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
     * @param consistency what is promised about copies on other nodes
     * @param stalenessBound for {@link Consistency#BOUNDED}: how long a replaced value may be answered as fresh
     * @param replication how many copies must acknowledge a write
     * @param nearCache the near cache; null for none
     * @param loading how loaders are waited for and when they run
     * @param write how writes reach the origin; null when nothing is set
     * @param origin which origin loads reach, and how
     */
    public record Policy(
            String className,
            Duration ttl,
            Duration staleTtl,
            Duration negativeTtl,
            boolean durable,
            Consistency consistency,
            Duration stalenessBound,
            ConsistencyLevel replication,
            @Nullable NearCacheSettings nearCache,
            LoadingRules loading,
            @Nullable WritePolicy write,
            OriginPolicy origin) {
        /** A policy that promises nothing about other nodes, acknowledged by the first copy, without a near cache. */
        public Policy(String className, Duration ttl, Duration staleTtl, Duration negativeTtl, boolean durable) {
            this(
                    className,
                    ttl,
                    staleTtl,
                    negativeTtl,
                    durable,
                    Consistency.EVENTUAL,
                    DEFAULT_STALENESS_BOUND,
                    ConsistencyLevel.ASYNC,
                    null,
                    LoadingRules.defaults(LoadingSettings.defaults()),
                    null,
                    OriginPolicy.DEFAULTS);
        }

        private Policy with(String name, CachePolicy over, Duration longestLoad) {
            return new Policy(
                    name,
                    over.ttl() != null ? over.ttl() : ttl,
                    over.staleTtl() != null ? over.staleTtl() : staleTtl,
                    over.negativeTtl() != null ? over.negativeTtl() : negativeTtl,
                    over.durable() != null ? over.durable() : durable,
                    over.consistency() != null ? over.consistency() : consistency,
                    over.stalenessBound() != null ? over.stalenessBound() : stalenessBound,
                    over.replication() != null ? over.replication() : replication,
                    over.nearCache() != null ? over.nearCache() : nearCache,
                    loading.with(over.loading(), longestLoad),
                    over.write() != null ? over.write() : write,
                    over.origin().over(origin));
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
                settings.backupStorage().enabled() && settings.backupStorage().durable(),
                Consistency.EVENTUAL,
                DEFAULT_STALENESS_BOUND,
                settings.distributedCache().consistencyLevel(),
                null,
                LoadingRules.defaults(settings.loading()),
                null,
                OriginPolicy.DEFAULTS);
        settings.caches().forEach((name, policy) -> byCache.put(name, with(fallback, "", policy)));
    }

    private Policy with(Policy below, String name, CachePolicy over) {
        return below.with(name, over, settings.loading().timeout());
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
        return matching == null ? ofCache : with(ofCache, matching.name(), matching.policy());
    }

    /** The policy of a key. */
    public Policy of(CacheKey key) {
        return of(key.cache(), () -> new String(key.keyBytes(), StandardCharsets.UTF_8));
    }

    /** The class of a key: the first whose pattern matches; null when there is none. */
    public @Nullable CacheClass classOf(CacheKey key) {
        return classes.isEmpty() ? null : firstMatch(key.cache(), new String(key.keyBytes(), StandardCharsets.UTF_8));
    }

    /** The policy of keys of {@code cache} that are of the class of that name, whatever its pattern; null when there is none. */
    public @Nullable Policy ofClass(String cache, String className) {
        for (CacheClass candidate : classes) {
            if (candidate.name().equals(className)) {
                return with(ofCache(cache), candidate.name(), candidate.policy());
            }
        }
        return null;
    }

    /** Every policy that may hold for some key of {@code cache}. */
    public Set<Policy> allOf(String cache) {
        Set<Policy> all = new LinkedHashSet<>();
        all.add(ofCache(cache));
        classes.forEach(one -> all.add(with(ofCache(cache), one.name(), one.policy())));
        return all;
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

    /** Every policy that may hold for some key: of each cache, and of each class over each cache. */
    public Set<Policy> all() {
        Set<Policy> all = new LinkedHashSet<>(byCache.values());
        all.add(fallback);
        for (Policy ofCache : List.copyOf(all)) {
            classes.forEach(one -> all.add(with(ofCache, one.name(), one.policy())));
        }
        return all;
    }
}
