package dev.terrace.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Everything a deployment can set, checked and complete. Immutable plain data; see {@code docs/settings.md}.
 *
 * @param localCache L1
 * @param distributedCache L2
 * @param backupStorage L3
 * @param circuitBreaker guards around L2 and L3
 * @param failover what happens when tiers are lost
 * @param loading bounds on loaders
 * @param limits bounds on keys, values and clocks
 * @param caches policies of named caches; a cache that is not named here uses the tiers' defaults
 * @param classes policies by key pattern, first match wins, over those of the cache
 * @param server the node's HTTP server
 */
public record Settings(
        LocalCacheSettings localCache,
        DistributedCacheSettings distributedCache,
        BackupStorageSettings backupStorage,
        CircuitBreakerSettings circuitBreaker,
        FailoverSettings failover,
        LoadingSettings loading,
        LimitSettings limits,
        Map<String, CachePolicy> caches,
        List<CacheClass> classes,
        ServerSettings server) {
    /** Copies the collections. */
    public Settings {
        // Not Map.copyOf, which forgets the order of the file.
        caches = Collections.unmodifiableMap(new LinkedHashMap<>(caches));
        classes = List.copyOf(classes);
    }

    /** What an empty file means: L1 only, everything else off. */
    public static Settings defaults() {
        return new Settings(
                LocalCacheSettings.defaults(),
                DistributedCacheSettings.defaults(),
                BackupStorageSettings.defaults(),
                CircuitBreakerSettings.defaults(),
                FailoverSettings.defaults(),
                LoadingSettings.defaults(),
                LimitSettings.defaults(),
                Map.of(),
                List.of(),
                ServerSettings.defaults());
    }
}
