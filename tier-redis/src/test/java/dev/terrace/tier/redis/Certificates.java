package dev.terrace.tier.redis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A certificate authority for one test class, made with the JDK's keytool; certificates and keys as PEM files in a folder. */
final class Certificates {
    private static final char[] PASSWORD = "changeit".toCharArray();

    private final Path folder;
    private final Path authority;

    /** Certificate and key of one party. */
    record Identity(Path certificate, Path key) {}

    Certificates(Path folder, String name) {
        this.folder = folder.resolve(name);
        try {
            Files.createDirectories(this.folder);
            keytool("-genkeypair", "-alias", "ca", "-keystore", store("ca"), "-dname", "CN=" + name, "-ext", "bc:c");
            authority = write("ca.crt", "CERTIFICATE", certificate("ca").getEncoded());
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** The authority's certificate. */
    Path authority() {
        return authority;
    }

    /**
     * A certificate by this authority.
     *
     * @param subjectName the alternative name, such as {@code ip:127.0.0.1}
     * @param more further words for keytool's gencert, such as a start date
     */
    Identity identity(String alias, String subjectName, String... more) {
        try {
            keytool("-genkeypair", "-alias", alias, "-keystore", store(alias), "-dname", "CN=" + alias);
            Path request = folder.resolve(alias + ".csr");
            keytool("-certreq", "-alias", alias, "-keystore", store(alias), "-file", request.toString());
            Path signed = folder.resolve(alias + ".crt");
            List<String> words = new ArrayList<>(List.of(
                    "-gencert",
                    "-alias",
                    "ca",
                    "-keystore",
                    store("ca"),
                    "-infile",
                    request.toString(),
                    "-outfile",
                    signed.toString(),
                    "-rfc",
                    "-ext",
                    "san=" + subjectName));
            words.addAll(List.of(more));
            keytool(words.toArray(String[]::new));
            Key key = load(alias).getKey(alias, PASSWORD);
            return new Identity(signed, write(alias + ".key", "PRIVATE KEY", key.getEncoded()));
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private String store(String alias) {
        return folder.resolve(alias + ".p12").toString();
    }

    private KeyStore load(String alias) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(Path.of(store(alias)))) {
            store.load(in, PASSWORD);
        }
        return store;
    }

    private Certificate certificate(String alias) throws Exception {
        return load(alias).getCertificate(alias);
    }

    private Path write(String name, String label, byte[] der) throws IOException {
        String body = Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(der);
        return Files.writeString(
                folder.resolve(name),
                "-----BEGIN " + label + "-----\n" + body + "\n-----END " + label + "-----\n",
                StandardCharsets.US_ASCII);
    }

    private static void keytool(String... words) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(Arrays.asList(words));
        command.addAll(List.of("-storetype", "PKCS12", "-storepass", new String(PASSWORD)));
        if (words[0].equals("-genkeypair")) {
            command.addAll(List.of("-keyalg", "EC", "-groupname", "secp256r1", "-validity", "2"));
        }
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS) || process.exitValue() != 0) {
            throw new IllegalStateException("keytool " + words[0] + ": " + said);
        }
    }
}
