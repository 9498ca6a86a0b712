package dev.terrace.api;

import dev.terrace.spi.KeyBuffer;

/**
 * Turns keys into bytes and back. Equal keys must give equal bytes, different keys different ones. Thread-safe and
 * stateless.
 *
 * @param <K> the keys
 */
public interface KeyCodec<K> {
    /**
     * Appends the key's bytes to {@code into}.
     *
     * @throws BadInputException when the key has no exact byte form
     */
    void encode(K key, KeyBuffer into);

    /**
     * The key of these bytes.
     *
     * @throws CodecException when they are not a key
     */
    K decode(byte[] bytes);
}
