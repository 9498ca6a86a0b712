package dev.terrace.tier.backup.repo;

import java.nio.charset.StandardCharsets;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.Ed25519PublicKeyParameters;
import org.bouncycastle.crypto.signers.Ed25519Signer;

/** Signs and checks with Ed25519 (RFC 8032). Thread-safe. */
public class SigningKey {
    /** Bytes of a signature. */
    static final int SIGNATURE_BYTES = 64;

    /** What plain folders sign with: known to everybody, so damage is found and forgery is not. */
    public static final SigningKey PLAIN =
            new SigningKey(Sha256.digest().digest("terrace plain repository".getBytes(StandardCharsets.US_ASCII)));

    private final Ed25519PrivateKeyParameters secret;
    private final Ed25519PublicKeyParameters open;
    private final String id;

    /** @param seed 32 secret bytes */
    public SigningKey(byte[] seed) {
        if (seed.length != Ed25519PrivateKeyParameters.KEY_SIZE) {
            throw new IllegalArgumentException("a seed has 32 bytes, not " + seed.length);
        }
        this.secret = new Ed25519PrivateKeyParameters(seed);
        this.open = secret.generatePublicKey();
        this.id = Sha256.of(open.getEncoded()).substring(0, 16);
    }

    /** The first 16 hex digits of the SHA-256 of the public key; for messages and to find the key. */
    public String id() {
        return id;
    }

    /** Whether anybody could have signed with it. */
    public boolean isPlain() {
        return id.equals(PLAIN.id);
    }

    byte[] sign(byte[] message) {
        Ed25519Signer signer = new Ed25519Signer();
        signer.init(true, secret);
        signer.update(message, 0, message.length);
        return signer.generateSignature();
    }

    boolean verifies(byte[] message, byte[] signature) {
        Ed25519Signer signer = new Ed25519Signer();
        signer.init(false, open);
        signer.update(message, 0, message.length);
        return signer.verifySignature(signature);
    }
}
