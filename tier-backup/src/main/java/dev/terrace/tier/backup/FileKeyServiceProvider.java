package dev.terrace.tier.backup;

import dev.terrace.spi.KeyService;
import dev.terrace.spi.KeyServiceProvider;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * The key service {@code file}: its keys are files of 64 hexadecimal digits, named by their paths. An example of what a service has to do, and of
 * use where something else mounts such a file for the time of a start. It protects no better than the file is protected: a service
 * of its own that never gives its key away does.
 */
public final class FileKeyServiceProvider implements KeyServiceProvider {
    /** For {@link java.util.ServiceLoader}. */
    public FileKeyServiceProvider() {}

    @Override
    public String name() {
        return "file";
    }

    @Override
    public KeyService open() {
        return new FileKeyService();
    }

    private static final class FileKeyService implements KeyService {
        private final SecureRandom random = new SecureRandom();

        @Override
        public byte[] wrap(String key, byte[] secret, byte[] context) throws IOException {
            byte[] nonce = new byte[AesGcm.NONCE_BYTES];
            random.nextBytes(nonce);
            try {
                byte[] sealed = AesGcm.seal(read(key), nonce, context, secret);
                byte[] wrapped = Arrays.copyOf(nonce, nonce.length + sealed.length);
                System.arraycopy(sealed, 0, wrapped, nonce.length, sealed.length);
                return wrapped;
            } catch (GeneralSecurityException e) {
                throw new IOException("wrapping failed", e);
            }
        }

        @Override
        public byte[] unwrap(String key, byte[] wrapped, byte[] context) throws IOException {
            if (wrapped.length < AesGcm.NONCE_BYTES + AesGcm.TAG_BYTES) {
                throw new IOException("what was wrapped is cut short");
            }
            try {
                return AesGcm.open(
                        read(key),
                        Arrays.copyOf(wrapped, AesGcm.NONCE_BYTES),
                        context,
                        Arrays.copyOfRange(wrapped, AesGcm.NONCE_BYTES, wrapped.length));
            } catch (GeneralSecurityException e) {
                throw new IOException("the file holds another key than the one it was wrapped with", e);
            }
        }

        private static byte[] read(String key) throws IOException {
            try {
                byte[] secret = HexFormat.of()
                        .parseHex(Files.readString(Path.of(key), StandardCharsets.US_ASCII)
                                .strip());
                if (secret.length == Hkdf.KEY_BYTES) {
                    return secret;
                }
            } catch (NoSuchFileException e) {
                throw new IOException("there is no such file", e);
            } catch (IllegalArgumentException e) {
                throw new IOException("the file does not hold 64 hexadecimal digits", e);
            }
            throw new IOException("the file does not hold 64 hexadecimal digits");
        }
    }
}
