package dev.terrace.spi;

import java.io.IOException;

/**
 * Something that keeps a key to itself and wraps other keys with it: a key management service, a security module. A folder's master key is
 * wrapped once, when its keys are made or wrapped anew, and unwrapped at each opening; records never go there. Calls may block: whoever calls
 * bounds the wait. Thread-safe.
 */
public interface KeyService extends AutoCloseable {
    /**
     * Wraps a key.
     *
     * @param key which of the service's keys, as the settings name it
     * @param secret the key to wrap, 32 bytes
     * @param context must be the same when it is unwrapped; not secret
     * @return at most 16,384 bytes
     * @throws IOException when the service refuses or cannot be reached; its message names the key and the reason in one line
     */
    byte[] wrap(String key, byte[] secret, byte[] context) throws IOException;

    /**
     * Gives what was wrapped.
     *
     * @throws IOException as {@link #wrap}, and when this was not wrapped so
     */
    byte[] unwrap(String key, byte[] wrapped, byte[] context) throws IOException;

    @Override
    default void close() {}
}
