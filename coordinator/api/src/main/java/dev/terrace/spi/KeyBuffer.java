package dev.terrace.spi;

import java.util.Arrays;

/**
 * A reusable buffer that holds one cache name and key at a time, so that a warm hit allocates nothing for its key. Not
 * thread-safe: one per thread.
 */
public final class KeyBuffer {
    private byte[] bytes = new byte[128];
    private int nameLength;
    private int length;

    /** Forgets the key and starts the next one, of the cache with this name in UTF-8. */
    public void start(byte[] cacheName) {
        nameLength = 0;
        length = 0;
        write(cacheName, 0, cacheName.length);
        nameLength = length;
    }

    /** Appends one byte to the key. */
    public void write(int b) {
        ensure(1);
        bytes[length++] = (byte) b;
    }

    /**
     * Appends text that is all ASCII, in one go.
     *
     * @return false, and nothing is appended, when it is not
     */
    @SuppressWarnings("deprecation") // the one copy of a String's low bytes that the JDK has; exact for ASCII
    public boolean writeAscii(String text) {
        int count = text.length();
        int seen = 0;
        for (int i = 0; i < count; i++) {
            seen |= text.charAt(i);
        }
        if (seen >= 0x80) {
            return false;
        }
        ensure(count);
        text.getBytes(0, count, bytes, length);
        length += count;
        return true;
    }

    /** Appends bytes to the key. */
    public void write(byte[] source, int offset, int count) {
        ensure(count);
        System.arraycopy(source, offset, bytes, length, count);
        length += count;
    }

    /** Appends eight bytes, big-endian. */
    public void writeLong(long value) {
        for (int shift = 56; shift >= 0; shift -= 8) {
            write((int) (value >>> shift));
        }
    }

    private void ensure(int more) {
        if (bytes.length - length < more) {
            bytes = Arrays.copyOf(bytes, Math.max(bytes.length * 2, length + more));
        }
    }

    /** The backing array: valid from 0 to {@link #length()}, cache name first. Changes with the next write. */
    public byte[] array() {
        return bytes;
    }

    /** Length of cache name and key together. */
    public int length() {
        return length;
    }

    /** Length of the cache name. */
    public int nameLength() {
        return nameLength;
    }

    /** Length of the key alone. */
    public int keyLength() {
        return length - nameLength;
    }
}
