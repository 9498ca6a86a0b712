package dev.terrace.backplane.jgroups;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Proves that whoever wrote a frame knows the group's secret, and that nobody changed it on the way: HMAC-SHA-256 (RFC 2104),
 * cut to {@value #TAG_BYTES} bytes, after the frame. JGroups' own encryption (AES-CBC) hides what is said but does not notice
 * changes. What is said twice does no harm, so nothing guards against that. Thread-safe.
 */
final class Seal {
    static final int TAG_BYTES = 16;
    private static final int ROUNDS = 200_000;
    private static final String MAC = "HmacSHA256";
    private static final byte[] WIRE_NAME = "terrace wire name".getBytes(StandardCharsets.UTF_8);

    private final @Nullable SecretKeySpec cipherKey;
    private final @Nullable ThreadLocal<Mac> macs;

    private Seal(@Nullable SecretKeySpec cipherKey, @Nullable ThreadLocal<Mac> macs) {
        this.cipherKey = cipherKey;
        this.macs = macs;
    }

    /** Without a secret nothing is proven. */
    static Seal none() {
        return new Seal(null, null);
    }

    /** The group's name is the salt: secrets are shared by few and long, so the salt need not be secret. */
    static Seal of(String secret, String group) {
        try {
            PBEKeySpec spec = new PBEKeySpec(
                    secret.toCharArray(), ("terrace group " + group).getBytes(StandardCharsets.UTF_8), ROUNDS, 512);
            byte[] keys = SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
                    .generateSecret(spec)
                    .getEncoded();
            SecretKeySpec macKey = new SecretKeySpec(keys, 32, 32, MAC);
            mac(macKey); // fails here if at all
            return new Seal(
                    new SecretKeySpec(Arrays.copyOf(keys, 32), "AES"), ThreadLocal.withInitial(() -> mac(macKey)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has PBKDF2 with HMAC-SHA-256", e);
        }
    }

    private static Mac mac(SecretKeySpec key) {
        try {
            Mac mac = Mac.getInstance(MAC);
            mac.init(key);
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every JDK has " + MAC, e);
        }
    }

    /** For JGroups' encryption; null without a secret. */
    @Nullable
    SecretKeySpec cipherKey() {
        return cipherKey;
    }

    /**
     * What a group is called on the wire: its name, and a keyed digest that only those who know the secret can make. JGroups
     * finds members and merges groups below its encryption, in clear; groups of one name and different secrets would answer each
     * other there, and lead a merge astray that none of them can read. Of another name, they are not heard at all.
     */
    String wireName(String group) {
        return macs == null
                ? group
                : group + "~"
                        + HexFormat.of().formatHex(Arrays.copyOf(macs.get().doFinal(WIRE_NAME), TAG_BYTES));
    }

    /** The frame with its proof. */
    byte[] close(byte[] frame) {
        if (macs == null) {
            return frame;
        }
        byte[] closed = Arrays.copyOf(frame, frame.length + TAG_BYTES);
        System.arraycopy(macs.get().doFinal(frame), 0, closed, frame.length, TAG_BYTES);
        return closed;
    }

    /** How many of these bytes are a frame; negative when it is not proven. */
    int open(byte[] bytes, int offset, int length) {
        if (macs == null) {
            return length;
        }
        int frame = length - TAG_BYTES;
        if (frame < 0) {
            return -1;
        }
        Mac mac = macs.get();
        mac.update(bytes, offset, frame);
        byte[] expected = Arrays.copyOf(mac.doFinal(), TAG_BYTES);
        byte[] found = Arrays.copyOfRange(bytes, offset + frame, offset + length);
        return MessageDigest.isEqual(expected, found) ? frame : -1;
    }
}
