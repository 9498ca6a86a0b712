package dev.terrace.api;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Some of many keys could not be loaded. Thrown to callers of {@link Cache#getAll(java.util.Collection, BulkLoader)}, with everything
 * that could be answered; and thrown by a {@link BulkLoader} that can tell which keys failed: what it did load is kept.
 */
public final class BulkLoadException extends LoaderException {
    private static final long serialVersionUID = 1L;

    private final transient Map<Object, Object> loaded;
    private final transient Map<Object, Throwable> failed;

    /** See {@link TerraceException}. */
    public BulkLoadException(String problem, String hint, Map<?, ?> loaded, Map<?, ? extends Throwable> failed) {
        super(
                problem,
                hint,
                failed.isEmpty() ? null : failed.values().iterator().next());
        this.loaded = Collections.unmodifiableMap(new LinkedHashMap<>(loaded));
        this.failed = Collections.unmodifiableMap(new LinkedHashMap<>(failed));
    }

    /** To be thrown by a loader. */
    public static BulkLoadException partial(Map<?, ?> loaded, Map<?, ? extends Throwable> failed) {
        return new BulkLoadException(
                failed.size() + " of " + (failed.size() + loaded.size()) + " keys could not be loaded",
                "",
                loaded,
                failed);
    }

    /** The values that there are, by key, fresh or stale; keys without a value at the origin are missing. */
    public Map<Object, Object> loaded() {
        return loaded == null ? Map.of() : loaded;
    }

    /** Why the others could not be loaded, by key. */
    public Map<Object, Throwable> failed() {
        return failed == null ? Map.of() : failed;
    }
}
