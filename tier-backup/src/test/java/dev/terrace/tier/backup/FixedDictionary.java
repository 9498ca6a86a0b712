package dev.terrace.tier.backup;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** Everything is compressed with one dictionary. */
record FixedDictionary(Dictionary dictionary) implements Compression {
    @Override
    public boolean isFor(String cache) {
        return true;
    }

    @Override
    public Dictionary dictionary(String cache, long dataKey) {
        return dictionary;
    }

    @Override
    public List<Dictionary> named(int reference) {
        return dictionary.reference() == reference ? List.of(dictionary) : List.of();
    }

    @Override
    public void observe(
            String cache, byte[] plain, int length, int packedLength, @Nullable Dictionary with, long dataKey) {}
}
