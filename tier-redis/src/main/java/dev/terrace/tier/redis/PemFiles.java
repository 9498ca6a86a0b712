package dev.terrace.tier.redis;

import dev.terrace.api.SetupException;
import dev.terrace.config.DistributedCacheSettings.TlsSettings;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.InvalidKeySpecException;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** Reads certificates and keys in PEM form. */
final class PemFiles {
    private PemFiles() {}

    /** Who is trusted; null for the JVM's own trust store. */
    static @Nullable TrustManagerFactory trust(TlsSettings tls) {
        Path file = tls.caFile();
        if (file == null) {
            return null;
        }
        try {
            KeyStore store = empty();
            int n = 0;
            for (Certificate certificate : certificates(file)) {
                store.setCertificateEntry("ca-" + n++, certificate);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
            factory.init(store);
            return factory;
        } catch (GeneralSecurityException | IOException e) {
            throw unreadable("distributed_cache.tls.ca_file", file, e);
        }
    }

    /** Who we are; null for nobody. */
    static @Nullable KeyManagerFactory identity(TlsSettings tls) {
        Path certificateFile = tls.certificateFile();
        Path keyFile = tls.keyFile();
        if (certificateFile == null || keyFile == null) {
            return null;
        }
        try {
            KeyStore store = empty();
            store.setKeyEntry(
                    "client",
                    key(keyFile),
                    new char[0],
                    certificates(certificateFile).toArray(Certificate[]::new));
            KeyManagerFactory factory = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            factory.init(store, new char[0]);
            return factory;
        } catch (GeneralSecurityException | IOException e) {
            throw unreadable("distributed_cache.tls.certificate_file and key_file", keyFile, e);
        }
    }

    private static KeyStore empty() throws GeneralSecurityException, IOException {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        return store;
    }

    private static Collection<? extends Certificate> certificates(Path file)
            throws GeneralSecurityException, IOException {
        return CertificateFactory.getInstance("X.509")
                .generateCertificates(new ByteArrayInputStream(Files.readAllBytes(file)));
    }

    private static PrivateKey key(Path file) throws GeneralSecurityException, IOException {
        String pem = Files.readString(file, StandardCharsets.US_ASCII);
        String base64 = pem.replaceAll("(?s).*-----BEGIN PRIVATE KEY-----", "")
                .replaceAll("(?s)-----END PRIVATE KEY-----.*", "")
                .replaceAll("\\s", "");
        PKCS8EncodedKeySpec encoded;
        try {
            encoded = new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64));
        } catch (IllegalArgumentException e) {
            throw new GeneralSecurityException("not a PKCS#8 key in PEM form (BEGIN PRIVATE KEY)", e);
        }
        GeneralSecurityException last = null;
        for (String algorithm : new String[] {"RSA", "EC", "Ed25519"}) {
            try {
                return KeyFactory.getInstance(algorithm).generatePrivate(encoded);
            } catch (InvalidKeySpecException e) {
                last = e;
            }
        }
        throw new GeneralSecurityException("neither an RSA, an EC nor an Ed25519 key", last);
    }

    private static SetupException unreadable(String setting, Path file, Exception e) {
        return new SetupException(
                setting + ": " + file + " cannot be read: " + e.getMessage(), "give PEM files, the key as PKCS#8", e);
    }
}
