package dev.terrace.tier.backup;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Looks at the values of one cache as they are written: gathers a sample, hands it over to be trained on, then watches whether the
 * dictionary still does what it did. When values shrink 15 % less than the dictionary promised, in two windows of
 * {@link Limits#window} values one after the other, it gathers another sample. Where a dictionary was not worth having, it
 * tries again after {@link Limits#patience} values. The first dictionary is trained on few values, so that few go without; a whole sample
 * follows at once. Thread-safe.
 */
final class CacheWatch {
    private static final int DRIFT_PERMILLE = 1150;
    private static final int WINDOWS = 2;

    /**
     * How much is looked at.
     *
     * @param first values in the sample for the first dictionary
     * @param samples values in any other sample
     * @param sampleBytes most bytes of them together
     * @param longest values are cut to this length in samples
     * @param window values between two looks at the ratio
     * @param patience values before a cache without a dictionary is looked at again
     */
    record Limits(int first, int samples, int sampleBytes, int longest, int window, int patience) {
        static final Limits USUAL = new Limits(256, 2_000, 4 << 20, 8 << 10, 10_000, 100_000);

        /** The first sample is as large as the others. */
        Limits(int samples, int sampleBytes, int longest, int window, int patience) {
            this(samples, samples, sampleBytes, longest, window, patience);
        }
    }

    private enum State {
        SAMPLING,
        TRAINING,
        WATCHING,
        WITHOUT
    }

    private final String cache;
    private final Limits limits;
    private final AtomicLong held;
    private List<byte[]> samples = new ArrayList<>();
    private long sampleBytes;
    private State state = State.SAMPLING;
    private int promisedPermille;
    private long plainBytes;
    private long packedBytes;
    private int values;
    private int driftedWindows;

    /** No dictionary has been trained yet by this watch. */
    private boolean first;

    private volatile @Nullable Dictionary current;

    /**
     * @param held bytes of samples that all caches hold together
     */
    CacheWatch(String cache, Limits limits, AtomicLong held) {
        this.cache = cache;
        this.limits = limits;
        this.held = held;
        this.first = limits.first < limits.samples;
    }

    String cache() {
        return cache;
    }

    /** The dictionary for new values, or null. */
    @Nullable
    Dictionary current() {
        return current;
    }

    /** Bytes of a sample that is not full yet. */
    synchronized long gatheredBytes() {
        return state == State.SAMPLING ? sampleBytes : 0;
    }

    /** From now on {@code dictionary} is used. */
    synchronized void use(Dictionary dictionary) {
        current = dictionary;
        if (first && state == State.TRAINING) {
            sampleMore();
        } else {
            first = false;
            watch(dictionary.ratioPermille());
        }
    }

    private void sampleMore() {
        first = false;
        state = State.SAMPLING;
        drop();
    }

    /** There is no better one than what is used already, which shrinks values to this much. */
    synchronized void keep(int ratioPermille) {
        if (first) {
            sampleMore();
        } else if (current == null) {
            state = State.WITHOUT;
            values = 0;
            drop();
        } else {
            watch(ratioPermille);
        }
    }

    private void watch(int ratioPermille) {
        state = State.WATCHING;
        promisedPermille = Math.max(1, ratioPermille);
        driftedWindows = 0;
        newWindow();
        drop();
    }

    private void drop() {
        samples = new ArrayList<>();
        held.addAndGet(-sampleBytes);
        sampleBytes = 0;
    }

    private void newWindow() {
        values = 0;
        plainBytes = 0;
        packedBytes = 0;
    }

    /**
     * A value was compressed.
     *
     * @param dataKey that the value is sealed under
     * @return a sample to train on, when this was its last value, otherwise null
     */
    synchronized @Nullable List<byte[]> observe(
            byte[] plain, int length, int packedLength, @Nullable Dictionary with, long dataKey) {
        switch (state) {
            case SAMPLING -> {
                byte[] sample = Arrays.copyOf(plain, Math.min(length, limits.longest));
                samples.add(sample);
                sampleBytes += sample.length;
                held.addAndGet(sample.length);
                int wanted = first ? limits.first : limits.samples;
                return samples.size() >= wanted || sampleBytes >= limits.sampleBytes ? hand() : null;
            }
            case WATCHING -> judge(length, packedLength, with, dataKey);
            case WITHOUT -> {
                if (++values >= limits.patience) {
                    state = State.SAMPLING;
                }
            }
            case TRAINING -> {
                return null;
            }
        }
        return null;
    }

    private void judge(int length, int packedLength, @Nullable Dictionary with, long dataKey) {
        Dictionary now = current;
        if (with == null && packedLength < length) {
            if (now != null && now.dataKey() != dataKey) {
                state = State.SAMPLING; // Its data key is no longer the one that new values are sealed under.
            }
            return; // Or it was under way when the dictionary came.
        }
        plainBytes += length;
        packedBytes += packedLength;
        if (++values < limits.window) {
            return;
        }
        boolean drifted = packedBytes * 1_000_000 > plainBytes * promisedPermille * DRIFT_PERMILLE;
        driftedWindows = drifted ? driftedWindows + 1 : 0;
        if (driftedWindows >= WINDOWS) {
            state = State.SAMPLING;
        }
        newWindow();
    }

    /** Ends sampling early. Returns what there is, or null when that is too little, which is forgotten then. */
    synchronized @Nullable List<byte[]> handEarly() {
        if (state != State.SAMPLING) {
            return null;
        }
        if (samples.size() >= DictionaryTraining.FEWEST_SAMPLES) {
            return hand();
        }
        drop();
        return null;
    }

    private List<byte[]> hand() {
        state = State.TRAINING;
        return samples;
    }
}
