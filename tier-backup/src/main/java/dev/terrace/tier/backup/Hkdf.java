package dev.terrace.tier.backup;

import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.digests.SHA256Digest;
import org.bouncycastle.crypto.generators.HKDFBytesGenerator;
import org.bouncycastle.crypto.params.HKDFParameters;

/** Derives keys from keys: HKDF-SHA256 (RFC 5869). Every purpose has its own label, so no key serves two. */
final class Hkdf {
    static final int KEY_BYTES = 32;

    /** For keys that are random already. */
    static final byte[] NO_SALT = new byte[0];

    private Hkdf() {}

    /** A 256-bit key for one purpose. */
    static byte[] derive(byte[] key, byte[] salt, String purpose) {
        HKDFBytesGenerator generator = new HKDFBytesGenerator(new SHA256Digest());
        generator.init(new HKDFParameters(key, salt, ("terrace l3 " + purpose).getBytes(StandardCharsets.US_ASCII)));
        byte[] derived = new byte[KEY_BYTES];
        generator.generateBytes(derived, 0, derived.length);
        return derived;
    }
}
