package dev.terrace.tier.backup;

import java.nio.ByteBuffer;
import javax.crypto.SecretKey;
import javax.crypto.spec.GCMParameterSpec;

/**
 * What new records are sealed with: a sub-key of its own and a counter for nonces. Moves to a fresh sub-key when the
 * active data key has changed, and long before the counter or the bytes reach what AES-GCM bears. Threads may share it
 * by {@link #claim}; the rest belongs to one.
 */
final class SealingKey {
    /**
     * Records sealed with one sub-key. NIST SP 800-38D (8.3) allows 2^32 messages per key when nonces are random;
     * counted ones may be more.
     */
    static final long MOST_RECORDS = 1L << 32;

    /** Bytes sealed with one sub-key: 2^36 blocks, at which an observer's advantage is still below 2^-56. */
    static final long MOST_BYTES = 1L << 40;

    private final KeyRing ring;
    private final long keepMillis;
    private final long mostRecords;
    private final long mostBytes;
    private SubKey subKey;
    private SecretKey secret;
    private SealingSubKey shared;
    private long counter = -1;
    private long bytes;

    /**
     * Makes a sub-key at once.
     *
     * @param keepMillis how long a record may live
     */
    SealingKey(KeyRing ring, long keepMillis) {
        this(ring, keepMillis, MOST_RECORDS, MOST_BYTES);
    }

    /** With other caps. */
    SealingKey(KeyRing ring, long keepMillis, long mostRecords, long mostBytes) {
        this.ring = ring;
        this.keepMillis = keepMillis;
        this.mostRecords = mostRecords;
        this.mostBytes = mostBytes;
        this.subKey = ring.nextSubKey(keepMillis);
        this.secret = ring.secretOf(subKey);
        this.shared = new SealingSubKey(subKey, secret);
    }

    /**
     * A nonce for one message.
     *
     * @param key what to seal it with
     * @param counter its number under that key
     */
    record Claim(SealingSubKey key, long counter) {}

    /** As {@link #next}, for several threads. */
    synchronized Claim claim(int length) {
        next(length);
        return new Claim(shared, counter);
    }

    /**
     * Moves to the next nonce, which no other message has under this {@link #secret()}. To be called before every message.
     *
     * @param length bytes of the message
     * @throws java.io.UncheckedIOException when a fresh sub-key is needed and cannot be stored; nothing may be sealed then
     */
    void next(int length) {
        boolean full = counter + 1 >= mostRecords || bytes + length > mostBytes && bytes > 0;
        if (full || ring.activeDataKey() != subKey.keyId()) {
            SubKey fresh = ring.succeed(subKey, keepMillis);
            secret = ring.secretOf(fresh);
            subKey = fresh;
            shared = new SealingSubKey(fresh, secret);
            counter = -1;
            bytes = 0;
        }
        counter++;
        bytes += length;
    }

    /** The sub-key of the message. */
    SubKey subKey() {
        return subKey;
    }

    /** What to seal the message with. */
    SecretKey secret() {
        return secret;
    }

    /** The message's number under its sub-key, from 0. */
    long counter() {
        return counter;
    }

    /** The nonce that a number stands for. */
    static GCMParameterSpec nonce(long counter) {
        return new GCMParameterSpec(
                AesGcm.TAG_BYTES * 8,
                ByteBuffer.allocate(AesGcm.NONCE_BYTES)
                        .putInt(0)
                        .putLong(counter)
                        .array());
    }
}
