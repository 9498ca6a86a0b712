package dev.terrace.tier.backup;

import com.github.luben.zstd.Zstd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Makes dictionaries. Nine of ten samples are trained on; the tenth tells whether the result is worth having: it must save a tenth
 * over no dictionary, and a twentieth over the one before.
 */
final class DictionaryTraining {
    /** Fewer samples tell too little. */
    static final int FEWEST_SAMPLES = 200;

    private static final int HELD_OUT = 10;
    private static final int SHORTEST = 16 << 10;
    private static final int LONGEST = 64 << 10;

    /** zstd's advice is a hundred times as much sample as dictionary; here a third of that gave the same ratio. */
    private static final int SAMPLE_PER_DICTIONARY = 32;

    private DictionaryTraining() {}

    /**
     * What came of it.
     *
     * @param dictionary null when it is not worth having
     * @param ratioPermille to how much the tested samples shrink with what is used from now on
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Result(byte @Nullable [] dictionary, int ratioPermille) {}

    /** Takes about a second of processor time and some ten times the samples' memory. */
    static Result train(List<byte[]> samples, @Nullable Dictionary before) {
        List<byte[]> learned = new ArrayList<>();
        List<byte[]> tested = new ArrayList<>();
        long bytes = 0;
        for (int i = 0; i < samples.size(); i++) {
            (i % HELD_OUT == 0 ? tested : learned).add(samples.get(i));
            bytes += samples.get(i).length;
        }
        try (Squeezer squeezer = new Squeezer()) {
            long without = packed(squeezer, tested, null);
            long withBefore = before == null ? without : packed(squeezer, tested, before);
            int kept = permille(Math.min(without, withBefore), tested);
            byte[] room = new byte[(int) Math.max(SHORTEST, Math.min(LONGEST, bytes / SAMPLE_PER_DICTIONARY))];
            long length = samples.size() < FEWEST_SAMPLES
                    ? 0
                    : Zstd.trainFromBuffer(learned.toArray(byte[][]::new), room, false);
            if (length <= 0 || Zstd.isError(length)) {
                return new Result(null, kept); // Nothing in common, or too little.
            }
            byte[] content = Arrays.copyOf(room, (int) length);
            long with =
                    packed(squeezer, tested, new Dictionary(new byte[Dictionary.ID_BYTES], "", 0, 0, 0, 0, content));
            boolean worthwhile = with * 10 <= without * 9 && (before == null || with * 20 <= withBefore * 19);
            return worthwhile ? new Result(content, permille(with, tested)) : new Result(null, kept);
        }
    }

    private static long packed(Squeezer squeezer, List<byte[]> values, @Nullable Dictionary dictionary) {
        long total = 0;
        for (byte[] value : values) {
            byte[] out = new byte[(int) Zstd.compressBound(value.length)];
            int length = squeezer.compress(value, value.length, dictionary, out);
            total += length < 0 ? value.length : length;
        }
        return total;
    }

    private static int permille(long packed, List<byte[]> values) {
        long plain = values.stream().mapToLong(value -> value.length).sum();
        return plain == 0 ? 1000 : (int) (packed * 1000 / plain);
    }
}
