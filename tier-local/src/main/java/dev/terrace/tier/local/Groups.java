package dev.terrace.tier.local;

import dev.terrace.config.CacheClass;
import dev.terrace.config.CachePolicy;
import dev.terrace.config.LocalShare;
import dev.terrace.config.Policies;
import dev.terrace.config.Settings;
import dev.terrace.spi.CacheKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Sorts keys by cache and class: into groups, which are numbered as they come and are only looked at, and those into pools, which are given
 * by the settings and have shares of L1. Pool 0 is for whom the settings say nothing. Thread-safe.
 */
final class Groups {
    /** The pool of all that have no share. */
    static final int COMMON = 0;

    /** As many as there are numbers for; who comes later is counted with the last. */
    static final int MOST = 4_096;

    private static final Group OTHERS = new Group("(others)", "", COMMON);

    private final @Nullable Policies policies;
    private final List<Pool> pools = new ArrayList<>();
    private final Map<String, Integer> poolOfCache = new HashMap<>();
    private final Map<CacheClass, Integer> poolOfClass = new HashMap<>();
    private final ConcurrentHashMap<Name, Integer> numbers = new ConcurrentHashMap<>();
    private final Group[] groups = new Group[MOST];
    private volatile int count = 1;

    /** A pool: what people call it, and its share. */
    record Pool(String name, LocalShare share) {}

    /** A group: entries of one class in one cache. */
    record Group(String cache, String className, int pool) {}

    private record Name(String cache, @Nullable CacheClass of) {}

    /** Groups by cache alone, without shares. */
    Groups() {
        this(null);
    }

    /** @param settings with the shares and the classes; null for neither */
    Groups(@Nullable Settings settings) {
        pools.add(new Pool("", LocalShare.WHOLE));
        groups[0] = OTHERS;
        this.policies = settings == null || settings.classes().isEmpty() ? null : new Policies(settings);
        if (settings != null) {
            for (Map.Entry<String, CachePolicy> cache : settings.caches().entrySet()) {
                addPool(cache.getKey(), cache.getValue().localShare(), cache.getKey(), poolOfCache);
            }
            for (CacheClass one : settings.classes()) {
                addPool("class " + one.name(), one.policy().localShare(), one, poolOfClass);
            }
        }
    }

    private <K> void addPool(String name, @Nullable LocalShare share, K key, Map<K, Integer> into) {
        if (share != null && !into.containsKey(key)) {
            into.put(key, pools.size());
            pools.add(new Pool(name, share));
        }
    }

    List<Pool> pools() {
        return pools;
    }

    /** Whether any pool has a share. */
    boolean share() {
        return pools.size() > 1;
    }

    /** Whether all keys of a cache have one group. */
    boolean areByCache() {
        return policies == null;
    }

    /** The number of the key's group. */
    int of(CacheKey key) {
        Name name = new Name(key.cache(), policies == null ? null : policies.classOf(key));
        Integer known = numbers.get(name);
        return known != null ? known : added(name);
    }

    private synchronized int added(Name name) {
        Integer known = numbers.get(name);
        if (known != null) {
            return known;
        }
        int pool = pool(name);
        if (count == MOST && pool == COMMON) {
            return 0;
        }
        if (count == MOST) {
            // Whoever has a share must be counted in it; of those there are few, by the settings, and some group is
            // already there.
            return lastOf(pool);
        }
        groups[count] =
                new Group(name.cache(), name.of() == null ? "" : name.of().name(), pool);
        numbers.put(name, count);
        return count++;
    }

    private int pool(Name name) {
        Integer byClass = name.of() == null ? null : poolOfClass.get(name.of());
        return byClass != null ? byClass : poolOfCache.getOrDefault(name.cache(), COMMON);
    }

    private int lastOf(int pool) {
        for (int group = count - 1; group > 0; group--) {
            if (groups[group].pool() == pool) {
                return group;
            }
        }
        return 0;
    }

    Group group(int number) {
        return groups[number];
    }

    /** The cache of all that are in a group; null when they may be of several. */
    @Nullable
    String cacheOf(int number) {
        int known = count;
        if (number == 0 || number >= known) {
            return null;
        }
        Group group = groups[number];
        return known == MOST && group.pool() != COMMON ? null : group.cache();
    }

    int pool(int number) {
        return groups[number].pool();
    }

    /** One past the highest number in use. */
    int count() {
        return count;
    }
}
