package dev.terrace.tier.backup;

import dev.terrace.spi.CacheKey;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The name under which RocksDB knows a key: HMAC-SHA256 of cache name and key, cut to 16 bytes. In an encrypted folder
 * the HMAC's key is secret, so names cannot be guessed from the disk; in a plain one it is a constant. Thread-safe.
 */
final class KeyHash {
    static final int BYTES = 16;
    private static final byte[] PLAIN_KEY = "terrace l3 plain folder".getBytes(StandardCharsets.US_ASCII);

    private final ThreadLocal<Mac> macs;

    private KeyHash(byte[] key) {
        SecretKeySpec spec = new SecretKeySpec(key, "HmacSHA256");
        macs = ThreadLocal.withInitial(() -> {
            try {
                Mac mac = Mac.getInstance("HmacSHA256");
                mac.init(spec);
                return mac;
            } catch (GeneralSecurityException e) {
                throw new IllegalStateException("every JDK has HmacSHA256", e);
            }
        });
    }

    static KeyHash keyed(byte[] key) {
        return new KeyHash(key);
    }

    static KeyHash plain() {
        return new KeyHash(PLAIN_KEY);
    }

    byte[] of(CacheKey key) {
        Mac mac = macs.get();
        mac.update((byte) key.nameLength()); // At most 255; keeps "ab"+"c" and "a"+"bc" apart.
        mac.update(key.nameAndKey());
        return Arrays.copyOf(mac.doFinal(), BYTES);
    }
}
