package dev.terrace.tier.backup;

import dev.terrace.api.SetupException;
import dev.terrace.config.Secret;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Key;
import java.security.KeyStore;
import java.security.SecureRandom;
import javax.crypto.spec.SecretKeySpec;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/**
 * A BCFKS keystore file that holds L3's master key, an AES-256 key, under an alias. Password and key entry share one
 * password.
 */
public final class BackupKeystore {
    private BackupKeystore() {}

    /**
     * Creates the file with a fresh random key. The folder must exist. Who loses the file or its password loses the
     * backup.
     *
     * @throws SetupException when the file exists already, or cannot be written; nothing is overwritten
     */
    public static void create(Path file, String alias, Secret password) {
        if (Files.exists(file)) {
            throw new SetupException(
                    "keystore " + file + " exists already", "choose another file name; keys are never overwritten");
        }
        byte[] key = new byte[Hkdf.KEY_BYTES];
        new SecureRandom().nextBytes(key);
        try {
            KeyStore store = bcfks();
            store.load(null, null);
            char[] chars = password.reveal().toCharArray();
            store.setEntry(
                    alias,
                    new KeyStore.SecretKeyEntry(new SecretKeySpec(key, "AES")),
                    new KeyStore.PasswordProtection(chars));
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            store.store(bytes, chars);
            Atomically.write(file, bytes.toByteArray());
        } catch (IOException | GeneralSecurityException e) {
            throw new SetupException(
                    "cannot write keystore " + file + ": " + e.getMessage(), "choose a writable folder", e);
        }
    }

    /** The master key under {@code alias}. */
    static byte[] load(Path file, String alias, Secret password) {
        KeyStore store;
        try (InputStream in = Files.newInputStream(file)) {
            store = bcfks();
            store.load(in, password.reveal().toCharArray());
        } catch (NoSuchFileException e) {
            throw new SetupException(
                    "keystore " + file + " does not exist; nothing was changed",
                    "set backup_storage.keystore to the file, or create one",
                    e);
        } catch (IOException | GeneralSecurityException e) {
            throw new SetupException(
                    "keystore " + file + " cannot be opened (wrong password, or not a BCFKS file); nothing was changed",
                    "check backup_storage.passphrase and the file",
                    e);
        }
        try {
            Key key = store.getKey(alias, password.reveal().toCharArray());
            byte[] bytes = key == null ? null : key.getEncoded();
            if (bytes == null || bytes.length != Hkdf.KEY_BYTES) {
                throw new SetupException(
                        "keystore " + file + " has no 256-bit key under alias '" + alias + "'; nothing was changed",
                        "check backup_storage.keystore_alias");
            }
            return bytes;
        } catch (GeneralSecurityException e) {
            throw new SetupException(
                    "key '" + alias + "' of keystore " + file + " cannot be read; nothing was changed",
                    "its password must be that of the keystore",
                    e);
        }
    }

    private static KeyStore bcfks() throws GeneralSecurityException {
        return KeyStore.getInstance("BCFKS", new BouncyCastleProvider());
    }
}
