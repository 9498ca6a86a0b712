package dev.terrace.node.replay;

import dev.terrace.api.Loader;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/**
 * Plays the system of record: takes its time, counts its calls, and makes each key's value from the key, so that a wrong
 * answer shows. Thread-safe.
 */
final class Origin implements Loader<String, byte[]> {
    /** Room for the mark that ties a value to its key. */
    static final int SMALLEST_VALUE_BYTES = Long.BYTES;

    private final long latencyNanos;
    private final int valueBytes;
    private final LongAdder calls = new LongAdder();

    Origin(long latencyNanos, int valueBytes) {
        this.latencyNanos = latencyNanos;
        this.valueBytes = valueBytes;
    }

    @Override
    public byte[] load(String key) throws InterruptedException {
        calls.increment();
        long end = System.nanoTime() + latencyNanos;
        for (long left = latencyNanos; left > 0; left = end - System.nanoTime()) {
            LockSupport.parkNanos(left);
            if (Thread.interrupted()) {
                throw new InterruptedException("load interrupted");
            }
        }
        byte[] value = new byte[valueBytes];
        long mark = mark(key);
        new SplittableRandom(mark).nextBytes(value);
        ByteBuffer.wrap(value).putLong(mark);
        return value;
    }

    /** Whether {@code value} is what the origin has for {@code key}; looks at length and mark only. */
    boolean made(String key, byte[] value) {
        return value.length == valueBytes && ByteBuffer.wrap(value).getLong() == mark(key);
    }

    long calls() {
        return calls.sum();
    }

    /** FNV-1a. */
    private static long mark(String key) {
        long hash = 0xCBF29CE484222325L;
        for (byte b : key.getBytes(StandardCharsets.UTF_8)) {
            hash = (hash ^ (b & 0xFF)) * 0x100000001B3L;
        }
        return hash;
    }
}
