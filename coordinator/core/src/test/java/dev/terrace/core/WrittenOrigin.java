package dev.terrace.core;

import dev.terrace.api.Loader;
import dev.terrace.api.WriteContext;
import dev.terrace.api.Writer;
import dev.terrace.spi.Version;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** A system of record that remembers what it was told, and fails on command. */
final class WrittenOrigin implements Writer<String, String>, Loader<String, String> {
    final Map<String, String> values = new ConcurrentHashMap<>();
    final List<String> log = new CopyOnWriteArrayList<>();
    final List<Version> versions = new CopyOnWriteArrayList<>();
    final AtomicInteger loads = new AtomicInteger();
    final AtomicInteger calls = new AtomicInteger();
    private volatile @Nullable Trouble trouble;

    /** What happens in a call before it does anything. */
    @FunctionalInterface
    interface Trouble {
        void strike(String key) throws Exception;
    }

    void trouble(@Nullable Trouble next) {
        trouble = next;
    }

    private void strike(String key) throws Exception {
        calls.incrementAndGet();
        Trouble now = trouble;
        if (now != null) {
            now.strike(key);
        }
    }

    @Override
    public void write(String key, String value, WriteContext context) throws Exception {
        strike(key);
        values.put(key, value);
        log.add(key + "=" + value);
        versions.add(context.version());
    }

    @Override
    public void delete(String key, WriteContext context) throws Exception {
        strike(key);
        values.remove(key);
        log.add(key + " removed");
        versions.add(context.version());
    }

    @Override
    public @Nullable String load(String key) {
        loads.incrementAndGet();
        return values.get(key);
    }
}
