package dev.terrace.spi;

import dev.terrace.api.BadInputException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * A key within a named cache, as bytes. Immutable; equal when cache name and key bytes are equal.
 *
 * <p>Cache name and key lie in one array, name first, because the envelope stores them that way and a reader compares
 * both at once.
 */
public final class CacheKey {
    /** The longest cache name, in UTF-8 bytes. */
    public static final int MAX_CACHE_NAME_BYTES = 255;

    /** The longest key that the envelope can hold, in bytes. Settings may demand less. */
    public static final int MAX_KEY_BYTES = 65_535;

    private final String cache;
    private final byte[] nameAndKey;
    private final int nameLength;
    private final int hash;

    private CacheKey(String cache, byte[] nameAndKey, int nameLength) {
        this.cache = cache;
        this.nameAndKey = nameAndKey;
        this.nameLength = nameLength;
        this.hash = 31 * Arrays.hashCode(nameAndKey) + nameLength;
    }

    /** A key of the given bytes, which are copied. */
    public static CacheKey of(String cache, byte[] key) {
        byte[] name = checkedName(cache);
        byte[] both = Arrays.copyOf(name, name.length + checkedLength(cache, key.length));
        System.arraycopy(key, 0, both, name.length, key.length);
        return new CacheKey(cache, both, name.length);
    }

    /** A key of the UTF-8 bytes of {@code key}. */
    public static CacheKey of(String cache, String key) {
        return of(cache, key.getBytes(StandardCharsets.UTF_8));
    }

    /** The key that {@code buffer} holds now, copied. */
    public static CacheKey of(String cache, KeyBuffer buffer) {
        int nameLength = buffer.nameLength();
        checkedLength(cache, buffer.length() - nameLength);
        return new CacheKey(cache, Arrays.copyOf(buffer.array(), buffer.length()), nameLength);
    }

    /** Takes over {@code nameAndKey}; for readers of envelopes that have just copied it. */
    static CacheKey wrap(byte[] nameAndKey, int nameLength) {
        return new CacheKey(new String(nameAndKey, 0, nameLength, StandardCharsets.UTF_8), nameAndKey, nameLength);
    }

    private static byte[] checkedName(String cache) {
        byte[] name = cache.getBytes(StandardCharsets.UTF_8);
        if (name.length == 0 || name.length > MAX_CACHE_NAME_BYTES) {
            throw new BadInputException(
                    "cache name of " + name.length + " bytes; it must have 1 to " + MAX_CACHE_NAME_BYTES,
                    "choose a shorter cache name");
        }
        return name;
    }

    private static int checkedLength(String cache, int keyBytes) {
        if (keyBytes == 0) {
            throw new BadInputException("empty key for cache '" + cache + "'", "keys have at least one byte");
        }
        if (keyBytes > MAX_KEY_BYTES) {
            throw new BadInputException(
                    "key of " + keyBytes + " bytes exceeds " + MAX_KEY_BYTES + " of cache '" + cache + "'",
                    "hash long keys before using them");
        }
        return keyBytes;
    }

    /** The cache's name. */
    public String cache() {
        return cache;
    }

    /** A copy of the key's bytes, without the cache name. */
    public byte[] keyBytes() {
        return Arrays.copyOfRange(nameAndKey, nameLength, nameAndKey.length);
    }

    /** Length of the key alone. */
    public int keyLength() {
        return nameAndKey.length - nameLength;
    }

    /** Length of the cache name in bytes. */
    public int nameLength() {
        return nameLength;
    }

    /** Cache name and key, one after the other. Shared, not copied: callers must not write to it. */
    public byte[] nameAndKey() {
        return nameAndKey;
    }

    /** True when {@code buffer} holds this very key. */
    public boolean matches(KeyBuffer buffer) {
        return nameLength == buffer.nameLength()
                && Arrays.equals(nameAndKey, 0, nameAndKey.length, buffer.array(), 0, buffer.length());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof CacheKey that
                && hash == that.hash
                && nameLength == that.nameLength
                && Arrays.equals(nameAndKey, that.nameAndKey);
    }

    @Override
    public int hashCode() {
        return hash;
    }

    /** {@code cache/key}, the key as text when it is UTF-8 and as hex digits otherwise. */
    @Override
    public String toString() {
        ByteBuffer key = ByteBuffer.wrap(nameAndKey, nameLength, keyLength());
        try {
            return cache + "/"
                    + StandardCharsets.UTF_8
                            .newDecoder()
                            .onMalformedInput(CodingErrorAction.REPORT)
                            .decode(key);
        } catch (CharacterCodingException notText) {
            return cache + "/0x" + HexFormat.of().formatHex(keyBytes());
        }
    }
}
