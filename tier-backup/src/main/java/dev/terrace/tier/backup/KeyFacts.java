package dev.terrace.tier.backup;

import dev.terrace.spi.KeyReport;
import dev.terrace.tier.backup.RingKey.Purpose;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;

/** What people are told about keys, and what they ask for by name. */
final class KeyFacts {
    private static final int MOST_BY = 255;

    private KeyFacts() {}

    static KeyReport.Key of(RingKey key, KeySet ring) {
        return new KeyReport.Key(
                key.purpose().name().toLowerCase(Locale.ROOT),
                key.epoch(),
                HexFormat.of().toHexDigits(key.id()),
                key.createdMillis(),
                key.state().name().toLowerCase(Locale.ROOT),
                key.sinceMillis(),
                key.by(),
                key.purpose() == Purpose.SIGNING ? fingerprint(key) : "",
                (int) ring.subKeys().stream()
                        .filter(sub -> sub.keyId() == key.id())
                        .count());
    }

    private static String fingerprint(RingKey key) {
        byte[] open = new Ed25519PrivateKeyParameters(key.required())
                .generatePublicKey()
                .getEncoded();
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(open), 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** Rotates; empty when that worked, else why it did not. */
    static String rotate(KeyRing ring, String purpose, String by) {
        Purpose known = purpose.equals("data") ? Purpose.DATA : purpose.equals("signing") ? Purpose.SIGNING : null;
        if (known == null) {
            return "keys that can be rotated are data and signing, not '" + purpose + "'";
        }
        try {
            ring.rotate(known, fitting(by));
            return "";
        } catch (IOException e) {
            return "the key file cannot be written: " + e.getMessage();
        }
    }

    /** As much of a name as a key file has room for. */
    static String fitting(String by) {
        byte[] utf8 = by.getBytes(StandardCharsets.UTF_8);
        return utf8.length <= MOST_BY ? by : by.substring(0, Math.min(by.length(), MOST_BY / 4));
    }
}
