package dev.terrace.tier.backup;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Which values are compressed, and with which dictionaries. Thread-safe; called for every record, so nothing in here may take long. */
interface Compression {
    /** Whether new values of {@code cache} are compressed. */
    boolean isFor(String cache);

    /** The dictionary for new values of {@code cache} that are sealed under that data key, or null for none. */
    @Nullable
    Dictionary dictionary(String cache, long dataKey);

    /** The dictionaries that a record may mean by this reference. */
    List<Dictionary> named(int reference);

    /**
     * A value was compressed.
     *
     * @param plain its compact form; not to be kept
     * @param length how much of {@code plain} that is
     * @param packedLength what became of it
     * @param dictionary with which, or null
     * @param dataKey under which it is sealed; 0 for none
     */
    void observe(
            String cache, byte[] plain, int length, int packedLength, @Nullable Dictionary dictionary, long dataKey);

    /** The same for all values, without dictionaries. */
    static Compression without(boolean compressed) {
        return new Compression() {
            @Override
            public boolean isFor(String cache) {
                return compressed;
            }

            @Override
            public @Nullable Dictionary dictionary(String cache, long dataKey) {
                return null;
            }

            @Override
            public List<Dictionary> named(int reference) {
                return List.of();
            }

            @Override
            public void observe(
                    String cache,
                    byte[] plain,
                    int length,
                    int packedLength,
                    @Nullable Dictionary dictionary,
                    long dataKey) {}
        };
    }
}
