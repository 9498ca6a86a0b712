package dev.terrace.benchmarks;

import dev.terrace.api.Cache;
import dev.terrace.api.Source;
import dev.terrace.config.LocalCacheSettings;
import dev.terrace.config.Settings;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** What the benchmarks of warm hits share: the entries, who reads them, the local tier that holds them all, and the flags of its JVM. */
public final class WarmHits {
    static final int ENTRIES = 100_000;
    static final int VALUE_BYTES = 128;

    // Of the forked JVM: those of Chronicle, and a heap of one size.
    static final String HEAP = "-Xmx2g";
    static final String EXPORT_NIO = "--add-exports=java.base/sun.nio.ch=ALL-UNNAMED";
    static final String EXPORT_JAVAC = "--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED";
    static final String OPEN_LANG = "--add-opens=java.base/java.lang=ALL-UNNAMED";
    static final String OPEN_REFLECT = "--add-opens=java.base/java.lang.reflect=ALL-UNNAMED";

    private WarmHits() {}

    /** Where one thread is in the sequence. */
    @State(Scope.Thread)
    public static class Cursor {
        final String[] keys = Workload.keys(ENTRIES);
        final int[] sequence = Workload.zipf(ENTRIES, 1);
        int next = ThreadLocalRandom.current().nextInt(Workload.SEQUENCE);

        String key() {
            return keys[sequence[next++ & Workload.SEQUENCE - 1]];
        }
    }

    /** The default settings with a local tier of this size, where nothing expires meanwhile. */
    static Settings settings(int capacity, long mebibytes) {
        Settings defaults = Settings.defaults();
        LocalCacheSettings local = defaults.localCache();
        return defaults.withLocalCache(new LocalCacheSettings(
                true, capacity, mebibytes, Duration.ofDays(1), local.evictionPolicy(), local.sweepInterval()));
    }

    /** Puts every key, and reads it twice, so that every tier that may hold it does. */
    static void fill(Cache<String, byte[]> cache, Source from) {
        String[] keys = Workload.keys(ENTRIES);
        for (int i = 0; i < ENTRIES; i++) {
            cache.put(keys[i], Workload.value(VALUE_BYTES, i));
            cache.get(keys[i]);
            cache.get(keys[i]);
        }
        Source source = cache.read(keys[0]).source();
        if (source != from) {
            throw new IllegalStateException("the benchmark is to measure " + from + ", this is " + source);
        }
    }

    /** A miss would be fast and wrong. */
    static byte[] found(byte[] value) {
        if (value == null) {
            throw new IllegalStateException("the benchmark measures hits, this was a miss");
        }
        return value;
    }
}
