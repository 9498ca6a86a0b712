package dev.terrace.tier.redis;

import dev.terrace.api.BadInputException;
import dev.terrace.spi.CacheKey;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Redis keys, readable and exact: {@code prefix:cache:key}. In the cache name everything but letters, digits, dot, dash
 * and underscore is percent-encoded, in the key everything that is not printable ASCII, and percent, space and braces.
 * So no two keys share a Redis key, no key chooses its cluster slot by braces, and a cache's keys match one plain pattern.
 */
final class RedisKeys {
    private static final char[] HEX = "0123456789ABCDEF".toCharArray();

    private final String prefix;

    RedisKeys(String prefix) {
        StringBuilder encoded = new StringBuilder();
        appendName(encoded, prefix.getBytes(StandardCharsets.UTF_8), 0, prefix.getBytes(StandardCharsets.UTF_8).length);
        this.prefix = encoded.append(':').toString();
    }

    String of(CacheKey key) {
        byte[] bytes = key.nameAndKey();
        StringBuilder out = new StringBuilder(prefix.length() + bytes.length + 8).append(prefix);
        appendName(out, bytes, 0, key.nameLength());
        out.append(':');
        for (int i = key.nameLength(); i < bytes.length; i++) {
            int b = bytes[i] & 0xFF;
            if (b > 0x20 && b < 0x7F && b != '%' && b != '{' && b != '}') {
                out.append((char) b);
            } else {
                escape(out, b);
            }
        }
        return out.toString();
    }

    /** The key of whose entry {@code redisKey} is the name; null when it is of none, or not as {@link #of} writes it. */
    @Nullable
    CacheKey parse(String redisKey) {
        if (!redisKey.startsWith(prefix)) {
            return null;
        }
        int colon = redisKey.indexOf(':', prefix.length());
        byte[] name = colon < 0 ? null : unescaped(redisKey, prefix.length(), colon);
        byte[] key = colon < 0 ? null : unescaped(redisKey, colon + 1, redisKey.length());
        if (name == null || key == null) {
            return null;
        }
        try {
            CacheKey found = CacheKey.of(new String(name, StandardCharsets.UTF_8), key);
            return of(found).equals(redisKey) ? found : null;
        } catch (BadInputException noKeyOfOurs) {
            return null;
        }
    }

    private static byte @Nullable [] unescaped(String text, int from, int to) {
        byte[] bytes = new byte[to - from];
        int length = 0;
        for (int i = from; i < to; i++) {
            char c = text.charAt(i);
            if (c != '%') {
                bytes[length++] = (byte) c;
                continue;
            }
            int high = i + 2 < to ? Character.digit(text.charAt(i + 1), 16) : -1;
            int low = i + 2 < to ? Character.digit(text.charAt(i + 2), 16) : -1;
            if (high < 0 || low < 0) {
                return null;
            }
            bytes[length++] = (byte) (high << 4 | low);
            i += 2;
        }
        return Arrays.copyOf(bytes, length);
    }

    /** The first part of every key of an entry. */
    String prefixOfAll() {
        return prefix;
    }

    /** A SCAN pattern that matches the keys of one cache and no others. */
    String patternOf(String cache) {
        StringBuilder out = new StringBuilder(prefix);
        byte[] name = cache.getBytes(StandardCharsets.UTF_8);
        appendName(out, name, 0, name.length);
        return out.append(":*").toString();
    }

    /** A SCAN pattern that matches every key of an entry and no others of ours. */
    String patternOfAll() {
        return prefix + '*';
    }

    /**
     * Where a zone keeps its promise about the entry under {@code redisKey}. Entries' keys have no braces, so the hash tag is
     * the whole key and both lie in one slot.
     */
    static String promiseOf(String redisKey) {
        return '{' + redisKey + "}:p";
    }

    /** The key about whose entry {@code promiseKey} keeps a promise; null when it is of none. */
    @Nullable
    CacheKey ofPromise(String promiseKey) {
        return promiseKey.startsWith("{") && promiseKey.endsWith("}:p")
                ? parse(promiseKey.substring(1, promiseKey.length() - 3))
                : null;
    }

    /** Where the lease on the entry under {@code redisKey} lies: in its slot, as {@link #promiseOf}. */
    static String leaseOf(String redisKey) {
        return '{' + redisKey + "}:lease";
    }

    /** Where a token bucket of the fleet lies. */
    String bucket(String name) {
        return '{' + prefix + "rate-" + encoded(name) + '}';
    }

    /** Where a zone keeps its name and incarnation. */
    String zoneRecord() {
        return '{' + prefix + "zone}";
    }

    /** Where a zone keeps the mark of a filling, which is lost with what it was filled with; in the record's slot. */
    String fillingMark(String token) {
        return zoneRecord() + ":filling:" + token;
    }

    /** As {@link #fillingMark(String)}, in one of many slots. */
    String fillingMark(String token, int slot) {
        return '{' + prefix + "zone-" + slot + "}:filling:" + token;
    }

    /** Where a process tries whether the server takes and gives values. */
    String canary(String process) {
        return '{' + prefix + "canary}:" + process;
    }

    /** {@code name} as it stands in keys: letters, digits, dot, dash, underscore, the rest percent-encoded. */
    static String encoded(String name) {
        StringBuilder out = new StringBuilder();
        byte[] bytes = name.getBytes(StandardCharsets.UTF_8);
        appendName(out, bytes, 0, bytes.length);
        return out.toString();
    }

    private static void appendName(StringBuilder out, byte[] bytes, int from, int to) {
        for (int i = from; i < to; i++) {
            int b = bytes[i] & 0xFF;
            boolean plain = b >= 'a' && b <= 'z'
                    || b >= 'A' && b <= 'Z'
                    || b >= '0' && b <= '9'
                    || b == '.'
                    || b == '-'
                    || b == '_';
            if (plain) {
                out.append((char) b);
            } else {
                escape(out, b);
            }
        }
    }

    private static void escape(StringBuilder out, int b) {
        out.append('%').append(HEX[b >> 4]).append(HEX[b & 15]);
    }
}
