package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import org.bouncycastle.crypto.agreement.X25519Agreement;
import org.bouncycastle.crypto.kems.MLKEMExtractor;
import org.bouncycastle.crypto.params.MLKEMParameters;
import org.bouncycastle.crypto.params.MLKEMPrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;
import org.jspecify.annotations.Nullable;

/**
 * The private half of a {@link Recipient}, which opens what was sealed to it. It is meant to lie offline: a node needs the
 * public half only. On disk it is sealed by a passphrase through Argon2id (layout in {@code docs/format.md}). Immutable.
 */
public final class RecipientKey {
    private static final int MAGIC = 0x54524350; // TRCP
    private static final byte FORMAT = 1;
    private static final int SEED_BYTES = 64;

    private final X25519PrivateKeyParameters x;
    private final MLKEMPrivateKeyParameters kem;

    private RecipientKey(byte[] seed) {
        this.x = new X25519PrivateKeyParameters(seed, 0);
        this.kem = new MLKEMPrivateKeyParameters(
                MLKEMParameters.ml_kem_768, Arrays.copyOfRange(seed, X25519PrivateKeyParameters.KEY_SIZE, seed.length));
    }

    /** A new one. */
    static RecipientKey create(SecureRandom random) {
        byte[] seed = new byte[X25519PrivateKeyParameters.KEY_SIZE + SEED_BYTES];
        random.nextBytes(seed);
        return new RecipientKey(seed);
    }

    /**
     * Makes a new one and writes it to {@code file}, readable by the owner only. Who loses the file or its passphrase loses
     * everything that is sealed to it.
     *
     * @return the public half
     * @throws SetupException when the file exists already, or cannot be written; nothing is overwritten
     */
    public static Recipient create(Path file, Secret passphrase) {
        if (Files.exists(file)) {
            throw new SetupException(
                    "recipient key " + file + " exists already",
                    "choose another file name; keys are never overwritten");
        }
        SecureRandom random = new SecureRandom();
        RecipientKey key = create(random);
        try {
            Atomically.write(file, key.encode(passphrase, random));
        } catch (IOException e) {
            throw new SetupException(
                    "cannot write recipient key " + file + ": " + e.getMessage(), "choose a writable folder", e);
        }
        return key.recipient();
    }

    /**
     * Reads what {@link #create(Path, Secret)} wrote. Takes some hundred milliseconds.
     *
     * @throws SetupException when it is not there or something else, or the passphrase is wrong
     */
    public static RecipientKey read(Path file, Secret passphrase) {
        try {
            return decode(Files.readAllBytes(file), passphrase);
        } catch (NoSuchFileException e) {
            throw new SetupException(
                    "recipient key " + file + " does not exist", "name the file of the private key", e);
        } catch (IOException e) {
            throw new SetupException(
                    "recipient key " + file + " cannot be read: " + e.getMessage(), "check its permissions", e);
        } catch (GeneralSecurityException | BufferUnderflowException e) {
            throw new SetupException(
                    "recipient key " + file + " cannot be opened: wrong passphrase, or not such a file",
                    "check both",
                    e);
        }
    }

    byte[] encode(Secret passphrase, SecureRandom random) {
        try {
            MasterKey.Derivation derivation = MasterKey.newPassphrase(random);
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            DataOutputStream out = new DataOutputStream(bytes);
            out.writeInt(MAGIC);
            out.write(FORMAT);
            derivation.write(out);
            byte[] nonce = new byte[AesGcm.NONCE_BYTES];
            random.nextBytes(nonce);
            byte[] seed = ByteBuffer.allocate(X25519PrivateKeyParameters.KEY_SIZE + SEED_BYTES)
                    .put(x.getEncoded())
                    .put(kem.getSeed())
                    .array();
            byte[] sealed = AesGcm.seal(
                    sealingKey(MasterKey.fromPassphrase(passphrase, derivation)), nonce, bytes.toByteArray(), seed);
            out.write(nonce);
            out.write(sealed);
            return bytes.toByteArray();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("sealing a key failed", e);
        } catch (IOException e) {
            throw new UncheckedIOException("memory does not fail so", e);
        }
    }

    static RecipientKey decode(byte[] bytes, Secret passphrase) throws GeneralSecurityException {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        if (in.getInt() != MAGIC || in.get() != FORMAT) {
            throw new GeneralSecurityException("not a recipient key of format " + FORMAT);
        }
        MasterKey.Derivation derivation = MasterKey.Derivation.read(in);
        if (!derivation.isSane() || derivation.kind() != MasterKey.FROM_PASSPHRASE) {
            throw new GeneralSecurityException("not sealed by a passphrase");
        }
        byte[] head = Arrays.copyOf(bytes, in.position());
        byte[] nonce = LockedKeys.take(in, AesGcm.NONCE_BYTES);
        byte[] seed = AesGcm.open(
                sealingKey(MasterKey.fromPassphrase(passphrase, derivation)),
                nonce,
                head,
                LockedKeys.take(in, in.remaining()));
        return new RecipientKey(seed);
    }

    private static byte[] sealingKey(byte[] master) {
        return Hkdf.derive(master, Hkdf.NO_SALT, "recipient key");
    }

    /** The public half. */
    public Recipient recipient() {
        return Recipient.of(x.generatePublicKey(), kem.getPublicKeyParameters());
    }

    /** What only this key and the sender can know; null when the sender's half is no key. */
    byte @Nullable [] sharedX(byte[] ephemeral) {
        return shared(x, new X25519PublicKeyParameters(ephemeral, 0));
    }

    static byte @Nullable [] shared(X25519PrivateKeyParameters own, X25519PublicKeyParameters theirs) {
        byte[] secret = new byte[X25519PrivateKeyParameters.SECRET_SIZE];
        try {
            X25519Agreement agreement = new X25519Agreement();
            agreement.init(own);
            agreement.calculateAgreement(theirs, secret, 0);
            return secret;
        } catch (IllegalStateException e) {
            return null; // All zeros: a point of small order, which only an attacker sends.
        }
    }

    byte[] sharedKem(byte[] encapsulated) {
        return new MLKEMExtractor(kem).extractSecret(encapsulated);
    }
}
