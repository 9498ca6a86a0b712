package dev.terrace.benchmarks;

import com.github.benmanes.caffeine.cache.Caffeine;
import dev.terrace.api.Cache;
import dev.terrace.api.Codecs;
import dev.terrace.config.Settings;
import dev.terrace.core.CacheCoordinator;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.function.BiConsumer;
import java.util.function.Function;
import net.openhft.chronicle.map.ChronicleMap;
import net.openhft.hashing.LongTupleHashFunction;
import org.cache2k.Cache2kBuilder;
import org.caffinitas.ohc.CacheSerializer;
import org.caffinitas.ohc.OHCache;
import org.caffinitas.ohc.OHCacheBuilder;
import org.ehcache.CacheManager;
import org.ehcache.config.builders.CacheConfigurationBuilder;
import org.ehcache.config.builders.CacheManagerBuilder;
import org.ehcache.config.builders.ResourcePoolsBuilder;
import org.ehcache.config.units.MemoryUnit;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.cache.StorageType;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;

/** Stores in the process that hold entries of one size, each opened as its documentation says. */
public enum LocalContenders {
    /** The whole coordinator, with L1 only. */
    TERRACE {
        @Override
        Store open(int entries, int valueBytes) {
            return terrace(settings(entries, valueBytes), () -> {});
        }
    },

    /** The same, where L1 lies in a file that outlives the process. */
    TERRACE_FILE {
        @Override
        Store open(int entries, int valueBytes) throws IOException {
            Scratch folder = Scratch.make("local");
            Settings settings = settings(entries, valueBytes);
            return terrace(settings.withLocalCache(settings.localCache().persistedIn(folder.path())), folder::close);
        }
    },

    /** A map under the keys themselves. */
    CHRONICLE {
        @Override
        Store open(int entries, int valueBytes) {
            ChronicleMap<String, byte[]> map = ChronicleMap.of(String.class, byte[].class)
                    .entries(entries)
                    .averageKeySize(16)
                    .constantValueSizeBySample(new byte[valueBytes])
                    .create();
            return new Functions(map::get, map::put, map::close);
        }
    },

    /** A map under 128-bit hashes of the keys, which somebody would have to compare. */
    CHRONICLE_HASH {
        @Override
        Store open(int entries, int valueBytes) {
            ChronicleMap<byte[], byte[]> map = ChronicleMap.of(byte[].class, byte[].class)
                    .entries(entries)
                    .constantKeySizeBySample(new byte[16])
                    .constantValueSizeBySample(new byte[valueBytes])
                    .create();
            ThreadLocal<long[]> hashes = ThreadLocal.withInitial(() -> new long[2]);
            return new Functions(
                    key -> map.get(hash(key, hashes.get())),
                    (key, value) -> map.put(hash(key, hashes.get()), value),
                    map::close);
        }
    },

    CAFFEINE {
        @Override
        Store open(int entries, int valueBytes) {
            com.github.benmanes.caffeine.cache.Cache<String, byte[]> cache =
                    Caffeine.newBuilder().maximumSize(entries).build();
            return new Functions(cache::getIfPresent, cache::put, cache::invalidateAll);
        }
    },

    CACHE2K {
        @Override
        Store open(int entries, int valueBytes) {
            // Its typed builder takes no arrays.
            org.cache2k.Cache<Object, Object> cache = Cache2kBuilder.forUnknownTypes()
                    .entryCapacity(2L * entries)
                    .eternal(true)
                    .build();
            return new Functions(key -> (byte[]) cache.peek(key), cache::put, cache::close);
        }
    },

    /** Its off-heap tier only. */
    EHCACHE {
        @Override
        Store open(int entries, int valueBytes) {
            CacheManager manager = CacheManagerBuilder.newCacheManagerBuilder()
                    .withCache(
                            "bench",
                            CacheConfigurationBuilder.newCacheConfigurationBuilder(
                                    String.class,
                                    byte[].class,
                                    ResourcePoolsBuilder.newResourcePoolsBuilder()
                                            .offheap(room(entries, valueBytes), MemoryUnit.MB)))
                    .build(true);
            org.ehcache.Cache<String, byte[]> cache = manager.getCache("bench", String.class, byte[].class);
            return new Functions(cache::get, cache::put, manager::close);
        }
    },

