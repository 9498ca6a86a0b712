package dev.terrace.tier.backup;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.crypto.SecretWithEncapsulation;
import org.bouncycastle.crypto.kems.MLKEMGenerator;
import org.bouncycastle.crypto.params.X25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.X25519PublicKeyParameters;
import org.jspecify.annotations.Nullable;

/**
 * The head of a sealed box: the box's key, wrapped for each recipient, and a commitment of that key to every byte before it. Layout in
 * {@code docs/format.md}.
 *
 * @param payloadKey seals the chunks
 * @param chunkBytes how long each but the last is
 * @param bytes the head as it stands in the box
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record BoxHeader(byte[] payloadKey, int chunkBytes, byte[] bytes) {
    private static final int MAGIC = 0x54424F58; // TBOX
    private static final byte FORMAT = 1;
    private static final int SALT_BYTES = 32;
    private static final int FIXED_BYTES = 4 + 1 + 1 + 1 + SALT_BYTES;
    private static final int ENCAPSULATED_BYTES = 1088;
    private static final int WRAPPED_BYTES = Hkdf.KEY_BYTES + AesGcm.TAG_BYTES;
    private static final int STANZA_BYTES =
            Long.BYTES + X25519PublicKeyParameters.KEY_SIZE + ENCAPSULATED_BYTES + WRAPPED_BYTES;
    private static final int COMMITMENT_BYTES = 32;
    static final int MOST_RECIPIENTS = 32;

    /** Chunks of 64 KiB to 1 MiB, as powers of two. */
    static final int SMALLEST_CHUNK = 16;

    static final int GREATEST_CHUNK = 20;

    /** Each wrapping key is used once. */
    private static final byte[] ONLY_NONCE = new byte[AesGcm.NONCE_BYTES];

    /** Of a head for so many recipients, in bytes. */
    static int length(int recipients) {
        return FIXED_BYTES + recipients * STANZA_BYTES + COMMITMENT_BYTES;
    }

    static BoxHeader create(List<Recipient> recipients, int chunkPower, SecureRandom random)
            throws IOException, GeneralSecurityException {
        byte[] key = new byte[Hkdf.KEY_BYTES];
        byte[] salt = new byte[SALT_BYTES];
        random.nextBytes(key);
        random.nextBytes(salt);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeInt(MAGIC);
        out.write(FORMAT);
        out.write(chunkPower);
        out.write(recipients.size());
        out.write(salt);
        byte[] fixed = bytes.toByteArray();
        for (Recipient recipient : recipients) {
            X25519PrivateKeyParameters ephemeral = new X25519PrivateKeyParameters(random);
            byte[] ephemeralPublic = ephemeral.generatePublicKey().getEncoded();
            SecretWithEncapsulation kem = new MLKEMGenerator(random).generateEncapsulated(recipient.kem());
            byte[] x = RecipientKey.shared(ephemeral, recipient.x());
            if (x == null) {
                throw new GeneralSecurityException("recipient " + recipient.fingerprint() + " is no usable key");
            }
            byte[] wrapping = wrappingKey(x, kem.getSecret(), ephemeralPublic, kem.getEncapsulation(), recipient);
            out.writeLong(recipient.id());
            out.write(ephemeralPublic);
            out.write(kem.getEncapsulation());
            out.write(AesGcm.seal(wrapping, ONLY_NONCE, fixed, key));
        }
        out.write(commitment(key, bytes.toByteArray()));
        return new BoxHeader(payloadKey(key, bytes.toByteArray()), 1 << chunkPower, bytes.toByteArray());
    }

    /**
     * Reads the head of a box.
     *
     * @throws SealedBox.DamagedException when it is not what was sealed
     * @throws SealedBox.NotForUsException when it was sealed to others
     */
    static BoxHeader read(InputStream in, RecipientKey own) throws IOException {
        byte[] fixed = in.readNBytes(FIXED_BYTES);
        ByteBuffer head = ByteBuffer.wrap(fixed);
        if (fixed.length < FIXED_BYTES || head.getInt() != MAGIC) {
            throw new SealedBox.DamagedException("this is no sealed box");
        }
        int format = head.get();
        int chunkPower = head.get();
        int count = head.get();
        if (format != FORMAT) {
            throw new SealedBox.DamagedException(
                    "the sealed box has format " + format + ", this version reads " + FORMAT);
        }
        if (chunkPower < SMALLEST_CHUNK || chunkPower > GREATEST_CHUNK || count < 1 || count > MOST_RECIPIENTS) {
            throw new SealedBox.DamagedException("the head of the sealed box is damaged");
        }
        byte[] stanzas = in.readNBytes(count * STANZA_BYTES);
        byte[] commitment = in.readNBytes(COMMITMENT_BYTES);
        if (stanzas.length + commitment.length < count * STANZA_BYTES + COMMITMENT_BYTES) {
            throw new SealedBox.DamagedException("the sealed box ends in its head");
        }
        byte[] key = key(fixed, stanzas, own);
        byte[] before = concatenated(fixed, stanzas);
        if (!MessageDigest.isEqual(commitment, commitment(key, before))) {
            throw new SealedBox.DamagedException("the head of the sealed box is damaged");
        }
        byte[] bytes = concatenated(before, commitment);
        return new BoxHeader(payloadKey(key, bytes), 1 << chunkPower, bytes);
    }

    private static byte[] key(byte[] fixed, byte[] stanzas, RecipientKey own) throws IOException {
        Recipient recipient = own.recipient();
        ByteBuffer in = ByteBuffer.wrap(stanzas);
        boolean named = false;
        while (in.hasRemaining()) {
            boolean ours = in.getLong() == recipient.id();
            byte[] ephemeral = LockedKeys.take(in, X25519PublicKeyParameters.KEY_SIZE);
            byte[] encapsulated = LockedKeys.take(in, ENCAPSULATED_BYTES);
            byte[] wrapped = LockedKeys.take(in, WRAPPED_BYTES);
            byte[] x = ours ? own.sharedX(ephemeral) : null;
            named |= ours;
            byte[] key = x == null
                    ? null
                    : unwrapped(
                            wrappingKey(x, own.sharedKem(encapsulated), ephemeral, encapsulated, recipient),
                            fixed,
                            wrapped);
            if (key != null) {
                return key;
            }
        }
        if (named) {
            throw new SealedBox.DamagedException("the head of the sealed box is damaged");
        }
        throw new SealedBox.NotForUsException("the box was not sealed to recipient " + recipient.fingerprint());
    }

    private static byte @Nullable [] unwrapped(byte[] wrapping, byte[] fixed, byte[] wrapped) {
        try {
            return AesGcm.open(wrapping, ONLY_NONCE, fixed, wrapped);
        } catch (GeneralSecurityException e) {
            return null; // Changed, or another recipient of the same name.
        }
    }

    /** Both secrets, and everything both sides have seen: who breaks one of the two algorithms has nothing. */
    private static byte[] wrappingKey(
            byte[] x, byte[] kem, byte[] ephemeral, byte[] encapsulated, Recipient recipient) {
        byte[] transcript = concatenated(concatenated(ephemeral, encapsulated), recipient.bytes());
        return Hkdf.derive(concatenated(x, kem), transcript, "sealed box wrap");
    }

    private static byte[] commitment(byte[] key, byte[] before) {
        return Hkdf.derive(key, before, "sealed box commitment");
    }

    private static byte[] payloadKey(byte[] key, byte[] bytes) {
        return Hkdf.derive(key, bytes, "sealed box payload");
    }

    private static byte[] concatenated(byte[] first, byte[] second) {
        byte[] both = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, both, first.length, second.length);
        return both;
    }
}
