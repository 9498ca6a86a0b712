package dev.terrace.api;

/**
 * Turns values into bytes and back. Implementations are thread-safe and stateless. The bytes are kept for a long time
 * and read by other processes: change a codec's output only in ways that old bytes survive.
 *
 * @param <V> the values
 */
public interface Codec<V> {
    /**
     * The value's bytes; the array is handed over.
     *
     * @throws CodecException when the value cannot be encoded
     */
    byte[] encode(V value);

    /**
     * The value in {@code bytes[offset .. offset + length)}. The array belongs to the caller and changes afterwards:
     * copy what must stay.
     *
     * @throws CodecException when the bytes are not a value
     */
    V decode(byte[] bytes, int offset, int length);
}