    /** Its off-heap storage in a local cache. */
    INFINISPAN {
        @Override
        Store open(int entries, int valueBytes) {
            DefaultCacheManager manager = new DefaultCacheManager(GlobalConfigurationBuilder.defaultClusteredBuilder()
                    .nonClusteredDefault()
                    .build());
            manager.defineConfiguration(
                    "bench",
                    new ConfigurationBuilder()
                            .memory()
                            .storage(StorageType.OFF_HEAP)
                            .maxCount(2L * entries)
                            .build());
            org.infinispan.Cache<String, byte[]> cache = manager.getCache("bench");
            return new Functions(
                    cache::get,
                    (key, value) -> cache.getAdvancedCache()
                            .withFlags(org.infinispan.context.Flag.IGNORE_RETURN_VALUES)
                            .put(key, value),
                    manager::stop);
        }
    },

    OHC {
        @Override
        Store open(int entries, int valueBytes) {
            OHCache<String, byte[]> cache = OHCacheBuilder.<String, byte[]>newBuilder()
                    .keySerializer(TEXT)
                    .valueSerializer(BYTES)
                    .capacity(room(entries, valueBytes) << 20)
                    .build();
            return new Functions(cache::get, cache::put, cache);
        }
    };

    /** What is done with every contender. */
    public interface Store extends AutoCloseable {
        byte[] get(String key);

        void put(String key, byte[] value);

        @Override
        void close() throws IOException;
    }

    /** The same few steps for all: a JVM that opens one contender only sees one class behind each. */
    private record Functions(Function<String, byte[]> getting, BiConsumer<String, byte[]> putting, Closeable closing)
            implements Store {
        @Override
        public byte[] get(String key) {
            return getting.apply(key);
        }

        @Override
        public void put(String key, byte[] value) {
            putting.accept(key, value);
        }

        @Override
        public void close() throws IOException {
            closing.close();
        }
    }

    private static Store terrace(Settings settings, Closeable folder) {
        CacheCoordinator coordinator = CacheCoordinator.open(settings);
        Cache<String, byte[]> cache = coordinator.cache("bench", Codecs.stringKey(), Codecs.bytes());
        return new Functions(cache::get, cache::put, () -> {
            coordinator.close();
            folder.close();
        });
    }

    private static byte[] hash(String key, long[] hash) {
        LongTupleHashFunction.xx128().hashBytes(key.getBytes(StandardCharsets.ISO_8859_1), hash);
        return ByteBuffer.allocate(16).putLong(hash[0]).putLong(hash[1]).array();
    }

    private static Settings settings(int entries, int valueBytes) {
        return WarmHits.settings(entries + entries / 4, room(entries, valueBytes));
    }

    /** Takes {@code entries} entries without evicting one. */
    abstract Store open(int entries, int valueBytes) throws IOException;

    /** Mebibytes: twice what the entries take, so that none has to go while they are put in. */
    private static long room(int entries, int valueBytes) {
        return (2L * entries * (valueBytes + 256)) >> 20;
    }

    private static final CacheSerializer<String> TEXT = new CacheSerializer<>() {
        @Override
        public void serialize(String text, ByteBuffer to) {
            to.put(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        @Override
        public String deserialize(ByteBuffer from) {
            return new String(bytes(from), StandardCharsets.ISO_8859_1);
        }

        @Override
        public int serializedSize(String text) {
            return text.length();
        }
    };

    private static final CacheSerializer<byte[]> BYTES = new CacheSerializer<>() {
        @Override
        public void serialize(byte[] value, ByteBuffer to) {
            to.put(value);
        }

        @Override
        public byte[] deserialize(ByteBuffer from) {
            return bytes(from);
        }

        @Override
        public int serializedSize(byte[] value) {
            return value.length;
        }
    };

    private static byte[] bytes(ByteBuffer from) {
        byte[] bytes = new byte[from.remaining()];
        from.get(bytes);
        return bytes;
    }
}
