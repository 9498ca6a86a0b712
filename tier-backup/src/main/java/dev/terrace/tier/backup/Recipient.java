package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPublicKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;
import org.jspecify.annotations.Nullable;

/**
 * To whom a {@link SealedBox} is closed: the public half of a {@link RecipientKey}, X25519 and ML-KEM-768 (FIPS 203) together, so that
 * a box stays closed as long as one of them is not broken. Immutable. Not secret.
 */
public final class Recipient {
    private static final String PREFIX = "terrace-recipient-1:";
    static final int X_BYTES = X25519PublicKeyParameters.KEY_SIZE;
    static final int KEM_BYTES = 1184;

    private final byte[] bytes;

    private Recipient(byte[] bytes) {
        this.bytes = bytes;
    }

    static Recipient of(X25519PublicKeyParameters x, MLKEMPublicKeyParameters kem) {
        return new Recipient(ByteBuffer.allocate(X_BYTES + KEM_BYTES)
                .put(x.getEncoded())
                .put(kem.getEncoded())
                .array());
    }

    /**
     * Reads what {@link #toString} wrote; spaces around it do not matter.
     *
     * @throws SetupException when it is something else
     */
    public static Recipient parse(String text) {
        String trimmed = text.strip();
        if (trimmed.startsWith(PREFIX)) {
            try {
                byte[] bytes = Base64.getUrlDecoder().decode(trimmed.substring(PREFIX.length()));
                if (bytes.length == X_BYTES + KEM_BYTES) {
                    Recipient recipient = new Recipient(bytes);
                    recipient.kem(); // Checks it, as FIPS 203 asks.
                    return recipient;
                }
            } catch (IllegalArgumentException e) {
                throw notOne(e);
            }
        }
        throw notOne(null);
    }

    private static SetupException notOne(@Nullable IllegalArgumentException why) {
        return new SetupException(
                "that is no recipient of sealed boxes",
                "give the whole text that 'terrace keys recipient' printed; it begins with " + PREFIX,
                why);
    }

    X25519PublicKeyParameters x() {
        return new X25519PublicKeyParameters(bytes, 0);
    }

    MLKEMPublicKeyParameters kem() {
        return new MLKEMPublicKeyParameters(
                MLKEMParameters.ml_kem_768, Arrays.copyOfRange(bytes, X_BYTES, bytes.length));
    }

    byte[] bytes() {
        return bytes.clone();
    }

    /** The first 8 bytes of the SHA-256 of both keys: names the recipient in boxes and messages. */
    long id() {
        try {
            return ByteBuffer.wrap(MessageDigest.getInstance("SHA-256").digest(bytes))
                    .getLong();
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every JDK has SHA-256", e);
        }
    }

    /** What messages call it: 16 hexadecimal digits. */
    public String fingerprint() {
        return HexFormat.of().toHexDigits(id());
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Recipient recipient && Arrays.equals(bytes, recipient.bytes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(bytes);
    }

    /** The text that {@link #parse} reads, one line of about 1,640 characters. */
    @Override
    public String toString() {
        return PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }
}
