package dev.terrace.config;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

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
 * @param backplane how nodes tell each other of writes
 * @param journal writes that have yet to reach the origin
 * @param origins how origins are protected, by name; one that is not named here is protected by the defaults
 * @param warmup how tiers are warmed up from L3
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
        ServerSettings server,
        BackplaneSettings backplane,
        JournalSettings journal,
        Map<String, OriginSettings> origins,
        WarmupSettings warmup) {
    /** Copies the collections. */
    public Settings {
        // Not Map.copyOf, which forgets the order of the file.
        caches = Collections.unmodifiableMap(new LinkedHashMap<>(caches));
        classes = List.copyOf(classes);
        origins = Collections.unmodifiableMap(new LinkedHashMap<>(origins));
    }

    /** As the file without a section {@code backplane}: there is one when there is an L2. */
    public Settings(
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
        this(
                localCache,
                distributedCache,
                backupStorage,
                circuitBreaker,
                failover,
                loading,
                limits,
                caches,
                classes,
                server,
                BackplaneSettings.defaults().withEnabled(distributedCache.enabled()));
    }

    /** As the file without a section {@code journal}. */
    public Settings(
            LocalCacheSettings localCache,
            DistributedCacheSettings distributedCache,
            BackupStorageSettings backupStorage,
            CircuitBreakerSettings circuitBreaker,
            FailoverSettings failover,
            LoadingSettings loading,
            LimitSettings limits,
            Map<String, CachePolicy> caches,
            List<CacheClass> classes,
            ServerSettings server,
            BackplaneSettings backplane) {
        this(
                localCache,
                distributedCache,
                backupStorage,
                circuitBreaker,
                failover,
                loading,
                limits,
                caches,
                classes,
                server,
                backplane,
                JournalSettings.defaults());
    }

    /** As the file without a section {@code origins}. */
    public Settings(
            LocalCacheSettings localCache,
            DistributedCacheSettings distributedCache,
            BackupStorageSettings backupStorage,
            CircuitBreakerSettings circuitBreaker,
            FailoverSettings failover,
            LoadingSettings loading,
            LimitSettings limits,
            Map<String, CachePolicy> caches,
            List<CacheClass> classes,
            ServerSettings server,
            BackplaneSettings backplane,
            JournalSettings journal) {
        this(
                localCache,
                distributedCache,
                backupStorage,
                circuitBreaker,
                failover,
                loading,
                limits,
                caches,
                classes,
                server,
                backplane,
                journal,
                Map.of());
    }

    /** As the file without a section {@code warmup}. */
    public Settings(
            LocalCacheSettings localCache,
            DistributedCacheSettings distributedCache,
            BackupStorageSettings backupStorage,
            CircuitBreakerSettings circuitBreaker,
            FailoverSettings failover,
            LoadingSettings loading,
            LimitSettings limits,
            Map<String, CachePolicy> caches,
            List<CacheClass> classes,
            ServerSettings server,
            BackplaneSettings backplane,
            JournalSettings journal,
            Map<String, OriginSettings> origins) {
        this(
                localCache,
                distributedCache,
                backupStorage,
                circuitBreaker,
                failover,
                loading,
                limits,
                caches,
                classes,
                server,
                backplane,
                journal,
                origins,
                WarmupSettings.defaults());
    }

    /**
     * The part of that type, which may be all of it.
     *
     * @throws IllegalArgumentException when there is none
     */
    public <T> T part(Class<T> type) {
        ObjectStorageSettings repository = backupStorage.objectStorage();
        return Stream.of(localCache, distributedCache, backupStorage, limits, backplane, journal, repository, this)
                .filter(type::isInstance)
                .map(type::cast)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no settings of type " + type.getName()));
    }

    /** These settings with other warm-ups. */
    public Settings withWarmup(WarmupSettings other) {
        return with(draft -> draft.warmup = other);
    }

    /** These settings with other origins. */
    public Settings withOrigins(Map<String, OriginSettings> others) {
        return with(draft -> draft.origins = others);
    }

    /** These settings with another journal. */
    public Settings withJournal(JournalSettings other) {
        return with(draft -> draft.journal = other);
    }

    /** These settings with other policies of named caches. */
    public Settings withCaches(Map<String, CachePolicy> other) {
        return with(draft -> draft.caches = other);
    }

    /** The same with other classes. */
    public Settings withClasses(List<CacheClass> other) {
        return with(draft -> draft.classes = List.copyOf(other));
    }

    /** These settings with another HTTP server. */
    public Settings withServer(ServerSettings other) {
        return with(draft -> draft.server = other);
    }

    /** These settings with another backplane. */
    public Settings withBackplane(BackplaneSettings other) {
        return with(draft -> draft.backplane = other);
    }

    /** These settings with another L1. */
    public Settings withLocalCache(LocalCacheSettings other) {
        return with(draft -> draft.localCache = other);
    }

    /** These settings with another L2; the backplane stays as it is. */
    public Settings withDistributedCache(DistributedCacheSettings other) {
        return with(draft -> draft.distributedCache = other);
    }

    /** These settings with another L3. */
    public Settings withBackupStorage(BackupStorageSettings other) {
        return with(draft -> draft.backupStorage = other);
    }

    private Settings with(Consumer<Draft> change) {
        Draft draft = new Draft(this);
        change.accept(draft);
        return draft.finished();
    }

    /** A copy to be changed: the one place that lists all parts for it. */
    private static final class Draft {
        private LocalCacheSettings localCache;
        private DistributedCacheSettings distributedCache;
        private BackupStorageSettings backupStorage;
        private CircuitBreakerSettings circuitBreaker;
        private FailoverSettings failover;
        private LoadingSettings loading;
        private LimitSettings limits;
        private Map<String, CachePolicy> caches;
        private List<CacheClass> classes;
        private ServerSettings server;
        private BackplaneSettings backplane;
        private JournalSettings journal;
        private Map<String, OriginSettings> origins;
        private WarmupSettings warmup;

        Draft(Settings of) {
            localCache = of.localCache;
            distributedCache = of.distributedCache;
            backupStorage = of.backupStorage;
            circuitBreaker = of.circuitBreaker;
            failover = of.failover;
            loading = of.loading;
            limits = of.limits;
            caches = of.caches;
            classes = of.classes;
            server = of.server;
            backplane = of.backplane;
            journal = of.journal;
            origins = of.origins;
            warmup = of.warmup;
        }

        Settings finished() {
            return new Settings(
                    localCache,
                    distributedCache,
                    backupStorage,
                    circuitBreaker,
                    failover,
                    loading,
                    limits,
                    caches,
                    classes,
                    server,
                    backplane,
                    journal,
                    origins,
                    warmup);
        }
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
