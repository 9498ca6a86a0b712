package dev.terrace.tier.backup;

import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** AES-256-GCM of the JDK over small things; records, of which there are many, keep their ciphers. */
final class AesGcm {
    static final String TRANSFORMATION = "AES/GCM/NoPadding";
    static final int NONCE_BYTES = 12;
    static final int TAG_BYTES = 16;

    private AesGcm() {}

    static byte[] seal(byte[] key, byte[] nonce, byte[] associated, byte[] plain) throws GeneralSecurityException {
        return run(Cipher.ENCRYPT_MODE, key, nonce, associated, plain);
    }

    /** Throws when anything is not as it was sealed. */
    static byte[] open(byte[] key, byte[] nonce, byte[] associated, byte[] sealed) throws GeneralSecurityException {
        return run(Cipher.DECRYPT_MODE, key, nonce, associated, sealed);
    }

    private static byte[] run(int mode, byte[] key, byte[] nonce, byte[] associated, byte[] input)
            throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(TRANSFORMATION);
        cipher.init(mode, new SecretKeySpec(key, "AES"), new GCMParameterSpec(TAG_BYTES * 8, nonce));
        cipher.updateAAD(associated);
        return cipher.doFinal(input);
    }
}
